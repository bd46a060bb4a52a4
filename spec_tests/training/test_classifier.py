"""The linear classifier written by hand, on ten points of three classes."""

import pytest
import torch

from fixtures import check
from fixtures.catalogue import data
from fixtures.catalogue.problems import TenPointClassifier
from fixtures.claims import claim
from fixtures.tolerances import STEPS

EPOCHS = 5
RATE = 0.01


def trained(device, epochs=EPOCHS):
    """Return the classifier after some epochs, and the loss before each of them and at the end."""
    model = TenPointClassifier(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    losses = []
    for _ in range(epochs):
        loss = model.loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, [*losses, model.loss().item()]


@claim("classifier.linear-map-by-hand")
def test_logits_have_a_column_for_each_class(device):
    model = TenPointClassifier(device)
    model.loss().backward()
    shapes = [
        model(torch.tensor(data.TEN_POINTS, device=device)),
        *(p.grad for p in model.parameters()),
    ]
    check.same(
        seen=[list(tensor.shape) for tensor in shapes],
        expected=[[10, 3], [3, 2], [3]],
        source="000-4",
    )


@claim("classifier.loss-falls-every-epoch")
def test_each_loss_is_below_the_one_before(device):
    _, losses = trained(device)
    assert losses == sorted(set(losses), reverse=True), losses


@claim("classifier.loss-falls-every-epoch")
def test_the_losses_are_the_recorded_ones(device, recorded):
    recorded(torch.tensor(trained(device)[1]))


@claim("classifier.means-stay")
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_the_sum_over_the_classes_does_not_move(name, device):
    before = getattr(TenPointClassifier(device), name).detach()
    after = getattr(trained(device)[0], name).detach()
    # The sums are of entries of up to 0.5: compared on that scale, beside a 1 that stays as it is.
    one = torch.ones(1, device=device)
    check.close(
        seen=torch.cat([one, after.sum(0).reshape(-1)]),
        expected=torch.cat([one, before.sum(0).reshape(-1)]),
        source="gradients that sum to 0 over the classes",
        tolerance=STEPS,
    )


@claim("classifier.bias-moves-by-less-than-the-rate")
def test_the_largest_move_is_within_the_rate(device):
    model, _ = trained(device, epochs=1)
    moves = model.bias.detach().abs()
    assert 0 < float(moves.max()) <= RATE, moves


@claim("classifier.bias-moves-by-less-than-the-rate")
def test_the_moves_cancel(device):
    model, _ = trained(device, epochs=1)
    total = model.bias.detach().sum() / model.bias.detach().abs().max()
    check.close(
        seen=1 + total, expected=torch.ones((), device=device), source="000-7", tolerance=STEPS
    )
