"""Rprop: signs alone, and the bounds of the step sizes."""

import pytest

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("rprop.update-rule")
@optimizers.each(only=("Rprop",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("rprop.only-signs-matter")
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6], ids=["small", "one", "large"])
def test_the_size_of_the_gradient_does_not_matter(scale, device):
    signs = ((1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0))
    walk = SingleParameter("Rprop", device, options={"lr": 0.25, "etas": (0.5, 1.5)})
    walk.over([tuple(scale * sign for sign in pair) for pair in signs])
    # grow: 0.25, 0.375, turned: 0.1875 and no step, 0.1875; turned at once: 0.125 and no step, ...
    values = ((0.75, -1.75), (0.375, -1.75), (0.375, -1.875), (0.5625, -2.0625))
    expected = [walk.tensor(v) for v in values]
    check.same(seen=walk.values, expected=expected, source="by hand, exact in binary")


@claim("rprop.stays-where-the-sign-turns")
def test_an_element_whose_sign_turns_stays_for_one_step(device):
    walk = SingleParameter("Rprop", device, options={"lr": 0.5}).over([(3.0, -1.0), (-1.0, -1.0)])
    seen = [walk.values[1][0], walk.state("prev")]
    expected = [walk.values[0][0], walk.tensor((0.0, -1.0))]
    check.same(
        seen=seen, expected=expected, source="the values before; no gradient to compare with"
    )


@claim("rprop.first-step-has-length-lr")
@pytest.mark.parametrize("lr", [0.25, 4.0, 100.0], ids="lr={}".format)
def test_the_first_step_is_one_rate_long(lr, device):
    walk = SingleParameter("Rprop", device, options={"lr": lr, "step_sizes": (0.5, 50.0)})
    walk.over([(1.0, -3.0)])
    expected = [walk.tensor((1.0 - lr, -2.0 + lr))]
    check.same(seen=walk.values, expected=expected, source="η₀ = lr, in the documented algorithm")


@claim("rprop.step-sizes-stay-in-bounds")
def test_step_sizes_stop_at_the_bounds(device):
    options = {"lr": 0.25, "etas": (0.25, 4.0), "step_sizes": (0.125, 0.5)}
    walk = SingleParameter("Rprop", device, options=options).over([(1.0, 1.0), (1.0, -1.0)])
    expected = walk.tensor((0.5, 0.125))
    check.same(
        seen=walk.state("step_size"),
        expected=expected,
        source="the step_sizes that Rprop was given",
    )
