"""Adamax: the infinity norm."""

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("adamax.update-rule")
@optimizers.each(only=("Adamax",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("adamax.first-step-has-length-lr")
def test_the_first_step_is_one_rate_long(device):
    walk = SingleParameter("Adamax", device, options={"lr": 0.5, "eps": 1.0}).over([(1.0, -7.0)])
    expected = [walk.tensor((1.0 - 0.25, -2.0 + 0.4375))]
    check.close(seen=walk.values, expected=expected, source="γg/(|g| + ε)", tolerance=STEPS)


@claim("adamax.norm-decays-by-beta2")
def test_a_large_gradient_is_forgotten_step_by_step(device):
    walk = SingleParameter("Adamax", device, options={"betas": (0.9, 0.5), "eps": 0.25})
    walk.over([(8.0, 1.0), (-1.0, -2.0), (0.0, 0.0)])
    # 8.25 halves to 4.125 and 2.0625; 1.25 gives way to 2.25, which halves to 1.125
    expected = walk.tensor((2.0625, 1.125))
    check.same(seen=walk.state("exp_inf"), expected=expected, source="by hand, exact in binary")
