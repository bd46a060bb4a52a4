"""Groups that are removed and reordered by hand under a scheduler."""

import pytest

from fixtures.assertions import check
from fixtures.catalogue.schedulers import SCHEDULES
from fixtures.claims import claim
from fixtures.runs.schedule_steps import rates_of, two_groups
from fixtures.runs.scheduler_state import PLATEAU, step

ONE_OF_EACH = {s.scheduler: s for s in reversed((*SCHEDULES, PLATEAU))}
# They write from a list of their own, an entry for each place in param_groups.
BY_PLACE = ("LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR")
# They ask each step for as many groups as there were.
COUNT = (*BY_PLACE, "MultiplicativeLR")


def each(*, but=(), only=ONE_OF_EACH):
    chosen = [s for name, s in ONE_OF_EACH.items() if name in only and name not in but]
    return pytest.mark.parametrize(
        "schedule", [pytest.param(s, id=s.scheduler.lower()) for s in chosen]
    )


def after(schedule, change=lambda _: None):
    """Return the rates by parameter after a step, a change, and three more steps."""
    optimizer = two_groups()
    names = {id(g["params"][0]): name for g, name in zip(optimizer.param_groups, "ab", strict=True)}
    scheduler = schedule.build(optimizer)
    for index in range(4):
        if index == 1:
            change(optimizer)
        optimizer.step()
        step(scheduler, 1.0)
    rates = zip(optimizer.param_groups, rates_of(optimizer), strict=True)
    return {names[id(group["params"][0])]: rate for group, rate in rates}


def remove_first(optimizer):
    del optimizer.param_groups[0]


def remove_last(optimizer):
    del optimizer.param_groups[1]


def reverse(optimizer):
    optimizer.param_groups.reverse()


@claim("removed-groups.leave-the-others")
@each(but=COUNT)
def test_the_groups_that_are_left_go_on_as_before(schedule):
    kept = after(schedule)
    seen = {change.__name__: after(schedule, change) for change in (remove_first, remove_last)}
    expected = {"remove_first": {"b": kept["b"]}, "remove_last": {"a": kept["a"]}}
    check.same(seen=seen, expected=expected, source="the schedule over both groups")


@claim("removed-groups.are-missed")
@each(only=COUNT)
@pytest.mark.parametrize("change", [remove_first, remove_last], ids=["first", "last"])
def test_a_schedule_that_counts_the_groups_is_an_error(schedule, change):
    with pytest.raises(ValueError, match=r"zip\(\)"):
        after(schedule, change)


@claim("reordered-groups.keep-their-rates")
@each(but=BY_PLACE)
def test_a_group_keeps_its_schedule_in_another_place(schedule):
    check.same(seen=after(schedule, reverse), expected=after(schedule), source="the order before")


# Of each place its own, so that they differ.
OF_EACH = [s for s in SCHEDULES if s.scheduler in BY_PLACE and "of_each" in s.id] + [
    s for s in SCHEDULES if s.id in ("cosineannealingwarmrestarts.default", "lambdalr.one")
]


@claim("reordered-groups.get-the-rates-of-their-place")
@pytest.mark.parametrize("schedule", [pytest.param(s, id=s.id) for s in OF_EACH])
def test_a_group_gets_the_rates_of_the_place_that_it_is_in(schedule):
    kept = after(schedule)
    check.same(
        seen=after(schedule, reverse),
        expected={"a": kept["b"], "b": kept["a"]},
        source="the schedule over the groups in their order",
    )
