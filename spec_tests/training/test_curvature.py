"""LBFGS, which learns how a loss curves, beside SGD and Adam, which do not."""

import pytest
import torch

from fixtures.catalogue.document_problems import TEMPERATURES
from fixtures.claims import claim

# The smallest mean squared error is 2.927644..., computed by least squares.
GOAL = 2.927645 * 1.001
RIVALS = [
    pytest.param("SGD", 0.01, id="sgd.document"),
    # 2/(λ₁ + λ₂), at which both eigenvectors shrink by the same factor
    pytest.param("SGD", 0.032886, id="sgd.best"),
    *(pytest.param("Adam", rate, id=f"adam.lr={rate}") for rate in (0.001, 0.01, 0.1, 1.0)),
]


def evaluation(device):
    """Return parameters, and a function that evaluates the loss and its gradients at them."""
    t_u, t_c = TEMPERATURES.samples(device)
    params, losses = TEMPERATURES.start(device), []

    def evaluate():
        params.grad = None
        loss = TEMPERATURES.mean_square(params, t_u, t_c)
        loss.backward()
        losses.append(loss.item())
        return losses[-1]

    return params, evaluate, losses


@claim("training.lbfgs-needs-fewer-evaluations")
@pytest.mark.parametrize("line_search", [None, "strong_wolfe"], ids=["plain", "wolfe"])
def test_lbfgs_is_there_in_twenty_evaluations(line_search, device):
    params, evaluate, losses = evaluation(device)
    torch.optim.LBFGS([params], max_eval=19, line_search_fn=line_search).step(evaluate)
    assert min(losses[:19]) < GOAL, f"after {len(losses)} evaluations the loss is {losses[-1]}"


@claim("training.lbfgs-needs-fewer-evaluations")
@pytest.mark.parametrize("optimizer, rate", RIVALS)
def test_others_are_not_there_in_forty(optimizer, rate, device):
    params, evaluate, losses = evaluation(device)
    stepper = getattr(torch.optim, optimizer)([params], lr=rate)
    for _ in range(40):
        stepper.step(evaluate)
    assert min(losses) > GOAL, f"{optimizer} is there after {len(losses)} evaluations"
