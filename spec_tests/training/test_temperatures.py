"""The temperature regression: loops of thousands of epochs, and the values printed on the way."""

from functools import cache

import torch

from fixtures import check
from fixtures.catalogue import data
from fixtures.claims import claim
from fixtures.tolerances import LOOP

BY_HAND = (
    7.860115,
    3.828538,
    3.092191,
    2.957698,
    2.933134,
    2.928648,
    2.927830,
    2.927679,
    2.927652,
    2.927647,
)
BY_ADAM = (7.612898, 3.086700, 2.928579, 2.927644)
FIRST_EPOCHS = ("97.13", "4.91", "39.57", "7.70", "32.78", "15.87")
EVERY_500TH = (
    "8.48", "2.64", "3.96", "1.44", "3.11", "2.29", "2.94", "2.92", "2.91", "3.24", "2.91", "3.39",
)  # fmt: skip


def samples(device, scale, indices=range(11)):
    """Return input and target of some samples."""
    t_u = torch.tensor([data.T_UNKNOWN[i] for i in indices], device=device)
    return t_u * scale, torch.tensor([data.T_CELSIUS[i] for i in indices], device=device)


def mean_square(parameters, t_u, t_c):
    w, b = parameters
    return ((w * t_u + b - t_c) ** 2).mean()


def start(device):
    return torch.tensor([1.0, 0.0], device=device, requires_grad=True)


@cache
def by_hand(device, epochs=5000, rate=1e-2):
    """Return the parameters of the loop without an optimizer, and every 500th loss."""
    t_u, t_c = samples(device, 0.1)
    parameters, losses = start(device), []
    for epoch in range(1, epochs + 1):
        loss = mean_square(parameters, t_u, t_c)
        loss.backward()
        parameters = (parameters - rate * parameters.grad).detach().requires_grad_()
        losses += [loss.detach()] if epoch % 500 == 0 else []
    return parameters.detach(), torch.stack(losses)


@cache
def by_adam(device, epochs=2000):
    """Return the parameters after training on the input as measured, and every 500th loss."""
    t_u, t_c = samples(device, 1.0)
    parameters, losses = start(device), []
    optimizer = torch.optim.Adam([parameters], lr=1e-1)
    for epoch in range(1, epochs + 1):
        loss = mean_square(parameters, t_u, t_c)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += [loss.detach()] if epoch % 500 == 0 else []
    return parameters.detach(), torch.stack(losses)


@cache
def validated(device, epochs=3000):
    """Return the parameters trained on nine samples, and (training, validation) loss by epoch."""
    training = samples(device, 0.1, data.TRAIN_INDICES)
    validation = samples(device, 0.1, data.VALIDATION_INDICES)
    parameters, losses = start(device), {}
    optimizer = torch.optim.SGD([parameters], lr=1e-2)
    for epoch in range(1, epochs + 1):
        loss = mean_square(parameters, *training)
        if epoch <= 3 or epoch % 500 == 0:
            with torch.no_grad():
                losses[epoch] = torch.stack([loss, mean_square(parameters, *validation)]).detach()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return parameters.detach(), losses


@claim("temperatures.by-hand")
def test_the_loop_by_hand_ends_at_the_printed_parameters(device):
    check.printed(seen=by_hand(device)[0], expected=["5.3671", "-17.3012"], source="001-5")


@claim("temperatures.by-hand")
def test_the_loop_by_hand_passes_the_printed_losses(device):
    check.close(
        seen=by_hand(device)[1],
        expected=torch.tensor(BY_HAND),
        source="printed by the document, 001-5",
        tolerance=LOOP,
    )


@claim("temperatures.by-hand")
def test_the_loop_by_hand_is_as_recorded(device, recorded):
    parameters, losses = by_hand(device)
    recorded({"parameters": parameters, "losses": losses}, tolerance=LOOP)


@claim("temperatures.adam-needs-no-normalised-input")
def test_adam_ends_at_the_printed_parameters(device):
    check.printed(seen=by_adam(device)[0], expected=["0.5367", "-17.3021"], source="001-13")


@claim("temperatures.adam-needs-no-normalised-input")
def test_adam_passes_the_printed_losses(device):
    check.close(
        seen=by_adam(device)[1],
        expected=torch.tensor(BY_ADAM),
        source="printed by the document, 001-13",
        tolerance=LOOP,
    )


@claim("temperatures.adam-needs-no-normalised-input")
def test_adam_is_as_recorded(device, recorded):
    parameters, losses = by_adam(device)
    recorded({"parameters": parameters, "losses": losses}, tolerance=LOOP)


@claim("temperatures.sgd-needs-normalised-input")
def test_sgd_diverges_on_the_input_as_measured(device):
    t_u, t_c = samples(device, 1.0)
    parameters = start(device)
    optimizer = torch.optim.SGD([parameters], lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        mean_square(parameters, t_u, t_c).backward()
        optimizer.step()
    assert not bool(parameters.isfinite().any()), parameters


@claim("temperatures.random-split")
def test_a_split_of_randperm_is_disjoint_and_complete():
    shuffled = torch.randperm(11).tolist()
    held_out = int(0.2 * 11)
    training, validation = shuffled[:-held_out], shuffled[-held_out:]
    check.same(
        seen=[len(training), len(validation), sorted(training + validation)],
        expected=[9, 2, list(range(11))],
        source="001-14",
    )


@claim("temperatures.validation")
def test_the_first_epochs_have_the_printed_losses(device):
    losses = validated(device)[1]
    check.printed(
        seen=[losses[epoch] for epoch in (1, 2, 3)], expected=FIRST_EPOCHS, source="001-15"
    )


@claim("temperatures.validation")
def test_every_500th_epoch_has_the_printed_losses(device):
    losses = validated(device)[1]
    check.printed(
        seen=[losses[epoch] for epoch in range(500, 3001, 500)],
        expected=EVERY_500TH,
        source="001-15",
    )


@claim("temperatures.validation")
def test_training_on_nine_samples_ends_at_the_printed_parameters(device):
    check.printed(seen=validated(device)[0], expected=["5.4996", "-18.1371"], source="001-15")


@claim("temperatures.overfitting-shows")
def test_the_two_losses_part(device):
    losses = validated(device)[1]
    training, validation = zip(
        *(losses[epoch].tolist() for epoch in range(1000, 3001, 500)), strict=True
    )
    check.same(
        seen=[list(training), list(validation)],
        expected=[sorted(training, reverse=True), sorted(validation)],
        source="001-19: one falls, the other rises",
    )
