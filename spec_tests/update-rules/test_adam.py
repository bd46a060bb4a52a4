"""Adam, AMSGrad and AdamW: where the decay, eps and the maximum come in."""

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("adam.update-rule")
@optimizers.each(only=("Adam",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("adamw.update-rule")
@optimizers.each(only=("AdamW",), every_preset=True)
def test_every_step_of_adamw_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("adam.first-step-has-length-lr")
@optimizers.each(only=("Adam", "AdamW"))
def test_the_first_step_is_one_rate_long(case, device):
    walk = SingleParameter(case, device, options={"lr": 0.5, "weight_decay": 0, "eps": 1.0})
    walk.over([(1.0, -7.0)])
    # m̂ = g and √v̂ = |g|: a step of 0.5·g/(|g| + 1)
    expected = [walk.tensor((1.0 - 0.25, -2.0 + 0.4375))]
    check.close(seen=walk.values, expected=expected, source="γg/(|g| + ε)", tolerance=STEPS)


@claim("adam.weight-decay-adds-to-the-gradient")
def test_decay_takes_part_in_both_moments(device):
    walk = SingleParameter("Adam", device, options={"betas": (0.5, 0.75), "weight_decay": 0.5})
    walk.over([(1.0, 3.0)])
    # g + 0.5θ = (1.5, 2)
    check.close(
        seen=[walk.state("exp_avg"), walk.state("exp_avg_sq")],
        expected=[walk.tensor((0.75, 1.0)), walk.tensor((0.5625, 1.0))],
        source="(1 - β₁)(g + λθ) and (1 - β₂)(g + λθ)²",
        tolerance=STEPS,
    )


@claim("adamw.weight-decay-scales-with-lr")
def test_without_a_slope_adamw_shrinks_by_a_constant_factor(device):
    walk = SingleParameter("AdamW", device, options={"lr": 0.5, "weight_decay": 0.5})
    walk.over([(0.0, 0.0)] * 3)
    expected = [walk.tensor((0.75**t, -2 * 0.75**t)) for t in (1, 2, 3)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)


@claim("adamw.decay-stays-out-of-the-moments")
@pytest.mark.parametrize("weight_decay", [0.0, 0.5, 1.0], ids="weight_decay={}".format)
def test_the_moments_know_nothing_of_the_decay(weight_decay, device):
    options = {"betas": (0.5, 0.75), "weight_decay": weight_decay}
    walk = SingleParameter("AdamW", device, options=options).over([(1.0, 3.0), (0.0, -4.0)])
    check.close(
        seen=[walk.state("exp_avg"), walk.state("exp_avg_sq")],
        expected=[walk.tensor((0.25, -1.25)), walk.tensor((0.1875, 5.6875))],
        source="by hand, without decay",
        tolerance=STEPS,
    )


@claim("adam.amsgrad-keeps-the-maximum")
@optimizers.each(only=("Adam", "AdamW"))
def test_the_maximum_stays_when_the_gradients_shrink(case, device):
    options = {"betas": (0.0, 0.5), "amsgrad": True}
    walk = SingleParameter(case, device, options=options).over([(8.0, 1.0), (0.0, 2.0)])
    check.close(
        seen=[walk.state("exp_avg_sq"), walk.state("max_exp_avg_sq")],
        expected=[walk.tensor((16.0, 2.25)), walk.tensor((32.0, 2.25))],
        source="by hand: v is 32 and 0.5, then 16 and 2.25",
        tolerance=STEPS,
    )


@claim("adam.amsgrad-divides-by-the-maximum")
@optimizers.each(only=("Adam", "AdamW"))
def test_a_step_after_a_large_gradient_stays_small(case, device):
    options = {"lr": 1.0, "betas": (0.0, 0.5), "amsgrad": True, "eps": 0.0, "weight_decay": 0.0}
    walk = SingleParameter(case, device, start=(0.0,), options=options).over([(8.0,), (1.0,)])
    # v̂ = 32/0.5 = 8²: a step of 1; then the maximum, 32, over 1 - 0.5²: a step of √(3/128)
    expected = [walk.tensor((-1.0,)), walk.tensor((-1.0 - (3 / 128) ** 0.5,))]
    check.close(
        seen=walk.values,
        expected=expected,
        source="γ m̂ / (√v̂ + ε), with both moments of the large gradient",
        tolerance=STEPS,
    )


@claim("adam.decoupled-is-adamw")
@optimizers.each(only=("AdamW",), every_preset=True)
def test_adam_with_decoupled_decay_does_what_adamw_does(case, device):
    decay = {"weight_decay": 0.01, **case.preset.options, "decoupled_weight_decay": True}
    adam = Case(optimizers.by_name("Adam"), Preset(case.preset.name, decay))
    check.same(
        seen=OptimizerRun(adam, device).by_torch(),
        expected=OptimizerRun(case, device).by_torch(),
        source="AdamW with the same options",
    )
