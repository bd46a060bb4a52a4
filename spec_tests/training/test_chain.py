"""The chain of three weights, and its exercise with one of them fixed."""

import torch

from fixtures import check
from fixtures.catalogue.problems import ChainedWeights
from fixtures.claims import claim
from fixtures.tolerances import STEPS

EPOCHS = 20


def trained(device, rate, rounds):
    weights = ChainedWeights.start(device)
    optimizer = torch.optim.SGD(weights, lr=rate)
    for _ in range(rounds):
        ChainedWeights.loss(weights).backward()
        optimizer.step()
        optimizer.zero_grad()
    return weights


class OneTrainedWeight(torch.nn.Module):
    """x·w1·w2 with w1 a plain tensor, so that w2 alone is a parameter."""

    def __init__(self, device):
        super().__init__()
        self.w1 = torch.tensor([1.0], device=device)
        self.w2 = torch.nn.Parameter(torch.tensor([1.0], device=device))

    def forward(self, x):
        self.hidden = x * self.w1
        return self.hidden * self.w2


def with_one_weight(device):
    """Return the module after 20 epochs, the activations at each, and w2 after each."""
    module = OneTrainedWeight(device)
    optimizer = torch.optim.SGD([module.w2], lr=0.01)
    x = torch.tensor([1.0], device=device)
    activations, weights = [], []
    for _ in range(EPOCHS):
        output = module(x)
        ((output - 2.0) ** 2).backward()
        optimizer.step()
        optimizer.zero_grad()
        activations.append(torch.cat([x, module.hidden, output]).detach())
        weights.append(module.w2.detach().clone())
    return module, torch.stack(activations), torch.cat(weights)


@claim("chain.diverges-at-the-printed-rate")
def test_one_step_overshoots(device):
    check.printed(
        seen=trained(device, 0.01, 1), expected=["-92.2", "-67.4", "-52.12"], source="002-13"
    )


@claim("chain.diverges-at-the-printed-rate")
def test_nothing_finite_is_left_of_a_hundred_rounds(device):
    weights = torch.cat(trained(device, 0.01, 100)).detach()
    assert not bool(weights.isfinite().any()), weights


@claim("chain.converges-at-a-small-rate")
def test_the_output_reaches_the_target(device):
    weights = trained(device, 1e-5, 2000)
    assert float(ChainedWeights.loss(weights).detach()) < 1e-6, weights


@claim("chain.one-weight-trains")
def test_the_parameter_follows_its_closed_form(device):
    module, _, weights = with_one_weight(device)
    check.close(
        seen=torch.cat([module.w1, weights]),
        expected=torch.tensor([1.0] + [2 - 0.98**k for k in range(1, EPOCHS + 1)]),
        source="closed form 2 - 0.98^k",
        tolerance=STEPS,
    )


@claim("chain.one-weight-trains")
def test_the_last_value_is_that_of_the_document(device):
    check.printed(seen=with_one_weight(device)[2][-1], expected="1.33239", source="002-16")


@claim("chain.activations")
def test_the_output_neuron_shows_the_weight(device):
    check.close(
        seen=with_one_weight(device)[1],
        expected=torch.tensor([[1.0, 1.0, 2 - 0.98**k] for k in range(EPOCHS)]),
        source="closed form (1, 1, 2 - 0.98^k)",
        tolerance=STEPS,
    )


@claim("chain.activations")
def test_the_activations_are_as_recorded(device, recorded):
    recorded(with_one_weight(device)[1])
