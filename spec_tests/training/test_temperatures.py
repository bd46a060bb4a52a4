"""The temperature regression: loops of thousands of epochs, and the values printed on the way."""

from functools import cache

import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import (
    ADAM_LOOP,
    ADAM_LOOP_GRADIENTS,
    ADAM_LOOP_LOSSES,
    DESCENT,
    DESCENT_GRADIENTS,
    DESCENT_LOSSES,
)
from fixtures.catalogue import document_data
from fixtures.catalogue.document_problems import RAW_TEMPERATURES, TEMPERATURES
from fixtures.claims import claim
from fixtures.oracles.adam import Adam
from fixtures.oracles.sgd import SGD

EVERY = 500

# 001-5, printed at every 500th epoch of 5000.
PARAMETERS_BY_HAND = (
    "4.0443", "-9.8133", "4.8021", "-14.1031", "5.1260", "-15.9365", "5.2644", "-16.7200",
    "5.3236", "-17.0549", "5.3489", "-17.1980", "5.3597", "-17.2591", "5.3643", "-17.2853",
    "5.3662", "-17.2964", "5.3671", "-17.3012",
)  # fmt: skip
# 001-13, printed at every 500th epoch of 2000.
LOSSES_OF_ADAM = ("7.612898", "3.086700", "2.928579", "2.927644")
PARAMETERS_OF_ADAM = (
    "0.4081", "-10.0095", "0.5131", "-15.9629", "0.5350", "-17.2021", "0.5367", "-17.3021",
)  # fmt: skip
GRADIENTS_OF_ADAM = (
    "-1.1790", "1.2604", "-0.2160", "0.2322", "-0.0169", "0.0178", "-0.0007", "0.0005",
)  # fmt: skip


@cache
def by_hand(device):
    """Return losses (10,), parameters (10, 2) and gradients (10, 2) at every 500th epoch."""
    t_u, t_c = TEMPERATURES.samples(device)
    params, moments = TEMPERATURES.start(device), []
    for epoch in range(1, 5001):
        loss = TEMPERATURES.mean_square(params, t_u, t_c)
        loss.backward()
        gradient = params.grad
        params = (params - 1e-2 * gradient).detach().requires_grad_()
        if epoch % EVERY == 0:
            moments.append((loss.detach(), params.detach(), gradient))
    return stacked(moments)


@cache
def by_adam(device):
    """Return losses (4,), parameters (4, 2) and gradients (4, 2) at every 500th epoch."""
    t_u, t_c = RAW_TEMPERATURES.samples(device)
    params, moments = RAW_TEMPERATURES.start(device), []
    optimizer = torch.optim.Adam([params], lr=1e-1)
    for epoch in range(1, 2001):
        loss = RAW_TEMPERATURES.mean_square(params, t_u, t_c)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % EVERY == 0:
            moments.append((loss.detach(), params.detach().clone(), params.grad))
    return stacked(moments)


def stacked(moments):
    losses, parameters, gradients = zip(*moments, strict=True)
    return {
        "losses": torch.stack(losses),
        "parameters": torch.stack(parameters),
        "gradients": torch.stack(gradients),
    }


@cache
def exact_by_hand():
    """Return the same as by_hand() without torch, in float64."""
    return TEMPERATURES.moments(SGD(lr=1e-2), 5000, EVERY)


@cache
def exact_by_adam():
    """Return the same as by_adam() without torch, in float64."""
    return RAW_TEMPERATURES.moments(Adam(lr=1e-1), 2000, EVERY)


@claim("temperatures.by-hand")
def test_the_loop_by_hand_goes_where_the_derivatives_lead(device, recorded):
    seen = dict(by_hand(device))
    gradients = seen.pop("gradients")
    check.close(
        seen=gradients,
        expected=exact_by_hand()["gradients"].float(),
        source="the derivatives written out, in float64",
        tolerance=DESCENT_GRADIENTS,
    )
    recorded(gradients, tolerance=DESCENT_GRADIENTS)
    recorded(seen, tolerance=DESCENT)


@claim("temperatures.by-hand")
def test_the_loop_by_hand_ends_at_the_printed_parameters(device):
    check.printed(
        seen=by_hand(device)["parameters"][-1],
        exact=exact_by_hand()["parameters"][-1],
        expected=PARAMETERS_BY_HAND[-2:],
        source="001-5",
        tolerance=DESCENT,
    )


@claim("temperatures.by-hand-printed-values")
def test_the_loop_by_hand_has_the_course_of_the_printed_parameters(device):
    check.printed(
        seen=by_hand(device)["parameters"],
        exact=exact_by_hand()["parameters"],
        expected=PARAMETERS_BY_HAND,
        source="001-5",
        tolerance=DESCENT,
    )


@claim("temperatures.by-hand-printed-values")
def test_the_loop_by_hand_has_the_course_of_the_printed_losses(device):
    check.printed(
        seen=by_hand(device)["losses"],
        exact=exact_by_hand()["losses"],
        expected=document_data.LOSSES_BY_HAND,
        source="001-5",
        tolerance=DESCENT_LOSSES,
    )


@claim("temperatures.adam-fits-raw-input")
def test_adam_goes_where_its_oracle_goes(device, recorded):
    seen = dict(by_adam(device))
    check.close(
        seen=seen.pop("gradients"),
        expected=exact_by_adam()["gradients"].float(),
        source="fixtures/oracles/adam.py",
        tolerance=ADAM_LOOP_GRADIENTS,
    )
    recorded(seen, tolerance=ADAM_LOOP_LOSSES)


@claim("temperatures.adam-fits-raw-input")
def test_adam_passes_the_printed_losses(device):
    check.printed(
        seen=by_adam(device)["losses"],
        exact=exact_by_adam()["losses"],
        expected=LOSSES_OF_ADAM,
        source="001-13",
        tolerance=ADAM_LOOP_LOSSES,
    )


@claim("temperatures.adam-fits-raw-input")
def test_adam_passes_the_printed_gradients(device):
    check.printed(
        seen=by_adam(device)["gradients"],
        exact=exact_by_adam()["gradients"],
        expected=GRADIENTS_OF_ADAM,
        source="001-13",
        tolerance=ADAM_LOOP_GRADIENTS,
    )


@claim("temperatures.adam-printed-values")
def test_adam_has_the_course_of_the_printed_parameters(device):
    check.printed(
        seen=by_adam(device)["parameters"],
        exact=exact_by_adam()["parameters"],
        expected=PARAMETERS_OF_ADAM,
        source="001-13",
        tolerance=ADAM_LOOP,
    )
