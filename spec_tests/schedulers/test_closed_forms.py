"""Each schedule against its closed form, in plain Python, over its life and past its end."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import Tolerance
from fixtures.catalogue import schedulers
from fixtures.catalogue.schedulers import EACH_MOMENTUM, RATES
from fixtures.claims import claim
from fixtures.runs.schedule_run import ScheduleRun
from fixtures.runs.schedule_steps import advance, momenta_of, rates_of, two_groups

LONG = 600
# The recursive forms multiply once a step: half an ulp each time, and cosines twice that.
RECURSION = Tolerance(4 * 24, "one rounding or two a step, added up over 24 steps")
LONG_RECURSION = Tolerance(4 * LONG, "one rounding or two a step, added up over 600 steps")
SINGLE = Tolerance(4 * 24, "as many roundings to the float32 that the rate is kept in")


def closed_form(schedule, steps):
    return [
        [schedule.rate(t, initial, group) for group, initial in enumerate(RATES)]
        for t in range(steps + 1)
    ]


@claim("schedules.one-cycle-rises-and-falls")
@schedulers.each(only=("OneCycleLR",))
def test_every_rate_of_one_cycle_is_that_of_its_phases(schedule):
    ScheduleRun(schedule).check(tolerance=RECURSION)


@claim("schedules.follow-their-closed-form")
@schedulers.each(but="comes_to_an_end")
def test_every_rate_is_that_of_the_closed_form(schedule):
    ScheduleRun(schedule).check(tolerance=RECURSION)


@claim("schedules.do-not-drift")
@schedulers.each(but=("comes_to_an_end", "has_no_closed_form"))
def test_rates_are_still_those_of_the_closed_form_after_many_steps(schedule):
    ScheduleRun(schedule, steps=LONG).check(tolerance=LONG_RECURSION)


@claim("schedules.write-tensor-rates")
@schedulers.each()
def test_a_rate_that_is_a_tensor_follows_the_closed_form(schedule):
    optimizer = two_groups([torch.tensor(rate, dtype=torch.float32) for rate in RATES])
    ScheduleRun(schedule, optimizer, dtype=torch.float32).check(tolerance=SINGLE)


@claim("schedules.write-one-element-tensor-rates")
@schedulers.each(first=True)
def test_a_rate_that_is_a_tensor_of_one_element_follows_the_closed_form(schedule):
    optimizer = two_groups([torch.tensor([rate], dtype=torch.float32) for rate in RATES])
    ScheduleRun(schedule, optimizer, dtype=torch.float32).check(tolerance=SINGLE)


@claim("schedules.momentum-moves-against-rate")
@EACH_MOMENTUM
@schedulers.each(which="cycles_the_momentum")
def test_the_momentum_follows_its_closed_form(schedule, name):
    optimizer = two_groups(name=name)
    unchanged = momenta_of(optimizer)
    scheduler = schedule.build(optimizer)
    seen = [momenta_of(optimizer)]
    for _ in range(schedule.steps):
        advance(optimizer, scheduler, 1)
        seen.append(momenta_of(optimizer))
    expected = [
        [schedule.momentum(t, group) or unchanged[group] for group in range(len(RATES))]
        for t in range(schedule.steps + 1)
    ]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=RECURSION,
    )


@claim("schedules.warm-restarts-at-a-fraction")
@pytest.mark.parametrize(
    "options", [{"T_0": 5}, {"T_0": 3, "T_mult": 2, "eta_min": 0.001}], ids=["same", "longer"]
)
def test_a_fraction_of_an_epoch_is_a_place_on_the_curve(options):
    schedule = schedulers.Schedule("fraction", "CosineAnnealingWarmRestarts", options)
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    epochs = [0.25, 1.5, 2.75, 3.0, 4.5, 5.25, 8.75, 9.0, 20.5, 30.5]
    seen = []
    for epoch in epochs:
        optimizer.step()
        scheduler.step(epoch)
        seen.append(rates_of(optimizer))
    expected = [[schedule.rate(epoch, initial) for initial in RATES] for epoch in epochs]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=RECURSION,
    )


@claim("schedules.one-cycle-refuses-extra-steps")
def test_a_step_past_the_end_is_an_error():
    optimizer = two_groups()
    schedule = schedulers.Schedule("short", "OneCycleLR", {"max_lr": 0.5, "total_steps": 3})
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 3 - 1)
    with pytest.raises(ValueError, match=r"total steps is 3"):
        advance(optimizer, scheduler, 2)
