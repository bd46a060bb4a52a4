"""SequentialLR: one schedule after the other, each from its own beginning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue import schedulers
from fixtures.catalogue.compositions import COMPOSITIONS, Composition, schedule
from fixtures.catalogue.drawn.schedulers import parts
from fixtures.claims import claim
from fixtures.runs.schedule_run import ScheduleRun
from fixtures.runs.schedule_steps import advance, momenta_of, rates_of, two_groups

SEQUENCES = [c for c in COMPOSITIONS if c.scheduler == "SequentialLR"]
QUARTER = schedule("ConstantLR", factor=0.25, total_iters=30)
HALVING = schedule("ExponentialLR", gamma=0.5)
CYCLE = schedule("CyclicLR", base_lr=0.01, max_lr=0.2, step_size_up=3)
MILESTONE = 5


@claim("sequences.begin-with-their-first-part")
@schedulers.each(which="is_of_lr_scheduler")
def test_the_first_part_rules_until_the_milestone(schedule):
    ScheduleRun(
        Composition("first", "SequentialLR", (schedule, QUARTER), (MILESTONE,), steps=9)
    ).check()


@claim("sequences.hand-over-at-a-milestone")
@schedulers.each(which="is_of_lr_scheduler")
def test_a_part_begins_from_its_own_beginning_at_its_milestone(schedule):
    steps = MILESTONE + schedule.steps
    ScheduleRun(
        Composition("later", "SequentialLR", (QUARTER, schedule), (MILESTONE,), steps=steps)
    ).check()


@claim("sequences.of-several-parts")
@pytest.mark.parametrize("sequence", [pytest.param(c, id=c.preset) for c in SEQUENCES])
def test_every_rate_is_that_of_the_part_in_force(sequence):
    ScheduleRun(sequence).check()


@claim("sequences.hold-for-any-parts")
@given(drawn=st.data())
def test_whatever_the_parts_the_rate_is_that_of_the_part_in_force(drawn):
    chosen = drawn.draw(st.lists(parts(), min_size=1, max_size=4))
    milestones = drawn.draw(
        st.lists(
            st.integers(1, 12), min_size=len(chosen) - 1, max_size=len(chosen) - 1, unique=True
        ).map(sorted)
    )
    ScheduleRun(
        Composition("drawn", "SequentialLR", tuple(chosen), tuple(milestones), steps=16)
    ).check()


@claim("sequences.skip-a-part-without-time")
def test_of_two_parts_with_the_same_milestone_the_later_one_is_taken():
    never = schedule("StepLR", step_size=1, gamma=0.125)
    ScheduleRun(
        Composition("skip", "SequentialLR", (QUARTER, never, HALVING), (2, 2), steps=6)
    ).check()


@claim("sequences.milestone-at-the-start")
def test_a_part_whose_milestone_is_zero_is_the_first_one():
    ScheduleRun(Composition("zero", "SequentialLR", (QUARTER, HALVING), (0,), steps=6)).check()


@claim("sequences.milestone-at-the-start-was-late")
def test_a_part_whose_milestone_is_zero_began_with_its_second_step():
    optimizer = two_groups()
    zero = Composition(
        "zero", "SequentialLR", (QUARTER, schedule("LambdaLR", lr_lambda=HALF)), (0,)
    )
    seen = [rate for rate, _ in advance(optimizer, zero.build(optimizer), 3)]
    check.same(seen=seen, expected=[0.1, 0.05, 0.025], source="0.1 · 0.5ᵗ, a step late")


def HALF(t):  # noqa: N802 - it stands where a constant does
    return 0.5**t


@claim("sequences.hold-momentum-until-milestone")
def test_the_momentum_is_cycled_while_the_cycle_is_in_force():
    optimizer = two_groups()
    cycle_last = Composition("cycle", "SequentialLR", (QUARTER, CYCLE), (2,))
    scheduler = cycle_last.build(optimizer)
    seen = [momenta_of(optimizer)[0]]
    for _ in range(8):
        advance(optimizer, scheduler, 1)
        seen.append(momenta_of(optimizer)[0])
    expected = [CYCLE.momentum(max(t - 2, 0)) for t in range(9)]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="closed form of the cycle, held before it begins",
        tolerance=SCHEDULE,
    )


@claim("sequences.undo-the-initial-steps")
def test_building_a_sequence_takes_back_the_steps_of_its_parts():
    optimizer = two_groups()
    halves = [schedule("ConstantLR", factor=0.5).build(optimizer) for _ in range(3)]
    scheduler = lr_scheduler.SequentialLR(optimizer, halves, [2, 4])
    check.same(
        seen=[rates_of(optimizer), scheduler.get_last_lr()],
        expected=[[0.05, 0.01]] * 2,
        source="half of the initial rates, once",
    )


@claim("sequences.count-their-steps")
def test_last_epoch_of_a_sequence_counts_all_steps():
    optimizer = two_groups()
    scheduler = SEQUENCES[0].build(optimizer)
    seen = [scheduler.last_epoch]
    for _ in range(3):
        advance(optimizer, scheduler, 1)
        seen.append(scheduler.last_epoch)
    check.same(seen=seen, expected=[0, 1, 2, 3], source="the steps taken")


@claim("sequences.last-rates")
@pytest.mark.parametrize("sequence", [pytest.param(c, id=c.preset) for c in SEQUENCES])
def test_get_last_lr_of_a_sequence_is_what_the_part_in_force_wrote(sequence):
    optimizer = two_groups()
    scheduler = sequence.build(optimizer)
    seen, expected = [scheduler.get_last_lr()], [rates_of(optimizer)]
    for _ in range(sequence.steps):
        expected += advance(optimizer, scheduler, 1)
        seen.append(scheduler.get_last_lr())
    check.same(seen=seen, expected=expected, source="the rates in the groups")


@claim("sequences.resume-by-last-epoch")
def test_a_sequence_built_with_last_epoch_goes_on():
    optimizer, resumed = two_groups(), two_groups()
    scheduler = Composition("two", "SequentialLR", (QUARTER, HALVING), (2,)).build(optimizer)
    advance(optimizer, scheduler, 4)
    resumed.load_state_dict(optimizer.state_dict())
    built = [part.build(resumed, last_epoch=e) for part, e in ((QUARTER, 3), (HALVING, 1))]
    later = lr_scheduler.SequentialLR(resumed, built, [2], last_epoch=3)
    check.same(
        seen=[rates_of(resumed), *advance(resumed, later, 2)],
        expected=[rates_of(optimizer), *advance(optimizer, scheduler, 2)],
        source="the sequence that was not interrupted",
    )
