"""Where the warnings of schedulers point, and that they are what they say."""

import gc
import inspect
import warnings
import weakref

import pytest
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.catalogue import compositions
from fixtures.catalogue.schedulers import Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, two_groups

STAIRS = Schedule("stairs", "StepLR", {"step_size": 2})


def wrong_order():
    STAIRS.build(two_groups()).step()


def overridden():
    optimizer = two_groups()
    scheduler = STAIRS.build(optimizer)
    optimizer.step = lambda: None
    scheduler.step()


def epoch():
    optimizer = two_groups()
    scheduler = STAIRS.build(optimizer)
    optimizer.step()
    scheduler.step(3)


def epoch_of_a_plateau():
    lr_scheduler.ReduceLROnPlateau(two_groups()).step(1.0, 3)


def get_lr():
    STAIRS.build(two_groups()).get_lr()


def functions_of(act):
    """Return the category of each warning, and the function in whose lines it points."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return [
        (warning.category.__name__, function.__qualname__)
        for warning in caught
        for function in (act, lr_scheduler.StepLR.get_lr)
        if warning.filename == inspect.getfile(function) and warning.lineno in lines_of(function)
    ]


def lines_of(function):
    lines, first = inspect.getsourcelines(function)
    return range(first, first + len(lines))


@claim("order.warnings-name-the-calling-line")
@pytest.mark.parametrize("act", [wrong_order, overridden, epoch, epoch_of_a_plateau])
def test_the_warning_points_to_the_call_of_step(act):
    check.same(
        seen=functions_of(act),
        expected=[("UserWarning", act.__name__)],
        source="the line that calls step()",
    )


@claim("order.get-lr-warning-names-own-line")
def test_the_warning_of_get_lr_points_to_get_lr():
    seen = functions_of(get_lr)
    check.same(
        seen=seen, expected=[("UserWarning", "StepLR.get_lr")], source="the line within get_lr()"
    )


@claim("order.no-false-alarm-of-compositions")
@compositions.each()
def test_the_right_order_of_a_composition_warns_of_nothing(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        advance(optimizer, scheduler, 22)
    assert [str(warning.message)[:60] for warning in caught] == []


@claim("scheduler-lifetime.no-reference-cycle")
@compositions.each_of_all("is_of_lr_scheduler")
def test_scheduler_and_optimizer_are_freed_without_the_collector(schedule):
    gc.disable()
    try:
        optimizer = two_groups()
        scheduler = schedule.build(optimizer)
        advance(optimizer, scheduler, 2)
        alive = weakref.ref(optimizer), weakref.ref(scheduler)
        del optimizer, scheduler
        seen = [reference() is None for reference in alive]
    finally:
        gc.enable()
    check.same(seen=seen, expected=[True, True], source="reference counts that fall to zero")
