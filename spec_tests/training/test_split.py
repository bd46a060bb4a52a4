"""Training on some samples, validation on others: the split, the two losses, and what they tell."""

from functools import cache

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import DESCENT, DESCENT_LOSSES
from fixtures.catalogue.document_data import TRAIN_INDICES, VALIDATION_INDICES
from fixtures.catalogue.document_problems import TEMPERATURES
from fixtures.claims import claim
from fixtures.oracles.sgd import SGD

EPOCHS = 3000
PRINTED_EPOCHS = (1, 2, 3, *range(500, EPOCHS + 1, 500))
# 001-15: training and validation loss at these epochs.
PRINTED_LOSSES = (
    "97.13", "4.91", "39.57", "7.70", "32.78", "15.87", "8.48", "2.64", "3.96", "1.44",
    "3.11", "2.29", "2.94", "2.92", "2.91", "3.24", "2.91", "3.39",
)  # fmt: skip


@cache
def trained(device):
    """Return the losses (9, 2) at the printed epochs, training and validation, and (w, b)."""
    training = TEMPERATURES.samples(device, TRAIN_INDICES)
    validation = TEMPERATURES.samples(device, VALIDATION_INDICES)
    params, losses = TEMPERATURES.start(device), []
    optimizer = torch.optim.SGD([params], lr=1e-2)
    for epoch in range(1, EPOCHS + 1):
        loss = TEMPERATURES.mean_square(params, *training)
        if epoch in PRINTED_EPOCHS:
            with torch.no_grad():
                losses += [loss.detach(), TEMPERATURES.mean_square(params, *validation)]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"losses": torch.stack(losses).reshape(-1, 2), "parameters": params.detach()}


@cache
def in_plain_python():
    """Return the same without torch, in float64."""
    course = TEMPERATURES.course(SGD(lr=1e-2), EPOCHS, TRAIN_INDICES)
    before = [[1.0, 0.0], *(theta for _, _, theta in course)]
    losses = [
        [TEMPERATURES.by_hand(before[epoch - 1], part)[0] for part in (TRAIN_INDICES, VALIDATION_INDICES)]
        for epoch in PRINTED_EPOCHS
    ]  # fmt: skip
    return {"losses": losses, "parameters": before[-1]}


@claim("temperatures.random-split")
@pytest.mark.parametrize("samples", [1, 2, 11, 1000])
def test_a_permutation_has_every_index_once(samples, device):
    permutation = torch.randperm(samples, device=device)
    check.same(
        seen=permutation.sort().values,
        expected=torch.arange(samples),
        source="the indices in order",
    )


@claim("temperatures.random-split")
def test_eleven_samples_are_split_into_nine_and_two(device):
    shuffled = torch.randperm(11, device=device).cpu().tolist()
    n_val = int(0.2 * 11)
    training, validation = shuffled[:-n_val], shuffled[-n_val:]
    check.same(
        seen=[len(training), len(validation), sorted(training + validation)],
        expected=[9, 2, list(range(11))],
        source="001-14",
    )


@claim("temperatures.validation")
def test_both_losses_are_the_printed_ones(device):
    check.printed(
        seen=trained(device)["losses"],
        exact=in_plain_python()["losses"],
        expected=PRINTED_LOSSES,
        source="001-15",
        tolerance=DESCENT_LOSSES,
    )


@claim("temperatures.validation")
def test_training_on_nine_samples_ends_at_the_printed_parameters(device):
    check.printed(
        seen=trained(device)["parameters"],
        exact=in_plain_python()["parameters"],
        expected=["5.4996", "-18.1371"],
        source="001-15",
        tolerance=DESCENT,
    )


@claim("temperatures.validation")
def test_the_split_loop_goes_where_the_derivatives_lead(device, recorded):
    check.close(
        seen=trained(device),
        expected={name: torch.tensor(values) for name, values in in_plain_python().items()},
        source="the derivatives written out, in float64",
        tolerance=DESCENT,
    )
    recorded(trained(device), tolerance=DESCENT)


@claim("temperatures.overfitting-shows")
def test_the_training_loss_falls_while_the_validation_loss_rises(device):
    training, validation = trained(device)["losses"][-5:].T.cpu().tolist()
    check.same(
        seen=[training, validation],
        expected=[sorted(set(training), reverse=True), sorted(set(validation))],
        source="001-19: at the epochs 1000 to 3000 one falls and the other rises",
    )
