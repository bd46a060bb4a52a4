"""A step of plain SGD, and the same written by hand."""

from functools import cache

import pytest
import torch

from fixtures import check
from fixtures.catalogue import data
from fixtures.catalogue.problems import TEMPERATURES, ChainedWeights
from fixtures.claims import claim
from fixtures.tolerances import CONTRACTED, LOOP, STEPS

EPOCHS, RATE, EVERY = 5000, 0.01, 500

# 001-5 and 001-11: what both loops print at every 500th epoch.
LOSSES = (
    7.860115, 3.828538, 3.092191, 2.957698, 2.933134, 2.928648, 2.927830, 2.927679, 2.927652, 2.927647,
)  # fmt: skip
PARAMETERS = (
    "4.0443", "-9.8133", "4.8021", "-14.1031", "5.1260", "-15.9365", "5.2644", "-16.7200",
    "5.3236", "-17.0549", "5.3489", "-17.1980", "5.3597", "-17.2591", "5.3643", "-17.2853",
    "5.3662", "-17.2964", "5.3671", "-17.3012",
)  # fmt: skip
# To epoch 4000; the last pair, of epoch 5000, to as many digits as rounding leaves it.
GRADIENTS = (
    "-0.2252", "1.2748", "-0.0962", "0.5448", "-0.0411", "0.2328", "-0.0176", "0.0995",
    "-0.0075", "0.0425", "-0.0032", "0.0182", "-0.0014", "0.0078", "-0.0006", "0.0033",
)  # fmt: skip
LAST_GRADIENT = ("-0.0001", "0.0006")


@cache
def loop_of_sgd(device):
    """Return losses (10,), parameters (10, 2) and gradients (10, 2) at every 500th epoch."""
    t_u = torch.tensor(data.T_UNKNOWN, device=device) * TEMPERATURES.scale
    t_c = torch.tensor(data.T_CELSIUS, device=device)
    parameters = TEMPERATURES.start(device)
    optimizer = torch.optim.SGD([parameters], lr=RATE)
    moments = []
    for epoch in range(1, EPOCHS + 1):
        w, b = parameters
        loss = ((w * t_u + b - t_c) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % EVERY == 0:
            moments.append((loss.detach(), parameters.detach().clone(), parameters.grad))
    losses, values, gradients = zip(*moments, strict=True)
    return {
        "losses": torch.stack(losses),
        "parameters": torch.stack(values),
        "gradients": torch.stack(gradients),
    }


@cache
def loop_in_plain_python():
    """Return the same without torch: the derivatives written out, in float64."""
    inputs = [u * TEMPERATURES.scale for u in data.T_UNKNOWN]
    samples = list(zip(inputs, data.T_CELSIUS, strict=True))
    n, w, b, moments = len(samples), 1.0, 0.0, []
    for epoch in range(1, EPOCHS + 1):
        errors = [w * u + b - c for u, c in samples]
        slope = 2 / n * sum(e * u for e, (u, _) in zip(errors, samples, strict=True))
        offset = 2 / n * sum(errors)
        w, b = w - RATE * slope, b - RATE * offset
        if epoch % EVERY == 0:
            moments.append((sum(e * e for e in errors) / n, (w, b), (slope, offset)))
    losses, values, gradients = zip(*moments, strict=True)
    return {
        "losses": torch.tensor(losses),
        "parameters": torch.tensor(values),
        "gradients": torch.tensor(gradients),
    }


@claim("step.is-the-update-by-hand")
@pytest.mark.parametrize("rate", [0.01, 1e-5, 1.0], ids=["lr=0.01", "lr=0.00001", "lr=1"])
def test_a_step_does_what_a_loop_over_the_parameters_does(rate, device):
    by_hand, by_sgd = ChainedWeights.start(device), ChainedWeights.start(device)
    ChainedWeights.loss(by_hand).backward()
    for p in by_hand:
        p.data -= rate * p.grad
    ChainedWeights.loss(by_sgd).backward()
    torch.optim.SGD(by_sgd, lr=rate).step()
    check.close(seen=by_sgd, expected=by_hand, source="p.data -= lr * p.grad", tolerance=STEPS)


@claim("step.is-the-update-by-hand")
def test_a_step_from_3_4_5_ends_where_the_gradients_say(device):
    weights = ChainedWeights.start(device)
    ChainedWeights.loss(weights).backward()
    torch.optim.SGD(weights, lr=0.01).step()
    # 3, 4, 5 less a hundredth of the gradients of 002-4: 9520, 7140, 5712
    check.printed(seen=weights, expected=["-92.20", "-67.40", "-52.12"], source="002-13")


@claim("step.loops-as-the-update-by-hand-does")
def test_the_loop_gives_the_printed_parameters(device):
    seen = loop_of_sgd(device)["parameters"]
    # One of them lies 3 ulps from the edge between two digits.
    check.printed(seen=seen, expected=PARAMETERS, source="001-5 and 001-11", rounding=CONTRACTED)


@claim("step.loops-as-the-update-by-hand-does")
def test_the_loop_gives_the_printed_gradients(device):
    seen = loop_of_sgd(device)["gradients"]
    printed = [seen[:8], seen[-1]]
    check.printed(seen=printed, expected=(*GRADIENTS, *LAST_GRADIENT), source="001-11")


@claim("step.loops-as-the-update-by-hand-does")
def test_the_loop_gives_the_printed_losses(device):
    check.close(
        seen=loop_of_sgd(device)["losses"],
        expected=torch.tensor(LOSSES),
        source="printed by the document, 001-5",
        tolerance=LOOP,
    )


@claim("step.loops-as-the-update-by-hand-does")
def test_the_loop_goes_where_the_derivatives_lead(device, recorded):
    seen = loop_of_sgd(device)
    check.close(
        seen=seen,
        expected=loop_in_plain_python(),
        source="the derivatives written out, in float64",
        tolerance=LOOP,
    )
    recorded(seen, tolerance=LOOP)
