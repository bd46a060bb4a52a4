"""In which order schedulers and optimizers step, and the epoch that step() once took."""

import warnings
from types import MethodType

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS, Tolerance
from fixtures.catalogue import optimizers, schedulers
from fixtures.catalogue.schedulers import RATES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups
from fixtures.runs.training import start

RECURSION = Tolerance(96, "one rounding or two a step, added up over 24 steps")
HALVING = Schedule("halving", "StepLR", {"step_size": 2, "gamma": 0.5})


def warnings_of(act):
    """Return the texts of all warnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return [str(warning.message) for warning in caught]


@claim("order.no-false-alarm")
@schedulers.each()
def test_the_right_order_warns_of_nothing(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    seen = warnings_of(lambda: advance(optimizer, scheduler, 4))
    assert seen == [], f"warned: {seen}"


@claim("order.warns-once")
def test_the_wrong_order_warns_at_the_first_step_only():
    scheduler = HALVING.build(two_groups())
    seen = [len(warnings_of(scheduler.step)) for _ in range(3)]
    check.same(seen=seen, expected=[1, 0, 0], source="warnings at each step")


@claim("order.wrong-order-skips-first-rate")
@schedulers.each(which="is_of_lr_scheduler", but="comes_to_an_end", first=True)
def test_the_wrong_order_steps_at_the_rates_from_the_second_on(schedule):
    right, wrong = two_groups(), two_groups()
    in_order, too_early = schedule.build(right), schedule.build(wrong)
    seen, expected = [], [rates_of(right), *advance(right, in_order, 5)]
    for _ in range(5):
        warnings_of(too_early.step)
        seen.append(rates_of(wrong))
        wrong.step()
    check.same(seen=seen, expected=expected[1:], source="the rates of steps in the right order")


@claim("order.an-overridden-step-is-noticed")
def test_a_step_that_was_replaced_is_warned_of():
    optimizer = two_groups()
    scheduler = HALVING.build(optimizer)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="overridden"):
        scheduler.step()


@claim("order.overridden-step-hides-the-order")
def test_the_wrong_order_is_not_told_of_a_step_that_was_replaced():
    optimizer = two_groups()
    scheduler = HALVING.build(optimizer)
    step = optimizer.step
    optimizer.step = lambda: step()
    seen = [["overridden" in text for text in warnings_of(scheduler.step)] for _ in range(2)]
    check.same(seen=seen, expected=[[True], []], source="one warning, of the step alone")


@claim("order.resumed-scheduler-warns")
@schedulers.each(which="is_of_lr_scheduler", but="has_its_own_step")
def test_a_scheduler_that_resumes_warns_of_the_wrong_order_too(schedule):
    optimizer = two_groups()
    advance(optimizer, schedule.build(optimizer), 4)
    (_, too_early), (resumed, in_order) = (resuming(schedule, optimizer) for _ in "12")
    wrong = [["before `optimizer.step()`" in t for t in warnings_of(too_early.step)] for _ in "12"]
    check.same(
        seen=[wrong, warnings_of(lambda: advance(resumed, in_order, 2))],
        expected=[[[True], []], []],
        source="a warning at the first step in the wrong order, none in the right one",
    )


def resuming(schedule, saved):
    """Return a new optimizer with the state of one after four steps, and its scheduler."""
    optimizer = two_groups()
    optimizer.load_state_dict(saved.state_dict())
    return optimizer, schedule.build(optimizer, last_epoch=3)


@claim("order.later-scheduler-uses-current-step")
def test_a_scheduler_built_after_the_step_was_replaced_warns_of_nothing():
    optimizer = two_groups()
    HALVING.build(optimizer)
    optimizer.step = MethodType(lambda _: None, optimizer)
    later = HALVING.build(optimizer)
    seen = warnings_of(lambda: (optimizer.step(), later.step()))
    assert seen == [], f"warned: {seen}"


@claim("order.post-hook-may-step-the-scheduler")
def test_a_scheduler_that_a_post_hook_steps_warns_of_nothing():
    optimizer = two_groups()
    scheduler = HALVING.build(optimizer)
    optimizer.register_step_post_hook(lambda *_: scheduler.step())
    seen = warnings_of(lambda: (optimizer.step(), optimizer.step()))
    assert (seen, scheduler.last_epoch) == ([], 2), f"warned: {seen}"


@claim("order.one-optimizer-step-is-enough")
def test_an_optimizer_step_counts_for_every_scheduler():
    optimizer = two_groups()
    first, second = HALVING.build(optimizer), HALVING.build(optimizer)
    optimizer.step()
    seen = warnings_of(lambda: (first.step(), second.step()))
    assert seen == [], f"warned: {seen}"


@claim("order.step-takes-a-closure")
@pytest.mark.parametrize("by_name", [False, True], ids=["by_place", "by_name"])
def test_the_optimizer_under_a_scheduler_takes_a_closure(by_name):
    optimizer = two_groups()
    HALVING.build(optimizer)
    loss = optimizer.step(closure=lambda: 0.75) if by_name else optimizer.step(lambda: 0.75)
    check.same(seen=loss, expected=0.75, source="what the closure returned")


@claim("order.step-keeps-its-name-and-docstring")
@optimizers.each()
def test_the_step_under_a_scheduler_is_called_and_documented_as_before(case):
    optimizer = case.build(start(case, torch.device("cpu")))
    kept = ("__name__", "__qualname__", "__module__", "__doc__")
    before = {attribute: getattr(optimizer.step, attribute) for attribute in kept}
    HALVING.build(optimizer)
    seen = {attribute: getattr(optimizer.step, attribute) for attribute in kept}
    check.same(seen=seen, expected=before, source="before there was a scheduler")


@claim("order.get-lr-is-silent-inside-step")
@schedulers.each(first=True)
def test_get_lr_outside_of_step_warns(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    by_hand = warnings_of(scheduler.get_lr)
    optimizer.step()
    by_a_step = warnings_of(scheduler.step)
    assert ["get_last_lr" in text for text in by_hand] == [True], f"warned: {by_hand}"
    assert by_a_step == [], f"warned: {by_a_step}"


@claim("epoch.is-deprecated")
@pytest.mark.parametrize("epoch", [3, 0])
@schedulers.each(which="jumps_to_an_epoch", first=True)
def test_an_epoch_given_to_step_warns(schedule, epoch):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    with pytest.warns(UserWarning, match="deprecated"):
        scheduler.step(epoch)


@claim("epoch.jumps-on-the-schedule")
@schedulers.each(which="jumps_to_an_epoch")
def test_an_epoch_given_to_step_is_jumped_to(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    seen, epochs = [], (3, 7, 2, 5, 4, 12, 0)
    for epoch in epochs:
        warnings_of(lambda epoch=epoch: scheduler.step(epoch))
        seen.append([scheduler.last_epoch, *rates_of(optimizer)])
    expected = [
        [epoch, *(schedule.rate(epoch, rate, group) for group, rate in enumerate(RATES))]
        for epoch in epochs
    ]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=RECURSION,
    )


@claim("epoch.may-be-a-fraction")
@schedulers.each(which="takes_a_fraction", first=True)
def test_a_fraction_of_an_epoch_is_a_place_between_two(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    warnings_of(lambda: scheduler.step(2.5))
    check.close_numbers(
        seen=rates_of(optimizer),
        expected=[schedule.rate(2.5, rate) for rate in RATES],
        source="closed form in fixtures/oracles/schedules.py, at 2.5",
        tolerance=STEPS,
    )


@claim("epoch.warm-restarts-do-not-warn")
def test_warm_restarts_take_an_epoch_without_a_warning():
    optimizer = two_groups()
    scheduler = Schedule("w", "CosineAnnealingWarmRestarts", {"T_0": 4}).build(optimizer)
    optimizer.step()
    seen = warnings_of(lambda: scheduler.step(2.5))
    assert (seen, scheduler.last_epoch) == ([], 2), f"warned: {seen}"


@claim("epoch.warm-restarts-refuse-negatives")
def test_warm_restarts_refuse_a_negative_epoch():
    optimizer = two_groups()
    scheduler = Schedule("w", "CosineAnnealingWarmRestarts", {"T_0": 4}).build(optimizer)
    optimizer.step()
    with pytest.raises(ValueError, match="non-negative epoch"):
        scheduler.step(-1)
