"""NAdam: momentum that warms up, and the product of all momenta."""

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("nadam.update-rule")
@optimizers.each(only=("NAdam",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("nadam.momentum-warms-up")
def test_the_product_is_that_of_the_momenta_so_far(device):
    walk = SingleParameter("NAdam", device, options={"betas": (0.8, 0.9), "momentum_decay": 0.5})
    walk.over([(1.0, -1.0)] * 3)
    product = 1.0
    for t in (1, 2, 3):
        product *= 0.8 * (1 - 0.5 * 0.96 ** (0.5 * t))
    check.close(
        seen=walk.state("mu_product"),
        expected=walk.tensor(product),
        source="the product of β₁(1 - 0.96^(tψ)/2)",
        tolerance=STEPS,
    )


@claim("nadam.decoupled-decay-scales-with-lr")
def test_without_a_slope_decoupled_decay_shrinks_by_a_constant_factor(device):
    options = {"lr": 0.5, "weight_decay": 0.5, "decoupled_weight_decay": True}
    walk = SingleParameter("NAdam", device, options=options).over([(0.0, 0.0)] * 3)
    expected = [walk.tensor((0.75**t, -2 * 0.75**t)) for t in (1, 2, 3)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)
