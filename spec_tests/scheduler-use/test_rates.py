"""What a scheduler writes, where it keeps it, and what it leaves alone."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import compositions, optimizers, schedulers
from fixtures.catalogue.schedulers import RATES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups
from fixtures.runs.training import Training

BY_HAND = 0.5
# What a schedule makes of a rate that was set by hand after three steps.
CHAINABLE = (
    ("StepLR", {"step_size": 2, "gamma": 0.5}, [0.25, 0.25, 0.125]),
    ("MultiStepLR", {"milestones": [4, 6], "gamma": 0.5}, [0.25, 0.25, 0.125]),
    ("ExponentialLR", {"gamma": 0.5}, [0.25, 0.125, 0.0625]),
    ("MultiplicativeLR", {"lr_lambda": lambda _: 0.5}, [0.25, 0.125, 0.0625]),
    ("ConstantLR", {"factor": 0.5, "total_iters": 5}, [0.5, 1.0, 1.0]),
)
# They change no rate after their third step.
ENDED = (
    ("MultiStepLR", {"milestones": [1, 3]}),
    ("ConstantLR", {"total_iters": 3}),
    ("LinearLR", {"total_iters": 3}),
    ("PolynomialLR", {"total_iters": 3}),
)
STEP_LR = Schedule("halving", "StepLR", {"step_size": 2, "gamma": 0.5})
AS_TENSORS = [torch.tensor(rate, dtype=torch.float64) for rate in RATES]


@claim("rates.last-rates-equal-group-rates")
@schedulers.each(first=True)
def test_get_last_lr_lists_what_stands_in_the_groups(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    seen, expected = [scheduler.get_last_lr()], [rates_of(optimizer)]
    for _ in range(8):
        expected += advance(optimizer, scheduler, 1)
        seen.append(scheduler.get_last_lr())
    check.same(seen=seen, expected=expected, source="the rates in the groups")


@claim("rates.tensors-are-updated-in-place")
@compositions.each_of_all()
def test_the_tensor_in_a_group_stays_the_same_object(schedule):
    rates = [rate.clone() for rate in AS_TENSORS]
    optimizer = two_groups(rates)
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 8)
    kept = [g["lr"] is rate for g, rate in zip(optimizer.param_groups, rates, strict=True)]
    assert kept == [True, True], f"same object: {kept}"


@claim("rates.tensors-are-not-aliased")
@compositions.each_of_all()
def test_nothing_else_is_the_tensor_in_a_group(schedule):
    optimizer = two_groups([rate.clone() for rate in AS_TENSORS])
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 3)
    places = {group["lr"].data_ptr(): "lr" for group in optimizer.param_groups}
    kept = {
        "get_last_lr()": scheduler.get_last_lr(),
        "base_lrs": getattr(scheduler, "base_lrs", []),  # a composition has none
        "initial_lr": [group.get("initial_lr") for group in optimizer.param_groups],
        "max_lr": [group.get("max_lr") for group in optimizer.param_groups],
    }
    aliases = [
        name
        for name, values in kept.items()
        for value in values
        if torch.is_tensor(value) and value.data_ptr() in places
    ]
    assert aliases == [], f"the tensor of a group is also in {aliases}"


@claim("rates.last-rates-are-copies")
def test_changing_what_get_last_lr_returned_changes_no_rate():
    optimizer = two_groups([rate.clone() for rate in AS_TENSORS])
    scheduler = STEP_LR.build(optimizer)
    scheduler.get_last_lr()[0].fill_(7.0)
    check.same(seen=rates_of(optimizer), expected=list(RATES), source="the rates before")


@claim("rates.last-rates-are-of-own-steps")
@schedulers.each(first=True)
def test_get_last_lr_stays_where_somebody_else_sets_a_rate(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    expected = advance(optimizer, scheduler, 3)[-1]
    for group in optimizer.param_groups:
        group["lr"] = BY_HAND
    check.same(seen=scheduler.get_last_lr(), expected=expected, source="what the last step wrote")


@claim("rates.last-rates-match-group-types")
@pytest.mark.parametrize("steps", [0, 3])
@schedulers.each(first=True)
def test_get_last_lr_lists_tensors_where_the_groups_have_tensors(schedule, steps):
    optimizer = two_groups([rate.clone() for rate in AS_TENSORS])
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, steps)
    check.same(
        seen=scheduler.get_last_lr(),
        expected=[group["lr"].clone() for group in optimizer.param_groups],
        source="the tensors in the groups",
    )


@claim("rates.manual-value-is-multiplied")
@pytest.mark.parametrize(
    "schedule, expected",
    [pytest.param(Schedule("hand", n, o), e, id=n.lower()) for n, o, e in CHAINABLE],
)
def test_a_rate_set_by_hand_is_where_the_next_step_begins(schedule, expected):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 3)
    optimizer.param_groups[0]["lr"] = BY_HAND
    seen = [rates[0] for rates in advance(optimizer, scheduler, 3)]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="0.5, and the factors of the steps 4, 5 and 6",
        tolerance=STEPS,
    )


@claim("rates.manual-value-is-overwritten")
@schedulers.each(which="overwrites_the_rate", first=True)
def test_a_rate_set_by_hand_is_gone_after_the_next_step(schedule):
    untouched, touched = two_groups(), two_groups()
    pair = [(optimizer, schedule.build(optimizer)) for optimizer in (untouched, touched)]
    for optimizer, scheduler in pair:
        advance(optimizer, scheduler, 3)
    touched.param_groups[0]["lr"] = BY_HAND
    expected, seen = (advance(optimizer, scheduler, 3) for optimizer, scheduler in pair)
    check.same(seen=seen, expected=expected, source="the rates where nobody set one")


@claim("rates.manual-value-after-the-end-stays")
@pytest.mark.parametrize(
    "schedule", [pytest.param(Schedule("ended", *row), id=row[0].lower()) for row in ENDED]
)
def test_a_rate_set_by_hand_after_the_end_of_the_schedule_stays(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 3)
    for group in optimizer.param_groups:
        group["lr"] = BY_HAND
    seen = advance(optimizer, scheduler, 3)
    check.same(seen=seen, expected=[[BY_HAND, BY_HAND]] * 3, source="the rate that was set")


@claim("rates.two-schedulers-multiply-factors")
def test_two_schedulers_on_one_optimizer_multiply():
    optimizer = two_groups()
    halving = STEP_LR.build(optimizer)
    falling = Schedule("falling", "ExponentialLR", {"gamma": 0.5}).build(optimizer)
    seen = []
    for _ in range(4):
        optimizer.step()
        halving.step()
        falling.step()
        seen.append(rates_of(optimizer)[0] / 0.1)
    check.close_numbers(
        seen=seen,
        expected=[0.5, 0.125, 0.0625, 0.015625],
        source="0.5ᵗ · 0.5^⌊t/2⌋",
        tolerance=STEPS,
    )


@claim("rates.later-scheduler-reuses-initial-lr")
def test_a_later_scheduler_starts_from_the_first_initial_rate():
    optimizer = two_groups()
    advance(optimizer, STEP_LR.build(optimizer), 4)
    later = Schedule("later", "LambdaLR", {"lr_lambda": lambda _: 1.0}).build(optimizer)
    check.same(
        seen=[later.base_lrs, rates_of(optimizer)],
        expected=[list(RATES), list(RATES)],
        source="initial_lr, which the first scheduler left in the groups",
    )


@claim("rates.are-all-that-changes")
@optimizers.each()
def test_a_scheduler_touches_neither_parameters_nor_state(case, device):
    training = Training(case, device)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(training.optimizer, 0.5)
    training.run(2)
    before = [training.values(), kept(training)]
    scheduler.step()
    check.same(
        seen=[training.values(), kept(training)],
        expected=before,
        source="parameters and state before the step",
    )


@claim("rates.constant-rate-changes-no-step")
@optimizers.each()
def test_a_scheduler_that_changes_no_rate_changes_no_step(case, device):
    plain, scheduled = Training(case, device), Training(case, device)
    scheduler = torch.optim.lr_scheduler.LambdaLR(scheduled.optimizer, lambda _: 1.0)
    seen, expected = [], []
    for _ in range(3):
        seen.append([scheduled.backward().detach(), scheduled.step(), scheduled.values()])
        scheduler.step()
        expected.append([plain.backward().detach(), plain.step(), plain.values()])
    check.same(
        seen=[seen, kept(scheduled)],
        expected=[expected, kept(plain)],
        source="the same training without a scheduler",
    )


def kept(training):
    """Return the state of the optimizer, and its options but the rates."""
    state = training.optimizer.state_dict()
    groups = [{k: v for k, v in g.items() if k != "lr"} for g in state["param_groups"]]
    return {
        "state": {
            index: {k: v.clone() for k, v in own.items() if torch.is_tensor(v)}
            for index, own in state["state"].items()
        },
        "groups": [{k: v for k, v in g.items() if k != "initial_lr"} for g in groups],
    }
