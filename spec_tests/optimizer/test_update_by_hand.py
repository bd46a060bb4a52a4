"""A step of plain SGD, and the same written by hand."""

from functools import cache

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import DESCENT, DESCENT_GRADIENTS, DESCENT_LOSSES, STEPS
from fixtures.catalogue import document_data
from fixtures.catalogue.document_problems import TEMPERATURES, ChainedWeights
from fixtures.claims import claim
from fixtures.oracles.sgd import SGD

EPOCHS, RATE, EVERY = 5000, 0.01, 500

# 001-5 and 001-11: what both loops print at every 500th epoch.
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
    t_u = torch.tensor(document_data.T_UNKNOWN, device=device) * TEMPERATURES.scale
    t_c = torch.tensor(document_data.T_CELSIUS, device=device)
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
    """Return the same without torch, in float64."""
    return TEMPERATURES.moments(SGD(lr=RATE), EPOCHS, EVERY)


@claim("step.sgd-equals-update-by-hand")
@pytest.mark.parametrize("rate", [0.01, 1e-5, 1.0], ids=["lr=0.01", "lr=0.00001", "lr=1"])
def test_a_step_does_what_a_loop_over_the_parameters_does(rate, device):
    by_hand, by_sgd = ChainedWeights.start(device), ChainedWeights.start(device)
    ChainedWeights.loss(by_hand).backward()
    for p in by_hand:
        p.data -= rate * p.grad
    ChainedWeights.loss(by_sgd).backward()
    torch.optim.SGD(by_sgd, lr=rate).step()
    check.close(seen=by_sgd, expected=by_hand, source="p.data -= lr * p.grad", tolerance=STEPS)


@claim("step.sgd-equals-update-by-hand")
def test_a_step_from_3_4_5_ends_where_the_gradients_say(device):
    weights = ChainedWeights.start(device)
    ChainedWeights.loss(weights).backward()
    torch.optim.SGD(weights, lr=0.01).step()
    check.printed(
        seen=weights,
        # 3, 4, 5 less a hundredth of the gradients of 002-4: 9520, 7140, 5712
        exact=ChainedWeights.course(SGD(lr=0.01), 1),
        expected=["-92.20", "-67.40", "-52.12"],
        source="002-13",
        tolerance=STEPS,
    )


@claim("step.sgd-loop-equals-update-by-hand")
def test_the_loop_gives_the_printed_parameters(device):
    check.printed(
        seen=loop_of_sgd(device)["parameters"],
        exact=loop_in_plain_python()["parameters"],
        expected=PARAMETERS,
        source="001-5 and 001-11",
        tolerance=DESCENT,
    )


@claim("step.sgd-loop-equals-update-by-hand")
def test_the_loop_gives_the_printed_gradients(device):
    seen, exact = loop_of_sgd(device)["gradients"], loop_in_plain_python()["gradients"]
    check.printed(
        seen=[seen[:8], seen[-1]],
        exact=[exact[:8], exact[-1]],
        expected=(*GRADIENTS, *LAST_GRADIENT),
        source="001-11",
        tolerance=DESCENT_GRADIENTS,
    )


@claim("step.sgd-loop-equals-update-by-hand")
def test_the_loop_gives_the_printed_losses(device):
    check.printed(
        seen=loop_of_sgd(device)["losses"],
        exact=loop_in_plain_python()["losses"],
        expected=document_data.LOSSES_BY_HAND,
        source="001-5",
        tolerance=DESCENT_LOSSES,
    )


@claim("step.sgd-loop-equals-update-by-hand")
def test_the_loop_goes_where_the_derivatives_lead(device, recorded):
    seen = dict(loop_of_sgd(device))
    gradients = seen.pop("gradients")
    check.close(
        seen=gradients,
        expected=loop_in_plain_python()["gradients"].float(),
        source="the derivatives written out, in float64",
        tolerance=DESCENT_GRADIENTS,
    )
    recorded(gradients, tolerance=DESCENT_GRADIENTS)
    recorded(seen, tolerance=DESCENT)
