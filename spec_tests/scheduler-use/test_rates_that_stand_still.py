"""Rates in float32 tensors, whose digits swallow the small steps of a schedule."""

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.claims import claim

# What a step of the schedule takes from the rate, beside half of the gap below 1 of float32, 2**-25.
LESS, MORE = 0.9 * 2.0**-25, 2.5 * 2.0**-24
# Each multiplies the rate of the step before by a number that is so much less than 1.
SCHEDULES = {
    "ExponentialLR": lambda o, part: lr_scheduler.ExponentialLR(o, 1 - part),
    "StepLR": lambda o, part: lr_scheduler.StepLR(o, 1, 1 - part),
    "MultiStepLR": lambda o, part: lr_scheduler.MultiStepLR(o, range(1, 99), 1 - part),
    "MultiplicativeLR": lambda o, part: lr_scheduler.MultiplicativeLR(o, lambda _: 1 - part),
    "LinearLR": lambda o, part: lr_scheduler.LinearLR(o, 1.0, 0.0, round(1 / part)),
    "PolynomialLR": lambda o, part: lr_scheduler.PolynomialLR(o, round(1 / part)),
}


def scheduled(build, rate, part):
    """Return a rate after fifty steps of a schedule."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = build(optimizer, part)
    for _ in range(50):
        optimizer.step()
        scheduler.step()
    return float(optimizer.param_groups[0]["lr"])


@claim("rates.in-float32-tensors-stand-still")
@pytest.mark.parametrize("build", SCHEDULES.values(), ids=SCHEDULES)
def test_a_tensor_stands_still_where_a_number_falls(build):
    seen = {
        "tensor, less than half a gap": scheduled(build, torch.tensor(1.0), LESS) == 1.0,
        "number, less than half a gap": scheduled(build, 1.0, LESS) == 1.0,
        "tensor, more than half a gap": scheduled(build, torch.tensor(1.0), MORE) == 1.0,
    }
    check.same(
        seen=seen,
        expected=dict(zip(seen, [True, False, False], strict=True)),
        source="1 - part, rounded to float32 and to float64",
    )
