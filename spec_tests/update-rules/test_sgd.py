"""SGD: velocity, dampening, Nesterov's variant, and where the rate comes in."""

import pytest

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("sgd.update-rule")
@optimizers.each(only=("SGD",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("sgd.dampening-skips-the-first-step")
def test_the_first_velocity_is_not_damped(device):
    walk = SingleParameter("SGD", device, options={"lr": 1.0, "momentum": 0.5, "dampening": 0.75})
    walk.over([(1.0, 2.0), (1.0, 2.0), (1.0, 2.0)])
    # b = g, then b/2 + g/4: 1, 0.75, 0.625 of the gradient
    expected = [walk.tensor(v) for v in ((0.0, -4.0), (-0.75, -5.5), (-1.375, -6.75))]
    check.same(seen=walk.values, expected=expected, source="by hand, exact in binary")


@claim("sgd.nesterov-adds-velocity-to-gradient")
def test_nesterov_moves_along_the_gradient_and_the_new_velocity(device):
    walk = SingleParameter("SGD", device, options={"lr": 1.0, "momentum": 0.5, "nesterov": True})
    walk.over([(1.0, 2.0), (0.0, 2.0)])
    # b = g: step 1.5g; then b = 0.5g + g', step g' + 0.5b
    expected = [walk.tensor(v) for v in ((-0.5, -5.0), (-0.75, -8.5))]
    check.same(seen=walk.values, expected=expected, source="by hand, exact in binary")


@claim("sgd.rate-multiplies-the-whole-velocity")
def test_a_rate_that_is_halved_halves_the_old_velocity_too(device):
    walk = SingleParameter("SGD", device, options={"lr": 1.0, "momentum": 0.5})
    walk.over([(1.0, 2.0)])
    walk.optimizer.param_groups[0]["lr"] = 0.5
    walk.over([(0.0, 0.0)])
    # half of the velocity is left, and half of that is the step: 0.25g, and not 0.5g
    expected = [walk.tensor(v) for v in ((0.0, -4.0), (-0.25, -4.5))]
    check.same(seen=walk.values, expected=expected, source="by hand, exact in binary")


@claim("sgd.decay-refuses-sparse-gradients")
@pytest.mark.needs("sparse")
@optimizers.each(only=("SGD",))
def test_a_sparse_gradient_cannot_decay(case, device):
    walk = SingleParameter(case, device, options={"weight_decay": 0.1})
    with pytest.raises(RuntimeError, match=r"(?i)sparse"):
        walk.over([walk.tensor((1.0, 1.0)).to_sparse()])
