"""Going on where a training was interrupted: by the saved state, by last_epoch, and as a copy."""

import warnings
from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue import compositions, schedulers
from fixtures.catalogue.schedulers import EACH_MOMENTUM
from fixtures.claims import claim
from fixtures.runs.save_and_resume_machine import COPIES
from fixtures.runs.schedule_steps import advance, momenta_of, rates_of, two_groups
from fixtures.runs.scheduler_state import standing, with_other_options

# torch 2.0 says so of the files that it writes and reads itself, and a copy is warned of wrongly.
pytestmark = [
    pytest.mark.filterwarnings("ignore:TypedStorage is deprecated"),
    pytest.mark.filterwarnings("ignore:Seems like `optimizer.step"),
]
EVERY = compositions.each_of_all("is_of_lr_scheduler")
INTERRUPTED = pytest.mark.parametrize("interrupted", [0, 3, 9])
copied = pytest.mark.parametrize("copy", COPIES, ids=["deepcopy", "pickle"])


def on_the_way(schedule, steps):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, steps)
    return optimizer, scheduler


def course(optimizer, scheduler, steps=8):
    """Return where things stand, and rates and momentum of some steps from there."""
    seen = [standing(optimizer, scheduler)]
    for _ in range(steps):
        advance(optimizer, scheduler, 1)
        seen.append([rates_of(optimizer), momenta_of(optimizer), scheduler.get_last_lr()])
    return seen


@claim("scheduler-state.resumes-bit-for-bit")
@INTERRUPTED
@EVERY
def test_a_fresh_scheduler_with_other_options_goes_on_from_the_saved_state(schedule, interrupted):
    optimizer, scheduler = on_the_way(schedule, interrupted)
    other = two_groups([0.75, 0.5])
    restored = with_other_options(schedule).build(other)
    other.load_state_dict(deepcopy(optimizer.state_dict()))
    restored.load_state_dict(deepcopy(scheduler.state_dict()))
    check.same(
        seen=course(other, restored),
        expected=course(optimizer, scheduler),
        source="the training that was not interrupted",
    )


@claim("scheduler-state.resumes-tensor-rates")
@EVERY
def test_a_rate_that_is_a_tensor_goes_on_from_the_saved_state(schedule):
    pair = [two_groups([torch.tensor(0.1), torch.tensor(0.02)]) for _ in range(2)]
    (optimizer, scheduler), (other, restored) = ((o, schedule.build(o)) for o in pair)
    advance(optimizer, scheduler, 3)
    other.load_state_dict(deepcopy(optimizer.state_dict()))
    restored.load_state_dict(deepcopy(scheduler.state_dict()))
    check.same(
        seen=course(other, restored),
        expected=course(optimizer, scheduler),
        source="the training that was not interrupted",
    )


def resumed_by_last_epoch(schedule, steps, *, load_again):
    """Return the rates, from there on, of a training and of the one that goes on from its checkpoint."""
    optimizer, scheduler = on_the_way(schedule, steps)
    checkpoint, other = optimizer.state_dict(), two_groups()
    other.load_state_dict(deepcopy(checkpoint))
    resumed = schedule.build(other, last_epoch=steps - 1)
    if load_again:
        other.load_state_dict(deepcopy(checkpoint))
    return [
        torch.tensor([rates_of(o), *advance(o, s, 8)], dtype=torch.float64)
        for o, s in ((other, resumed), (optimizer, scheduler))
    ]


@claim("resuming-by-last-epoch.rates")
@pytest.mark.parametrize("steps", [3, 4])
@schedulers.each(which="is_of_lr_scheduler")
def test_last_epoch_is_enough_to_go_on(schedule, steps):
    seen, expected = resumed_by_last_epoch(schedule, steps, load_again=False)
    check.close(
        seen=seen,
        expected=expected,
        source="the schedule that was not interrupted",
        tolerance=SCHEDULE,
    )


@claim("resuming-by-last-epoch.rates-loaded-again")
@pytest.mark.parametrize("steps", [3, 8])
@schedulers.each(which="is_of_lr_scheduler")
def test_last_epoch_and_the_rates_loaded_again_are_enough_to_go_on(schedule, steps):
    seen, expected = resumed_by_last_epoch(schedule, steps, load_again=True)
    check.close(
        seen=seen,
        expected=expected,
        source="the schedule that was not interrupted",
        tolerance=SCHEDULE,
    )


@claim("resuming-by-last-epoch.counts")
@schedulers.each(which="is_of_lr_scheduler", first=True)
def test_last_epoch_counts_on_from_the_one_given(schedule):
    optimizer, _ = on_the_way(schedule, 3)
    resumed = schedule.build(optimizer, last_epoch=2)
    seen = [resumed.last_epoch]
    advance(optimizer, resumed, 1)
    check.same(seen=[*seen, resumed.last_epoch], expected=[3, 4], source="the steps taken")


@claim("resuming-by-last-epoch.momentum")
@EACH_MOMENTUM
@schedulers.each(which="cycles_the_momentum")
def test_last_epoch_is_enough_for_the_momentum_to_go_on(schedule, name):
    optimizer, other = two_groups(name=name), two_groups(name=name)
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 6)
    other.load_state_dict(deepcopy(optimizer.state_dict()))
    resumed = schedule.build(other, last_epoch=5)
    seen, expected = [], []
    for _ in range(8):
        seen.append(momenta_of(other))
        expected.append(momenta_of(optimizer))
        advance(other, resumed, 1)
        advance(optimizer, scheduler, 1)
    check.same(seen=seen, expected=expected, source="the training that was not interrupted")


@claim("scheduler-copies.continue-independently")
@copied
@EVERY
def test_a_copy_of_optimizer_and_scheduler_goes_on_by_itself(schedule, copy):
    optimizer, scheduler = on_the_way(schedule, 3)
    other, scheduler_too = copy((optimizer, scheduler))
    before = deepcopy(standing(optimizer, scheduler))
    seen = course(other, scheduler_too)
    check.same(
        seen=[standing(optimizer, scheduler), seen],
        expected=[before, course(optimizer, scheduler)],
        source="the original, which the copy leaves alone",
    )


@claim("scheduler-copies.warn-of-nothing")
@copied
@schedulers.each(which="is_of_lr_scheduler", but="has_its_own_step", first=True)
def test_a_copy_made_before_the_first_step_warns_of_nothing(schedule, copy):
    optimizer, scheduler = copy(on_the_way(schedule, 0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        advance(optimizer, scheduler, 2)
    assert [str(warning.message)[:60] for warning in caught] == []
