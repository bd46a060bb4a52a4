"""Schedulers and scalers over an optimizer whose step() was replaced by something that calls it."""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue.schedulers import SCHEDULES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import rates_of, two_groups

PLATEAU = Schedule("patience", "ReduceLROnPlateau", {"patience": 0, "factor": 0.5})
OF_EACH = tuple({s.scheduler: s for s in reversed((*SCHEDULES, PLATEAU))}.values())[::-1]
ON_EACH = pytest.mark.parametrize("schedule", OF_EACH, ids=lambda schedule: schedule.id)


class Callee:
    """An object that is called in the place of a step."""

    def __init__(self, step):
        self._step = step

    def __call__(self, closure=None):
        """Take the step."""
        return self._step(closure)


@dataclass(frozen=True)
class Replacement:
    """What stands in the place of ``optimizer.step``.

    Attributes:
        name: In the results.
        of: Makes it of the optimizer.
    """

    name: str
    of: Callable[[torch.optim.Optimizer], Callable]


def calling(optimizer):
    """Return a function that calls the step."""
    step = optimizer.step
    return lambda closure=None: step(closure)


def wrapping(optimizer):
    """Return a function that calls the step and looks like it."""
    return functools.wraps(optimizer.step)(calling(optimizer))


FUNCTIONS = (
    Replacement("function", calling),
    Replacement("wrapper", wrapping),
    Replacement("partial", lambda o: functools.partial(type(o).step, o)),
    Replacement("object", lambda o: Callee(o.step)),
)
METHODS = (
    Replacement(
        "method", lambda o: MethodType(lambda self, closure=None: type(self).step(self), o)
    ),
)


def replaced(replacement, **options):
    """Return an optimizer over two groups whose step was replaced."""
    optimizer = two_groups(**options)
    optimizer.step = replacement.of(optimizer)
    return optimizer


def course(schedule, optimizer):
    """Return the rates of five steps, the parameters at the end, and the warnings."""
    scheduler, rates = schedule.build(optimizer), []
    metric = (1.0,) if schedule.scheduler == "ReduceLROnPlateau" else ()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(5):
            for parameter in parameters:
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            scheduler.step(*metric)
            rates.append(rates_of(optimizer))
    return [rates, [p.detach() for p in parameters], [str(warning.message) for warning in caught]]


def compare(schedule, replacements):
    """Assert that a schedule is the same over a step that was replaced."""
    __tracebackhide__ = True
    seen = {each.name: course(schedule, replaced(each)) for each in replacements}
    check.same(
        seen=seen,
        expected=dict.fromkeys(seen, course(schedule, two_groups())),
        source="the optimizer's own step",
    )


@claim("order.step-may-be-a-function")
@ON_EACH
def test_a_scheduler_takes_an_optimizer_whose_step_is_a_function(schedule):
    compare(schedule, FUNCTIONS)


@claim("order.step-may-be-another-method")
@ON_EACH
def test_a_scheduler_takes_an_optimizer_whose_step_is_another_method(schedule):
    compare(schedule, METHODS)


@claim("rates.of-functions-that-return-tensors")
@pytest.mark.parametrize(
    "scheduler, options",
    [
        pytest.param("LambdaLR", {"lr_lambda": lambda t: 0.5**t}, id="lambdalr"),
        pytest.param("MultiplicativeLR", {"lr_lambda": lambda _: 0.5}, id="multiplicativelr"),
        pytest.param(
            "CyclicLR",
            {"base_lr": 0.0, "max_lr": 0.25, "step_size_up": 4, "scale_fn": lambda _: 0.5},
            id="cycliclr",
        ),
    ],
)
def test_a_function_that_returns_a_tensor_gives_the_rates_of_one_that_returns_a_number(
    scheduler, options
):
    function = next(name for name, value in options.items() if callable(value))
    tensors = {**options, function: lambda t: torch.tensor(float(options[function](t)))}
    rates = [
        course(Schedule("drawn", scheduler, chosen), two_groups((0.5, 0.25)))[0]
        for chosen in (tensors, options)
    ]
    check.same(seen=rates[0], expected=rates[1], source="a function that returns numbers")
