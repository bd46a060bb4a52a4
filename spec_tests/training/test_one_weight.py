"""A chain of two weights of which one is trained, epoch by epoch."""

from functools import cache

import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.claims import claim

EPOCHS = 20


class SecondWeightTrains(torch.nn.Module):
    """x·w1·w2 with w1 a plain tensor, so that w2 alone is a parameter."""

    def __init__(self, device):
        super().__init__()
        self.w1 = torch.tensor([1.0], device=device)
        self.w2 = torch.nn.Parameter(torch.tensor([1.0], device=device))

    def forward(self, x):
        """Return the output, and keep the activation of the hidden neuron."""
        self.hidden = x * self.w1
        return self.hidden * self.w2


@cache
def trained(device):
    """Return losses (20,) and activations (20, 3) at each epoch, and both weights (20, 2) after it."""
    model = SecondWeightTrains(device)
    optimizer = torch.optim.SGD([model.w2], lr=0.01)
    x = torch.tensor([1.0], device=device)
    target = torch.tensor([2.0], device=device)
    losses, activations, weights = [], [], []
    for _ in range(EPOCHS):
        output = model(x)
        loss = (output - target) ** 2
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
        activations.append(torch.cat([x, model.hidden, output]).detach())
        weights.append(torch.cat([model.w1, model.w2]).detach())
    return {
        "losses": torch.cat(losses),
        "activations": torch.stack(activations),
        "weights": torch.stack(weights),
    }


@claim("chain.one-weight-trains")
def test_one_weight_stays_and_the_other_follows_the_closed_form(device):
    expected = [[1.0, 2 - 0.98**k] for k in range(1, EPOCHS + 1)]
    check.close(
        seen=trained(device)["weights"],
        expected=torch.tensor(expected),
        source="2 - 0.98^k",
        tolerance=STEPS,
    )


@claim("chain.one-weight-trains")
def test_the_last_weight_is_that_of_the_document(device):
    check.printed(
        seen=trained(device)["weights"][-1],
        exact=[1.0, 2 - 0.98**EPOCHS],
        expected=["1.00000", "1.33239"],
        source="002-16",
        tolerance=STEPS,
    )


@claim("chain.one-weight-trains")
def test_the_loss_follows_its_closed_form(device):
    check.close(
        seen=trained(device)["losses"],
        expected=torch.tensor([0.98 ** (2 * k) for k in range(EPOCHS)]),
        source="0.98^(2k)",
        tolerance=STEPS,
    )


@claim("chain.activations")
def test_the_activations_show_the_trained_weight(device, recorded):
    activations = trained(device)["activations"]
    check.close(
        seen=activations,
        expected=torch.tensor([[1.0, 1.0, 2 - 0.98**k] for k in range(EPOCHS)]),
        source="(1, 1, 2 - 0.98^k)",
        tolerance=STEPS,
    )
    recorded(activations)
