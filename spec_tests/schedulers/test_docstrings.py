"""The sequences of rates that torch's own docstrings show."""

import re

import pytest
import torch
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    SequentialLR,
    StepLR,
)

from fixtures.claims import claim

# As the docstrings build them, over an optimizer with the rate that they assume.
BUILT = {
    "StepLR": lambda o: StepLR(o, step_size=30, gamma=0.1),
    "MultiStepLR": lambda o: MultiStepLR(o, milestones=[30, 80], gamma=0.1),
    "ConstantLR": lambda o: ConstantLR(o, factor=0.5, total_iters=40),
    "LinearLR": lambda o: LinearLR(o, start_factor=0.05, total_iters=40),
    "SequentialLR": lambda o: SequentialLR(
        o,
        schedulers=[
            ConstantLR(o, factor=0.1, total_iters=20),
            ExponentialLR(o, gamma=0.9),
        ],
        milestones=[20],
    ),
    "ChainedScheduler": lambda o: ChainedScheduler(
        [ConstantLR(o, factor=0.1, total_iters=20), ExponentialLR(o, gamma=0.9)]
    ),
    "PolynomialLR": lambda o: PolynomialLR(o, total_iters=50, power=0.9),
}
ASSUMED = re.compile(r"Assuming optimizer uses lr = ([\d.]+)")
LINE = re.compile(r"# lr = ([\d.]+)\s+if (\d+ <= )?epoch (==|<|>=) (\d+)")
EPOCHS = 100


def promised(docstring):
    """Return (rate as written, the epochs at which it is promised) for each line."""
    found = []
    for text, lower, comparison, number in LINE.findall(docstring):
        first, last = {
            "==": (int(number), int(number) + 1),
            "<": (int(lower.split()[0]) if lower else 0, int(number)),
            ">=": (int(number), EPOCHS),
        }[comparison]
        found.append((text, range(first, last)))
    return found


def rates_by_epoch(build, rate):
    """Return the rate during each epoch of a training that steps the scheduler at its end."""
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=rate)
    scheduler = build(optimizer)
    rates = []
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def as_written(rate, text):
    """Whether a rate is the written one, to half a unit of its last digit or one unit if cut off."""
    return abs(rate - float(text)) < 10.0 ** -len(text.partition(".")[2])


@claim("schedules.as-the-docstrings-show")
@pytest.mark.parametrize("name", BUILT)
def test_the_rates_are_those_that_the_docstring_shows(name):
    docstring = getattr(lr_scheduler, name).__doc__
    rates = rates_by_epoch(BUILT[name], float(ASSUMED.search(docstring)[1]))
    lines = promised(docstring)
    wrong = [
        f"{text} is shown for epoch {epoch}, where the rate is {rates[epoch]:.6g}"
        for text, epochs in lines
        for epoch in epochs
        if not as_written(rates[epoch], text)
    ]
    assert (len(lines) > 2, wrong[:3]) == (True, []), "; ".join(wrong[:3]) or "no line was found"
