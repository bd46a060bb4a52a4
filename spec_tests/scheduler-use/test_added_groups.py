"""Groups that are added to an optimizer after its scheduler was built."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue.schedulers import Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups

ADDED = 0.5
# They take what stands in a group and multiply it.
MULTIPLY = (
    ("StepLR", {"step_size": 2, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 3], "gamma": 0.5}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    ("LinearLR", {"start_factor": 0.5, "total_iters": 4}),
    ("ExponentialLR", {"gamma": 0.5}),
    ("PolynomialLR", {"total_iters": 6}),
)
# They remember something for each group.
REMEMBER = (
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("MultiplicativeLR", {"lr_lambda": lambda _: 0.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}),
)


def with_a_group_added(name, options, steps=1):
    """Return optimizer and scheduler after some steps, with a third group."""
    optimizer = two_groups()
    scheduler = Schedule("added", name, options).build(optimizer)
    advance(optimizer, scheduler, steps)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": ADDED})
    return optimizer, scheduler


def table(rows):
    return pytest.mark.parametrize("name, options", rows, ids=[row[0].lower() for row in rows])


@claim("added-groups.are-multiplied")
@table(MULTIPLY)
def test_a_schedule_that_multiplies_takes_an_added_group_along(name, options):
    schedule = Schedule("added", name, options)
    optimizer, scheduler = with_a_group_added(name, options)
    seen = [rates[2] for rates in advance(optimizer, scheduler, 4)]
    expected = [ADDED * schedule.rate(t, 1.0) / schedule.rate(1, 1.0) for t in (2, 3, 4, 5)]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="the factors of the steps 2 to 5",
        tolerance=SCHEDULE,
    )


@claim("added-groups.are-refused")
@table(REMEMBER)
def test_a_schedule_that_remembers_refuses_an_added_group_at_its_next_step(name, options):
    _, scheduler = with_a_group_added(name, options)
    with pytest.raises(ValueError, match=r"zip\(\)"):
        scheduler.step()


@claim("added-groups.were-passed-over")
@table(REMEMBER)
def test_a_schedule_that_remembers_passed_an_added_group_over(name, options):
    optimizer, scheduler = with_a_group_added(name, options)
    seen = [rates[2] for rates in advance(optimizer, scheduler, 4)]
    check.same(seen=seen, expected=[ADDED] * 4, source="the rate that it was added with")


@claim("added-groups.are-refused-after-t-max")
def test_the_cosine_takes_an_added_group_along_until_it_turns():
    optimizer, scheduler = with_a_group_added("CosineAnnealingLR", {"T_max": 3})
    advance(optimizer, scheduler, 2)
    with pytest.raises(ValueError, match=r"zip\(\)"):
        scheduler.step()


@claim("added-groups.are-refused-by-one-cycle")
def test_one_cycle_misses_its_entries_in_an_added_group():
    _, scheduler = with_a_group_added("OneCycleLR", {"max_lr": 0.5, "total_steps": 12})
    with pytest.raises(KeyError, match="initial_lr"):
        scheduler.step()


@claim("added-groups.refused-step-changes-no-rate")
@table((*REMEMBER, ("CosineAnnealingLR", {"T_max": 1})))
def test_a_refused_step_leaves_the_rates(name, options):
    optimizer, scheduler = with_a_group_added(name, options)
    before = rates_of(optimizer)
    with pytest.raises(ValueError, match=r"zip\(\)"):
        scheduler.step()
    check.same(seen=rates_of(optimizer), expected=before, source="the rates before the step")


@claim("added-groups.before-the-scheduler")
@table((*MULTIPLY, *REMEMBER, ("OneCycleLR", {"max_lr": 0.5, "total_steps": 12})))
def test_a_scheduler_built_after_the_group_was_added_treats_all_alike(name, options):
    schedule = Schedule("added", name, options)
    optimizer = two_groups()
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": ADDED})
    scheduler = schedule.build(optimizer)
    seen = [rates[2] for rates in [rates_of(optimizer), *advance(optimizer, scheduler, 4)]]
    check.close_numbers(
        seen=seen,
        expected=[schedule.rate(t, ADDED) for t in range(5)],
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=SCHEDULE,
    )
