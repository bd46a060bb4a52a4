"""States of another class of scheduler, of something else, of another moment, and of other groups."""

from copy import deepcopy
from functools import cache

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue.compositions import COMPOSITIONS
from fixtures.catalogue.schedulers import SCHEDULES
from fixtures.claims import claim
from fixtures.runs.schedule_steps import rates_of, two_groups
from fixtures.runs.scheduler_state import PLATEAU, named, standing, state_of, step

ALL = (*SCHEDULES, *COMPOSITIONS, PLATEAU)
# The first of each class, with options that suit any number of groups.
ONE_OF_EACH = {
    s.scheduler: s for s in reversed(ALL) if not s.id.endswith((".of_each", ".three_phases"))
}
EACH = pytest.mark.parametrize(
    "schedule", [pytest.param(s, id=s.scheduler.lower()) for s in ONE_OF_EACH.values()]
)


def begun(schedule, steps=3, rates=(0.1, 0.02)):
    """Return an optimizer and its scheduler after some steps."""
    optimizer = two_groups(rates)
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, steps)
    return optimizer, scheduler


def advance(optimizer, scheduler, steps):
    """Step both so often, with a metric that does not improve; return the rates after each step."""
    rates = []
    for _ in range(steps):
        optimizer.step()
        step(scheduler, 1.0)
        rates.append(rates_of(optimizer))
    return rates


@cache
def states():
    """Return the state of each class of scheduler, and of other things, each with its name."""
    layer = torch.nn.Linear(1, 1)
    return {name: begun(schedule)[1].state_dict() for name, schedule in ONE_OF_EACH.items()} | {
        "an optimizer": two_groups().state_dict(),
        "a GradScaler": {"scale": 2.0, "growth_factor": 2.0},
        "a module": layer.state_dict(),
        "an AveragedModel": torch.optim.swa_utils.AveragedModel(layer).state_dict(),
    }


def of_others(schedule):
    """Return all states but that of the class itself; what loads one copies it."""
    return {name: state for name, state in states().items() if name != schedule.scheduler}


def loaded(scheduler, state):
    """Load a state; return what happens."""
    try:
        scheduler.load_state_dict(deepcopy(state))
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError):
        return "refused"
    return "accepted"


def without_parts(state):
    """Return a state without what is loaded part by part."""
    parts = ("lr_lambdas", "_schedulers", "_scale_fn_custom")
    return {key: entry for key, entry in state.items() if key not in parts}


@claim("scheduler-state.of-others-is-refused")
@EACH
def test_the_state_of_another_class_or_thing_is_refused(schedule):
    others = of_others(schedule)
    seen = {name: loaded(begun(schedule)[1], state) for name, state in others.items()}
    check.same(seen=seen, expected=dict.fromkeys(others, "refused"), source="who saved them")


@claim("scheduler-state.refused-changes-nothing")
@EACH
def test_a_state_that_is_refused_leaves_optimizer_and_scheduler(schedule):
    seen, expected = {}, {}
    for name, state in of_others(schedule).items():
        optimizer, scheduler = begun(schedule)
        before = deepcopy(standing(optimizer, scheduler))
        accepted = loaded(scheduler, state) == "accepted"
        seen[name] = before if accepted else standing(optimizer, scheduler)
        expected[name] = before
    check.same(seen=seen, expected=expected, source="where things stood before")


@claim("scheduler-state.of-others-becomes-attributes")
@EACH
def test_a_state_that_is_accepted_becomes_attributes_and_leaves_the_rest(schedule):
    seen, expected = {}, {}
    for name, state in of_others(schedule).items():
        optimizer, scheduler = begun(schedule)
        before, rates = state_of(scheduler), rates_of(optimizer)
        if loaded(scheduler, state) == "accepted":
            seen[name] = [without_parts(state_of(scheduler)), rates_of(optimizer)]
            expected[name] = [without_parts({**before, **named(state)}), rates]
    check.same(seen=seen, expected=expected, source="the own state, and over it what was loaded")


@claim("scheduler-state.from-the-beginning")
@EACH
def test_a_state_from_before_the_first_step_begins_anew(schedule):
    optimizer, scheduler = begun(schedule, steps=0)
    states = deepcopy([optimizer.state_dict(), scheduler.state_dict()])
    late = begun(schedule, steps=5)
    for each, state in zip(late, states, strict=True):
        each.load_state_dict(state)
    check.same(
        seen=[advance(*late, steps=8), standing(*late)],
        expected=[advance(optimizer, scheduler, steps=8), standing(optimizer, scheduler)],
        source="the schedule from its beginning",
    )


# They remember something for each group, and miss it at the next step.
REMEMBER = ("LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR")


@claim("scheduler-state.of-fewer-or-more-groups")
@EACH
def test_a_state_of_other_groups_is_loaded_and_goes_on_if_it_can(schedule):
    seen, expected = {}, {}
    for saved, own in (((0.1,), (0.1, 0.02)), ((0.1, 0.02), (0.1,))):
        optimizer, scheduler = begun(schedule, rates=own)
        scheduler.load_state_dict(deepcopy(begun(schedule, rates=saved)[1].state_dict()))
        name = f"{len(saved)} into {len(own)}"
        try:
            seen[name] = advance(optimizer, scheduler, 1)
        except ValueError as error:
            seen[name] = str(error)[:5]
        expected[name] = advance(*begun(schedule, rates=own), 1)
        if schedule.scheduler in REMEMBER:
            expected[name] = "zip()"
    check.same(seen=seen, expected=expected, source="a schedule that loaded nothing")
