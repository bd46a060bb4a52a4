"""ReduceLROnPlateau beside another scheduler on one optimizer."""

import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue import schedulers
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.runs.schedule_steps import rates_of, two_groups

FACTOR, STEPS = 0.5, 9
# A metric that stops improving twice, and the steps at which a patience of 1 then runs out.
METRICS = (1.0, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.4, 0.3)
REDUCED = {3, 6}


def seen_beside(schedule, plateau_first):
    """Return the rates after each round of both schedulers."""
    optimizer, seen = two_groups(), []
    other = schedule.build(optimizer)
    plateau = ReduceLROnPlateau(optimizer, factor=FACTOR, patience=1)
    for metric in METRICS:
        optimizer.step()
        steps = [lambda: plateau.step(metric), other.step]  # noqa: B023 - called at once
        for step in steps if plateau_first else reversed(steps):
            step()
        seen.append(rates_of(optimizer))
    return seen


def moved_beside(schedule, plateau_first):
    """Return the rates by what a step of either makes of the rate that it finds."""
    rates = [schedule.move(0, rate, rate, group) for group, rate in enumerate(RATES)]
    courses = []
    for t in range(1, STEPS + 1):
        factor = FACTOR if t - 1 in REDUCED else 1.0
        before, after = (factor, 1.0) if plateau_first else (1.0, factor)
        rates = [
            after * schedule.move(t, before * rate, RATES[group], group)
            for group, rate in enumerate(rates)
        ]
        courses.append(rates)
    return courses


def check_beside(schedule):
    __tracebackhide__ = True
    orders = {"plateau first": True, "plateau last": False}
    check.close(
        seen={w: torch.tensor(seen_beside(schedule, o), dtype=torch.float64) for w, o in orders.items()},
        expected={
            w: torch.tensor(moved_beside(schedule, o), dtype=torch.float64) for w, o in orders.items()
        },
        source="the steps of either, one after the other, on the rate that the last one left",
        tolerance=SCHEDULE,
    )  # fmt: skip


@claim("rates.plateau-multiplies-beside-another")
@schedulers.each(which="is_of_lr_scheduler", but="overwrites_the_rate")
def test_both_multiply_the_rate_that_they_find(schedule):
    check_beside(schedule)


@claim("rates.plateau-is-undone-by-another")
@schedulers.each(which=("is_of_lr_scheduler", "overwrites_the_rate"))
def test_a_reduction_lasts_until_the_other_scheduler_writes_the_rate(schedule):
    check_beside(schedule)


@claim("rates.plateau-multiplies-beside-another")
@pytest.mark.parametrize("plateau_first", [True, False], ids=["first", "last"])
def test_two_of_them_multiply(plateau_first):
    optimizer, seen = two_groups(), []
    both = [ReduceLROnPlateau(optimizer, factor=factor, patience=1) for factor in (0.5, 0.25)]
    for metric in METRICS:
        optimizer.step()
        for plateau in both if plateau_first else both[::-1]:
            plateau.step(metric)
        seen.append(rates_of(optimizer))
    falls = [sum(t >= at for at in REDUCED) for t in range(STEPS)]
    check.same(
        seen=seen,
        expected=[[rate * 0.125**fallen for rate in RATES] for fallen in falls],
        source="an eighth at either reduction",
    )
