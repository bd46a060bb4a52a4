"""ASGD: the rate that falls, and the average of the parameters."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("asgd.update-rule")
@optimizers.each(only=("ASGD",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("asgd.averages-from-t0-on")
def test_ax_is_the_mean_of_the_values_from_two_steps_after_t0_on(device):
    walk = SingleParameter("ASGD", device, options={"lr": 0.5, "lambd": 0.0, "t0": 2})
    walk.over([(1.0, 0.5), (-0.5, 1.0), (0.25, 0.5), (1.0, -1.0), (0.5, 0.25)])
    # The weight comes from the step before: that of step 4 is still 1, then 1/2.
    expected = (walk.values[3] + walk.values[4]) / 2
    check.close(
        seen=walk.state("ax"),
        expected=expected,
        source="the mean of the parameter's values",
        tolerance=STEPS,
    )


@claim("asgd.average-is-the-parameter-before-t0")
@optimizers.each(only=("ASGD",))
def test_before_t0_the_average_is_the_parameter(case, device):
    walk = SingleParameter(case, device, options={"lr": 0.5, "t0": 5})
    # From far away: a sum with the difference would not come out at the parameter.
    walk.over([(-3e7, 1.0), (3.1e7, -0.7)])
    check.same(
        seen=walk.state("ax"), expected=walk.values[-1], source="the parameter after the step"
    )


@claim("asgd.rate-falls-by-power-alpha")
def test_the_rate_of_a_step_is_the_power_that_alpha_says(device):
    walk = SingleParameter(
        "ASGD", device, start=(0.0,), options={"lr": 0.5, "lambd": 2.0, "alpha": 2.0}
    )
    walk.over([(1.0,), (0.0,), (0.0,)])
    # η = 0.5/(1 + t)²: 0.5, 0.125, 0.5/9; and each step multiplies the parameter by 1 - 2η.
    expected = [walk.tensor((v,)) for v in (-0.5, -0.375, -0.375 * (1 - 1 / 9))]
    check.close(seen=walk.values, expected=expected, source="γ / (1 + λγt)^α", tolerance=STEPS)


@claim("asgd.refuses-negative-lambd-and-alpha")
@pytest.mark.parametrize("option", ["lambd", "alpha"])
def test_a_negative_fall_of_the_rate_is_an_error(option):
    with pytest.raises(ValueError, match=option):
        torch.optim.ASGD([torch.ones(1, requires_grad=True)], **{option: -0.5})


@claim("asgd.accepted-negative-lambd-and-alpha")
@pytest.mark.parametrize("option", ["lambd", "alpha"])
def test_a_negative_fall_of_the_rate_was_taken(option):
    optimizer = torch.optim.ASGD([torch.ones(1, requires_grad=True)], **{option: -0.5})
    check.same(
        seen=optimizer.param_groups[0][option],
        expected=-0.5,
        source="the option that was given",
    )
