"""RMSprop: eps beside the root, centering, momentum."""

import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("rmsprop.update-rule")
@optimizers.each(only=("RMSprop",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("rmsprop.eps-is-added-to-the-root")
def test_eps_stands_beside_the_root(device):
    walk = SingleParameter("RMSprop", device, options={"lr": 1.0, "alpha": 0.75, "eps": 1.0})
    walk.over([(2.0, -6.0)])
    # √v = |g|/2: steps of 2/(1 + 1) and -6/(3 + 1)
    expected = [walk.tensor((0.0, -0.5))]
    check.close(seen=walk.values, expected=expected, source="γg/(√v + ε)", tolerance=STEPS)


@claim("rmsprop.centered-subtracts-the-mean")
def test_centered_divides_by_the_standard_deviation(device):
    walk = SingleParameter(
        "RMSprop", device, options={"lr": 1.0, "alpha": 0.5, "eps": 0.0, "centered": True}
    )
    walk.over([(4.0, -8.0)])
    # v - a² = g²/2 - g²/4: the root is |g|/2, and the step 2
    expected = [walk.tensor((-1.0, 0.0))]
    check.close(seen=walk.values, expected=expected, source="γg / (√(v - ḡ²) + ε)", tolerance=STEPS)


@claim("rmsprop.momentum-of-normalised-gradients")
def test_the_velocity_is_of_normalised_gradients_without_the_rate(device):
    options = {"lr": 0.5, "alpha": 0.75, "eps": 0.0, "momentum": 0.5}
    walk = SingleParameter("RMSprop", device, options=options).over([(4.0, -8.0), (0.0, 0.0)])
    check.close(
        seen=[*walk.values, walk.state("momentum_buffer")],
        expected=[walk.tensor(v) for v in ((0.0, -1.0), (-0.5, -0.5), (1.0, -1.0))],
        source="by hand: b = 2 sign(g), then half of it",
        tolerance=STEPS,
    )


@claim("rmsprop.centered-steps-stay-finite")
def test_a_constant_gradient_gives_finite_steps(device):
    # Which of them survive is a matter of rounding, and so of the processor: hence many.
    gradient = torch.tensor([0.1 + 0.37 * i for i in range(256)], device=device)
    w = torch.zeros_like(gradient, requires_grad=True)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.5, centered=True)
    for _ in range(100):
        w.grad = gradient.clone()
        optimizer.step()
    lost = int((~w.isfinite()).sum())
    assert lost == 0, f"{lost} of 256 elements are not finite after 100 steps"
