"""How a scheduler is driven, and what it tells of itself."""

import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.claims import claim

PRINTED = (
    [0.0001, 0.001],
    [0.0001, 0.001],
    [1e-05, 0.0001],
    [1e-05, 0.0001],
    [1e-05, 0.0001],
    [1.0000000000000002e-06, 1e-05],
    [1.0000000000000002e-06, 1e-05],
    [1.0000000000000002e-06, 1e-05],
    [1.0000000000000002e-07, 1.0000000000000002e-06],
    [1.0000000000000002e-07, 1.0000000000000002e-06],
)


def driven(rates=(1e-4, 1e-3), step_size=3, gamma=0.1):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    return optimizer, lr_scheduler.StepLR(optimizer, step_size, gamma)


def step_both(optimizer, scheduler, times):
    shown = []
    for _ in range(times):
        optimizer.step()
        scheduler.step()
        shown.append(scheduler.get_last_lr())
    return shown


@claim("schedules.step-lr-as-printed")
def test_ten_epochs_give_the_printed_rates():
    check.same(seen=step_both(*driven(), 10), expected=list(PRINTED), source="document 004-14")


@claim("schedulers.last-rate-of-each-group")
def test_the_list_has_the_rate_of_each_group():
    optimizer, scheduler = driven()
    step_both(optimizer, scheduler, 3)
    check.same(
        seen=scheduler.get_last_lr(),
        expected=[group["lr"] for group in optimizer.param_groups],
        source="the rates in the groups",
    )


@claim("schedulers.count-their-steps")
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_last_epoch_is_the_number_of_steps(steps):
    optimizer, scheduler = driven()
    step_both(optimizer, scheduler, steps)
    check.same(seen=scheduler.last_epoch, expected=steps, source="the steps taken")


@claim("schedulers.remember-the-initial-rates")
def test_initial_rates_outlive_the_schedule():
    optimizer, scheduler = driven()
    step_both(optimizer, scheduler, 7)
    check.same(
        seen=[scheduler.base_lrs, [group["initial_lr"] for group in optimizer.param_groups]],
        expected=[[1e-4, 1e-3], [1e-4, 1e-3]],
        source="the rates at construction",
    )


@claim("schedulers.warn-of-the-wrong-order")
def test_stepping_the_scheduler_first_warns():
    _, scheduler = driven()
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        scheduler.step()


@claim("schedulers.warn-of-the-wrong-order")
def test_stepping_the_optimizer_first_is_silent():
    optimizer, scheduler = driven()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        step_both(optimizer, scheduler, 3)
    assert [str(warning.message) for warning in caught] == []


@claim("schedulers.state-restores-the-schedule")
@pytest.mark.parametrize("interrupted_at", [0, 2, 3, 5])
def test_a_restored_scheduler_goes_on(interrupted_at):
    optimizer, scheduler = driven()
    step_both(optimizer, scheduler, interrupted_at)
    fresh_optimizer, fresh_scheduler = driven()
    fresh_optimizer.load_state_dict(optimizer.state_dict())
    fresh_scheduler.load_state_dict(scheduler.state_dict())
    check.same(
        seen=step_both(fresh_optimizer, fresh_scheduler, 6),
        expected=step_both(optimizer, scheduler, 6),
        source="the scheduler that was not interrupted",
    )
