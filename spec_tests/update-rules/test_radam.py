"""RAdam: momentum alone until the second moment can be trusted."""

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.oracles.radam import RAdam
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("radam.update-rule")
@optimizers.each(only=("RAdam",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("radam.begins-as-momentum")
def test_the_first_five_steps_are_not_divided(device):
    walk = SingleParameter(
        "RAdam", device, options={"lr": 0.125, "betas": (0.5, 0.999), "eps": 0.0}
    )
    walk.over([(1.0, -8.0)] * 6)
    # Equal gradients have a corrected average equal to themselves: five steps of the rate times
    # the gradient, and a sixth in which both elements move equally far, the rate times r.
    oracle = RAdam(betas=(0.5, 0.999))
    last = 0.125 * oracle.rectification(6)
    values = [(1.0 - 0.125 * t, -2.0 + t) for t in range(1, 6)] + [(0.375 - last, 3.0 + last)]
    check.close(
        seen=walk.values,
        expected=[walk.tensor(v) for v in values],
        source="θ - γ m̂, where ρₜ is at most 5",
        tolerance=STEPS,
    )


@claim("radam.decoupled-decay-scales-with-lr")
def test_without_a_slope_decoupled_decay_shrinks_by_a_constant_factor(device):
    options = {"lr": 0.5, "weight_decay": 0.5, "decoupled_weight_decay": True}
    walk = SingleParameter("RAdam", device, options=options).over([(0.0, 0.0)] * 7)
    expected = [walk.tensor((0.75**t, -2 * 0.75**t)) for t in range(1, 8)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)
