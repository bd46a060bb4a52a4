"""The numeric options of every optimizer, at the edges of what they can mean, by every path."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.refusal import TAKEN, answer, refusal
from fixtures.runs.training import Training, start

NAN, INF = math.nan, math.inf
ERRORS = (ValueError, TypeError)
REFUSED = refusal(*ERRORS)
OWN = optimizers.each(which="is_torch_s_own")


@dataclass(frozen=True)
class Numbers:
    """The numeric options of an optimizer that count steps, and those that are bounds and sizes.

    Attributes:
        counts: Those that are numbers of steps or of entries.
        unchecked: The others of which torch looks at none, each with values that have no meaning.
    """

    counts: dict[str, tuple[Any, ...]]
    unchecked: dict[str, tuple[Any, ...]]


# Counts: below 0, infinite, fractions. Sizes: below 0, and in the wrong order.
NUMBERS = {
    "ASGD": Numbers({}, {"lambd": (-1.0, INF), "t0": (-1.0,), "alpha": (-INF,)}),
    "LBFGS": Numbers(
        {
            "max_iter": (-1, 2.5, INF), "max_eval": (-1, 2.5), "history_size": (0, -1, 2.5, INF),
        },
        {"tolerance_grad": (-1.0,), "tolerance_change": (-1.0,)},
    ),
    "Muon": Numbers({"ns_steps": (-1, 2.5, INF)}, {"eps": (-1.0,)}),
    "Rprop": Numbers({}, {"step_sizes": ((-1.0, 50), (1e-6, -1.0), (1.0, 0.5))}),
    "SGD": Numbers({}, {"dampening": (-INF, INF)}),
}  # fmt: skip
NAN_IN = {
    "ASGD": ("lambd", "alpha", "t0"),
    "LBFGS": ("max_iter", "max_eval", "history_size", "tolerance_grad", "tolerance_change"),
    "Muon": ("eps", "ns_steps"),
    "SGD": ("dampening",),
}
NAN_PAIRS = {
    "Rprop": {"step_sizes": ((NAN, 50), (1e-6, NAN))},
    "Muon": {"ns_coefficients": ((NAN, 1, 1),)},
}


def check_refused(case, device, asked):
    """Check that an optimizer refuses to be built with each of these options."""
    __tracebackhide__ = True
    parameters = start(case, device)
    seen = {
        f"{option}={value}": answer(
            lambda option=option, value=value: case.build(parameters, **{option: value}), *ERRORS
        )
        for option, values in asked.items()
        for value in values
    }
    check.same(seen=seen, expected=dict.fromkeys(seen, REFUSED), source="has no meaning")


@claim("refused.nan-in-every-option")
@optimizers.each(only=("ASGD", "LBFGS", "Muon", "Rprop", "SGD"))
def test_nan_is_refused_where_no_range_is_asked_for(case, device):
    name = case.optimizer.name
    asked = dict.fromkeys(NAN_IN.get(name, ()), (NAN,)) | NAN_PAIRS.get(name, {})
    check_refused(case, device, asked)


@claim("refused.counts-out-of-range")
@optimizers.each(only=("LBFGS", "Muon"))
def test_a_count_is_a_positive_integer(case, device):
    check_refused(case, device, NUMBERS[case.optimizer.name].counts)


@claim("refused.sizes-out-of-range")
@optimizers.each(only=("ASGD", "LBFGS", "Muon", "Rprop", "SGD"))
def test_a_size_without_a_meaning_is_an_error(case, device):
    check_refused(case, device, NUMBERS[case.optimizer.name].unchecked)


# A number for each option, exact in float32, and what an option in betas or etas is.
USUAL = {
    "lr": 0.03125, "weight_decay": 0.25, "eps": 0.25, "momentum": 0.25, "dampening": 0.25, "rho": 0.5,
    "alpha": 0.5, "lambd": 0.25, "t0": 1.0, "lr_decay": 0.25, "initial_accumulator_value": 0.25,
    "momentum_decay": 0.25, "beta2_decay": -0.5, "d": 1.5, "tolerance_grad": 0.25,
    "tolerance_change": 0.25, "max_iter": 3, "max_eval": 3, "history_size": 3, "ns_steps": 3,
}  # fmt: skip


def numbers_of(case):
    """Return the options of an optimizer that hold one number."""
    return [option for option in case.optimizer.options if option in USUAL]


def after_a_step(case, device, **options):
    """Return the parameters after two steps with an option, or the type of error that ends them."""
    training = Training(case, device)
    short = {"max_iter": 4} if "max_iter" in case.optimizer.options else {}
    try:
        training.optimizer = case.build(training.parameters, **{**short, **options})
        training.run(2)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        return f"an error: {type(error).__name__}"
    return [value.to_dense().cpu() for value in training.values()]


FORMS = {
    "scalar": torch.tensor,
    "vector": lambda number: torch.tensor([number]),
}


def check_counts_or_raises(case, device, asked):
    """Check that what is given gives the steps of a number, or is an error: (option, given, number)."""
    __tracebackhide__ = True
    seen = {
        f"{option}={given}": after_a_step(case, device, **{option: given})
        for option, given, _ in asked
    }
    by_number = {
        f"{option}={given}": after_a_step(case, device, **{option: number})
        for option, given, number in asked
    }
    expected = {
        text: result if isinstance(result, str) else by_number[text]
        for text, result in seen.items()
    }
    check.close(seen=seen, expected=expected, source="the number instead", tolerance=STEPS)


@claim("refused.one-element-tensors-count-or-raise")
@pytest.mark.parametrize("form", FORMS)
@OWN
def test_a_tensor_counts_as_its_number_or_is_an_error(case, form, device):
    asked = [(name, FORMS[form](USUAL[name]), USUAL[name]) for name in numbers_of(case)]
    check_counts_or_raises(case, device, asked)


@claim("refused.bools-count-or-raise")
@OWN
def test_a_bool_counts_as_its_number_or_is_an_error(case, device):
    asked = [
        (name, value, type(USUAL[name])(value))
        for name in numbers_of(case)
        for value in (True, False)
    ]
    check_counts_or_raises(case, device, asked)


def by_group(case, training, option, value):
    groups = [{"params": training.parameters, option: value}]
    return case.build(groups)


def by_assignment(case, training, option, value):
    optimizer = case.build(training.parameters)
    optimizer.param_groups[0][option] = value
    return optimizer


def by_state(case, training, option, value):
    optimizer = case.build(training.parameters)
    state = optimizer.state_dict()
    state["param_groups"][0][option] = value
    optimizer.load_state_dict(state)
    return optimizer


LATER = (by_group, by_assignment, by_state)


@claim("refused.later-values-are-taken")
@pytest.mark.parametrize("value", [-0.25, NAN], ids=["negative", "nan"])
@optimizers.each(which="is_torch_s_own", but="needs_closure")
def test_a_value_that_the_constructor_refuses_is_taken_by_every_other_path(case, value, device):
    outcomes = {path.__name__: outcome_of(path, case, value, device) for path in LATER}
    expected = {path: [TAKEN, *outcomes["by_group"][1:]] for path in outcomes}
    check.same(seen=outcomes, expected=expected, source="by the group, without an error")


def outcome_of(path, case, rate, device):
    """Return whether a rate is taken by a path, and the parameters after a step."""
    training = Training(case, device)
    training.optimizer = path(case, training, "lr", rate)
    return [answer(lambda: training.run(1)), *(value.to_dense() for value in training.values())]
