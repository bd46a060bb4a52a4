"""What LBFGS asks of its closure.

All on parabolas f(x) = (x - c)², from x = 0 with a rate of 1 and two iterations. The first iteration
moves x by 1 against the gradient. The second divides the gradient by the curvature, which it takes to be
the change of the gradient over the change of x: for one parabola this leads to c exactly.
"""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training


def clear(x, _):
    x.grad = None


def run_backward(_, loss):
    loss.backward()


# The duties that a closure does, with c = 4, and where that leads.
# Complete: gradients -8 at 0 and -6 at 1, curvature 2, so x = 1 + 6 / 2.
# Not clearing: the second gradient is -8 - 6, the curvature negative and not believed, x = 1 + 14.
# No backward: no gradient, nowhere to go.
DUTIES = {
    "complete": ((clear, run_backward), 4.0),
    "not_cleared": ((run_backward,), 15.0),
    "no_backward": ((clear,), 0.0),
}

# c at the first evaluation and at the second, and where that leads.
# 4 and 4: as above.
# 4 and 3: gradients -8 at 0 and -4 at 1, taken for a curvature of 4, so x = 1 + 4 / 4.
# 3 and 4.5: gradients -6 and -7, taken for a negative curvature and not believed, so x = 1 + 7.
CENTRES = (
    ((4.0, 4.0), 4.0),
    ((4.0, 3.0), 2.0),
    ((3.0, 4.5), 8.0),
)


def two_iterations(x, closure):
    torch.optim.LBFGS([x], lr=1, max_iter=2, max_eval=4).step(closure)
    return x


@claim("closures.lbfgs-needs-one")
@optimizers.each(which="needs_closure", every_preset=True)
def test_a_step_without_a_closure_is_an_error(case, device):
    training = Training(case, device)
    training.backward()
    with pytest.raises(TypeError, match="closure"):
        training.optimizer.step()


@claim("closures.lbfgs-needs-each-part")
@pytest.mark.parametrize("duties, end", DUTIES.values(), ids=DUTIES)
def test_lbfgs_finds_the_minimum_with_a_complete_closure_only(duties, end, device):
    x = torch.zeros(1, device=device, requires_grad=True)

    def closure():
        loss = ((x - 4.0) ** 2).sum()
        for duty in duties:
            duty(x, loss)
        return loss.item()

    check.close(
        seen=two_iterations(x, closure),
        expected=torch.tensor([end], device=device),
        source="the two iterations, worked out by hand",
        tolerance=STEPS,
    )


@claim("closures.lbfgs-needs-each-part")
def test_a_closure_of_lbfgs_that_returns_nothing_is_an_error(device):
    x = torch.zeros(1, device=device, requires_grad=True)

    def closure():
        ((x - 4.0) ** 2).sum().backward()

    with pytest.raises(TypeError, match="NoneType"):
        two_iterations(x, closure)


@claim("closures.lbfgs-needs-a-fixed-function")
@pytest.mark.parametrize("centres, end", CENTRES, ids=["same", "lower", "higher"])
def test_lbfgs_takes_the_change_between_evaluations_for_curvature(centres, end, device):
    x, batches = torch.zeros(1, device=device, requires_grad=True), iter(centres)

    def closure():
        x.grad = None
        loss = ((x - next(batches)) ** 2).sum()
        loss.backward()
        return loss.item()

    check.close(
        seen=two_iterations(x, closure),
        expected=torch.tensor([end], device=device),
        source="the two iterations, worked out by hand",
        tolerance=STEPS,
    )
