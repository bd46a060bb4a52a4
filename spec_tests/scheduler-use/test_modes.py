"""Calls of a scheduler in the modes of torch, and outside of them in between."""

import pytest

from fixtures.assertions import check
from fixtures.catalogue import modes
from fixtures.catalogue.schedulers import SCHEDULES, Schedule
from fixtures.claims import claim
from fixtures.runs.calls_in_modes import SchedulerCalls, in_turn, outside

PLATEAU = Schedule("patience", "ReduceLROnPlateau", {"patience": 0, "factor": 0.5})
# The first preset of each.
OF_EACH = tuple({s.scheduler: s for s in reversed((*SCHEDULES, PLATEAU))}.values())[::-1]


@claim("rates.same-in-every-mode")
@pytest.mark.parametrize("schedule", OF_EACH, ids=lambda schedule: schedule.id)
def test_no_call_of_a_scheduler_heeds_a_mode(schedule):
    every_mode = (
        *modes.OTHERS,
        modes.AUTOCAST,
        modes.INFERENCE,
        *modes.DEFAULT_DEVICES,
        *modes.HALF_DEFAULTS,
        *modes.DERIVATIVES,
    )
    check.same(
        seen=in_turn(lambda: SchedulerCalls(schedule), every_mode),
        expected=outside(lambda: SchedulerCalls(schedule), every_mode),
        source="the same calls without any mode",
    )
