"""The numeric options of every scheduler, at the edges of what they can mean."""

import math
from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue import arguments as catalogue
from fixtures.catalogue.arguments import in_tensors
from fixtures.claims import claim
from fixtures.oracles.plateau import plateau
from fixtures.runs.refusal import answer, refusal
from fixtures.runs.schedule_steps import momenta_of

RATE = 0.5
STEPS = 6
ERRORS = (ValueError, TypeError)
METRICS = (1.0,) * STEPS
PLATEAU = {"mode": "min", "threshold_mode": "rel", "factor": 0.1, "patience": 10, "threshold": 1e-4}


def one_group():
    parameter = torch.zeros(1, requires_grad=True)
    return torch.optim.SGD([parameter], lr=RATE, momentum=0.5)


def advance(optimizer, scheduler, name):
    """Step both, and return the rate and the momentum before the first step and after each."""
    metrics = [1.0] if name == "ReduceLROnPlateau" else []
    course = [[float(optimizer.param_groups[0]["lr"]), *momenta_of(optimizer)]]
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step(*metrics)
        course.append([float(optimizer.param_groups[0]["lr"]), *momenta_of(optimizer)])
    return course


def course(argument, value):
    """Return what a scheduler with an option at a value writes, or the error that ends it."""
    optimizer = one_group()
    try:
        scheduler = argument.schedule(value).build(optimizer)
        return advance(optimizer, scheduler, argument.scheduler)
    except (ArithmeticError, ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def closed_form(argument, value):
    """Return what the formula of a scheduler gives with an option at a value."""
    schedule = argument.schedule(value)
    if argument.scheduler == "ReduceLROnPlateau":
        options = {**PLATEAU, "cooldown": 0, "min_lr": 0.0, **schedule.options}
        return [[rate, 0.5] for rate in (RATE, *plateau(METRICS, RATE, **options))]
    momenta = [schedule.momentum(t) for t in range(STEPS + 1)]
    return [
        [schedule.rate(t, RATE), 0.5 if momentum is None else momentum]
        for t, momentum in enumerate(momenta)
    ]


def as_tensors(courses):
    return {
        name: rows if isinstance(rows, str) else torch.tensor(rows, dtype=torch.float64)
        for name, rows in courses.items()
    }


def check_refused(arguments, edges):
    """Check that each of these edges of each option is an error when the scheduler is built."""
    __tracebackhide__ = True
    asked = {
        f"{argument.name}={value}": argument.schedule(value)
        for argument in arguments
        for edge, value in argument.without_a_meaning().items()
        if edge in edges
    }
    seen = {
        text: answer(lambda schedule=schedule: schedule.build(one_group()), *ERRORS)
        for text, schedule in asked.items()
    }
    check.same(seen=seen, expected=dict.fromkeys(asked, refusal(*ERRORS)), source="has no meaning")


@claim("scheduler-options.nan-raises")
@catalogue.each()
def test_an_option_that_is_nan_is_an_error(arguments):
    check_refused(arguments, ("nan",))


@claim("scheduler-options.lengths-out-of-range")
@catalogue.each(kinds=catalogue.WHOLE)
def test_a_length_that_no_schedule_can_have_is_an_error(arguments):
    check_refused(arguments, ("zero", "negative"))


@claim("scheduler-options.lengths-are-integers")
@catalogue.each(kinds=catalogue.WHOLE)
def test_a_length_that_is_no_whole_number_is_an_error(arguments):
    check_refused(arguments, ("fraction",))


@claim("scheduler-options.factors-out-of-range")
@catalogue.each(kinds=("factor", "rate", "divisor", "exponent", "share", "bound"))
def test_a_factor_that_makes_a_rate_negative_or_infinite_is_an_error(arguments):
    check_refused(arguments, ("zero", "negative", "infinite"))


@claim("scheduler-options.edges-follow-the-closed-form")
@catalogue.each()
def test_an_option_at_an_edge_with_a_meaning_gives_the_closed_form(arguments):
    asked = {
        f"{argument.name}={value}": (argument, value)
        for argument in arguments
        for value in argument.with_a_meaning().values()
    }
    check.close(
        seen=as_tensors({text: course(*pair) for text, pair in asked.items()}),
        expected=as_tensors({text: closed_form(*pair) for text, pair in asked.items()}),
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=SCHEDULE,
    )


@claim("scheduler-options.bools-count-as-numbers")
@catalogue.each()
def test_a_bool_counts_as_0_or_1(arguments):
    asked = {
        f"{argument.name}={value}": (argument, value)
        for argument in arguments
        for value in (True, False)
        if argument.name not in ("milestones", "pct_start")
    }
    seen = {text: outcome(argument, value) for text, (argument, value) in asked.items()}
    expected = {text: outcome(argument, int(value)) for text, (argument, value) in asked.items()}
    check.same(seen=seen, expected=expected, source="the integer in place of the bool")


def outcome(argument, value):
    """Return a course as text, or the type of the error that ends it."""
    result = course(argument, value)
    return result.partition(":")[0] if isinstance(result, str) else str(result)


def check_counts(arguments, form):
    """Check that each option in a tensor gives the rates of its number, and leaves the tensor alone."""
    __tracebackhide__ = True
    asked = {
        f"{argument.name} in a {form}": (argument, in_tensors(argument)[form])
        for argument in arguments
        if not argument.only_numbers
    }
    before = {text: deepcopy(tensor) for text, (_, tensor) in asked.items()}
    seen = {text: rounded(course(*pair)) for text, pair in asked.items()}
    after = {text: tensor for text, (_, tensor) in asked.items()}
    expected = {
        text: rounded(course(argument, argument.with_a_meaning()["usual"]))
        for text, (argument, _) in asked.items()
    }
    check.close(
        seen={"rates": seen, "options": after},
        expected={"rates": expected, "options": before},
        source="the number in place of the tensor, which stays as it was",
        tolerance=SCHEDULE,
    )


@claim("scheduler-options.tensors-count-as-numbers")
@catalogue.each()
def test_a_scalar_tensor_counts_as_its_number(arguments):
    check_counts(arguments, "scalar")


@claim("scheduler-options.one-element-tensors-count")
@catalogue.each()
def test_a_tensor_of_one_element_counts_as_its_number(arguments):
    check_counts(arguments, "vector")


def rounded(rows):
    return rows if isinstance(rows, str) else torch.tensor(rows, dtype=torch.float32)


@claim("scheduler-options.tensors-are-refused")
@catalogue.each()
def test_a_tensor_for_a_checked_integer_is_an_error(arguments, not_applicable):
    checked = [argument for argument in arguments if argument.only_numbers]
    if not checked:
        not_applicable("every option of the scheduler may be a tensor")
    seen = {
        f"{argument.name} in a {form}": answer(
            lambda argument=argument, tensor=tensor: argument.schedule(tensor).build(one_group()),
            ValueError,
            naming=argument.name,
        )
        for argument in checked
        for form, tensor in in_tensors(argument).items()
    }
    check.same(seen=seen, expected=dict.fromkeys(seen, "ValueError"), source="not a number")


# Options that are read anew at each step, with values that the constructor mostly refuses, or should.
LATER = {
    "StepLR": ("gamma", -0.5),
    "MultiStepLR": ("gamma", -0.5),
    "ExponentialLR": ("gamma", -0.5),
    "LinearLR": ("end_factor", 1.5),
    "PolynomialLR": ("power", 0.5),
    "CosineAnnealingLR": ("eta_min", -0.125),
    "CosineAnnealingWarmRestarts": ("eta_min", -0.125),
}


@claim("scheduler-options.later-values-are-not-checked")
@pytest.mark.parametrize("path", ["assignment", "state"])
@pytest.mark.parametrize("name", LATER)
def test_a_value_that_comes_later_gives_the_closed_form(name, path):
    option, value = LATER[name]
    argument = next(a for a in catalogue.of(name) if a.name == option)
    optimizer = one_group()
    scheduler = argument.schedule(argument.usual).build(optimizer)
    if path == "assignment":
        setattr(scheduler, option, value)
    else:
        scheduler.load_state_dict({**scheduler.state_dict(), option: value})
    check.close_numbers(
        seen=advance(optimizer, scheduler, name),
        expected=closed_form(argument, value),
        source="closed form at the value that came later",
        tolerance=SCHEDULE,
    )


@claim("scheduler-options.later-nan-spreads")
@pytest.mark.parametrize("name", LATER)
def test_nan_that_comes_later_makes_every_further_rate_nan(name):
    option, _ = LATER[name]
    argument = next(a for a in catalogue.of(name) if a.name == option)
    optimizer = one_group()
    scheduler = argument.schedule(argument.usual).build(optimizer)
    scheduler.load_state_dict({**scheduler.state_dict(), option: math.nan})
    rates = [rate for rate, _ in advance(optimizer, scheduler, name)]
    assert math.isnan(rates[3]), f"the rates are {rates}"
