"""A scheduler over rates that somebody else has changed: another scheduler, or a hand."""

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue import compositions, schedulers
from fixtures.catalogue.schedulers import EACH_MOMENTUM, RATES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups

EARLIER = Schedule("earlier", "ConstantLR", {"factor": 0.5, "total_iters": 100})


def moved(schedule, before, steps, initials):
    """Return what each of these steps makes of the rates, by what a step does to a rate."""
    courses, rates = [], list(before)
    for t in steps:
        rates = [
            schedule.move(t, rate, initial, group)
            for group, (rate, initial) in enumerate(zip(rates, initials, strict=True))
        ]
        courses.append(rates)
    return courses


def close(seen, expected, source):
    __tracebackhide__ = True
    check.close_numbers(seen=seen, expected=expected, source=source, tolerance=SCHEDULE)


@claim("rates.later-scheduler-moves-found-rates")
@schedulers.each(which="is_of_lr_scheduler")
def test_a_later_scheduler_moves_the_rates_that_it_finds(schedule):
    optimizer = two_groups()
    advance(optimizer, EARLIER.build(optimizer), 3)
    found = rates_of(optimizer)
    later = schedule.build(optimizer)
    seen = [rates_of(optimizer), *advance(optimizer, later, schedule.steps)]
    close(
        seen,
        moved(schedule, found, range(schedule.steps + 1), RATES),
        "its steps from 0 on, over the rates that it found and the first initial ones",
    )


@claim("rates.manual-value-feeds-the-recursion")
@schedulers.each(which="is_of_lr_scheduler", but="overwrites_the_rate")
def test_the_steps_after_a_rate_was_set_by_hand_move_that_rate(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, 3)
    for group in optimizer.param_groups:
        group["lr"] = 0.5
    seen = advance(optimizer, scheduler, 9)
    close(seen, moved(schedule, [0.5, 0.5], range(4, 13), RATES), "steps 4 to 12, from 0.5 on")


# What schedulers keep in the groups, besides the momentum that they cycle.
KEPT = {"lr", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum"}


@claim("rates.no-other-option-changes")
@EACH_MOMENTUM
@compositions.each_of_all("is_of_lr_scheduler")
def test_no_option_but_rate_and_momentum_changes(schedule, name):
    optimizer = two_groups(name=name)
    before = options_of(optimizer)
    advance(optimizer, schedule.build(optimizer), 7)
    check.same(seen=options_of(optimizer), expected=before, source="before there was a scheduler")


@claim("rates.no-other-option-changes")
@schedulers.each(which="cycles_the_momentum", first=True)
def test_each_group_keeps_its_own_second_beta(schedule):
    optimizer = two_groups(name="Adam")
    betas = [0.999, 0.75]
    for group, beta in zip(optimizer.param_groups, betas, strict=True):
        group["betas"] = (0.5, beta)
    advance(optimizer, schedule.build(optimizer), 3)
    seen = [group["betas"][1] for group in optimizer.param_groups]
    check.same(seen=seen, expected=betas, source="before there was a scheduler")


def options_of(optimizer):
    """Return the options that no scheduler is to change: of betas, the second."""
    return [
        {
            **{k: v for k, v in group.items() if k not in {*KEPT, "params", "momentum", "betas"}},
            "beta2": group.get("betas", [None])[-1],
        }
        for group in optimizer.param_groups
    ]
