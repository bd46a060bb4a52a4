"""The numeric options of every optimizer, at the edges of what they can mean, by every path."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.refusal import TAKEN, answer, refusal
from fixtures.runs.training import Training, start

NAN, INF = math.nan, math.inf
ERRORS = (ValueError, TypeError)
REFUSED = refusal(*ERRORS)
OWN = optimizers.each(which="is_torch_s_own")


# What has no meaning, of the options for which torch asks for no range: counts of steps and entries, ...
COUNTS = {
    "LBFGS": {
        "max_iter": (-1, 2.5, INF), "max_eval": (-1, 2.5), "history_size": (0, -1, 2.5, INF),
    },
    "Muon": {"ns_steps": (-1, 2.5, INF)},
}  # fmt: skip
# ... sizes below 0, infinite ones, and bounds in the wrong order, ...
SIZES = {
    "ASGD": {"lambd": (-1.0, INF), "t0": (-1.0,), "alpha": (-INF,)},
    "LBFGS": {"tolerance_grad": (-1.0,), "tolerance_change": (-1.0,)},
    "Muon": {"eps": (-1.0,)},
    "Rprop": {"step_sizes": ((-1.0, 50), (1e-6, -1.0), (1.0, 0.5))},
    "SGD": {"dampening": (-INF, INF)},
}
# ... and NaN.
NANS = {
    "ASGD": {"lambd": (NAN,), "alpha": (NAN,), "t0": (NAN,)},
    "LBFGS": {
        "max_iter": (NAN,), "max_eval": (NAN,), "history_size": (NAN,), "tolerance_grad": (NAN,),
        "tolerance_change": (NAN,),
    },
    "Muon": {"eps": (NAN,), "ns_steps": (NAN,), "ns_coefficients": ((NAN, 1, 1),)},
    "Rprop": {"step_sizes": ((NAN, 50), (1e-6, NAN))},
    "SGD": {"dampening": (NAN,)},
}  # fmt: skip


def each_of(table):
    """Parametrize a test with a case and what is asked of it, for each optimizer of a table."""
    cases = [
        (Case(optimizers.by_name(name), Preset("default")), row) for name, row in table.items()
    ]
    return pytest.mark.parametrize(
        "case, asked", [pytest.param(case, row, id=case.id) for case, row in cases]
    )


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
@each_of(NANS)
def test_nan_is_refused_where_no_range_is_asked_for(case, asked, device):
    check_refused(case, device, asked)


@claim("refused.counts-out-of-range")
@each_of(COUNTS)
def test_a_count_is_a_positive_integer(case, asked, device):
    check_refused(case, device, asked)


@claim("refused.sizes-out-of-range")
@each_of(SIZES)
def test_a_size_without_a_meaning_is_an_error(case, asked, device):
    check_refused(case, device, asked)


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
