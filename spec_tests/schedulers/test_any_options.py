"""Each schedule with options drawn at random, against its closed form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue.drawn.schedulers import OPTIONS, drawn
from fixtures.catalogue.schedulers import RATES, SCHEDULES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, momenta_of, rates_of, two_groups

LISTED = [s for s in SCHEDULES if any(isinstance(v, list) for v in s.options.values())]


@claim("schedules.hold-for-any-options")
@pytest.mark.parametrize("scheduler", OPTIONS)
@given(data=st.data())
def test_whatever_the_options_rate_and_momentum_are_those_of_the_closed_form(scheduler, data):
    schedule = data.draw(drawn(scheduler))
    optimizer = two_groups()
    unchanged = momenta_of(optimizer)
    built = schedule.build(optimizer)
    seen = [[*rates_of(optimizer), *momenta_of(optimizer)]]
    for _ in range(schedule.steps):
        advance(optimizer, built, 1)
        seen.append([*rates_of(optimizer), *momenta_of(optimizer)])
    momenta = [[schedule.momentum(t, g) for g in (0, 1)] for t in range(schedule.steps + 1)]
    expected = [
        [schedule.rate(t, rate, group) for group, rate in enumerate(RATES)]
        + [unchanged[g] if momenta[t][g] is None else momenta[t][g] for g in (0, 1)]
        for t in range(schedule.steps + 1)
    ]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=SCHEDULE,
    )


@claim("schedules.take-tuples-for-lists")
@pytest.mark.parametrize("schedule", [pytest.param(s, id=s.id) for s in LISTED])
def test_a_tuple_of_options_means_what_a_list_means(schedule):
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in schedule.options.items()}
    courses = []
    for options in (tuples, schedule.options):
        optimizer = two_groups()
        scheduler = Schedule("both", schedule.scheduler, options).build(optimizer)
        courses.append(
            [[rates_of(optimizer), advance(optimizer, scheduler, 1), momenta_of(optimizer)]
             for _ in range(12)]
        )  # fmt: skip
    check.same(seen=courses[0], expected=courses[1], source="the same options in lists")
