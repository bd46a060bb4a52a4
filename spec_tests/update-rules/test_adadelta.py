"""Adadelta: steps in the unit of the parameter."""

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("adadelta.update-rule")
@optimizers.each(only=("Adadelta",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("adadelta.first-step-comes-from-eps")
def test_the_first_step_is_as_long_as_eps_makes_it(device):
    walk = SingleParameter("Adadelta", device, options={"lr": 1.0, "rho": 0.75, "eps": 0.5625})
    walk.over([(2.0, -2.0)])
    # v = 1: a step of g √0.5625/√1.5625 = 0.6g
    expected = [walk.tensor((-0.2, -0.8))]
    check.close(
        seen=walk.values,
        expected=expected,
        source="√ε / √((1 - ρ)g² + ε) · g, with γ = 1",
        tolerance=STEPS,
    )


@claim("adadelta.rate-stays-out-of-the-state")
@pytest.mark.parametrize("lr", [0.0, 0.5, 2.0], ids="lr={}".format)
def test_the_average_of_steps_is_of_steps_before_the_rate(lr, device):
    walk = SingleParameter("Adadelta", device, options={"lr": lr, "rho": 0.75, "eps": 0.5625})
    walk.over([(2.0, -2.0)])
    expected = walk.tensor((0.25 * 1.2**2,) * 2)
    check.close(
        seen=walk.state("acc_delta"), expected=expected, source="(1 - ρ)Δ²", tolerance=STEPS
    )
