"""What an optimizer remembers, and from when on."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# What an option adds to the entries that the optimizer keeps anyway.
ADDED_BY = {"momentum": "momentum_buffer", "amsgrad": "max_exp_avg_sq", "centered": "grad_avg"}


def entries(training):
    state = training.optimizer.state
    return [sorted(state[p]) if p in state else None for p in training.parameters]


@claim("state.empty-before-the-first-step")
@optimizers.each(every_preset=True, but="keeps_state_from_construction")
def test_there_is_no_state_before_the_first_step(case, device):
    training = Training(case, device)
    training.backward()
    check.same(seen=entries(training), expected=[None, None], source="no step has been taken")


@claim("state.adagrad-starts-with-its-sums")
@pytest.mark.parametrize("start", [0.0, 0.5], ids=["default", "initial"])
@optimizers.each(only=("Adagrad",))
def test_adagrad_has_its_accumulator_from_the_start(case, start, device):
    training = Training(case, device, initial_accumulator_value=start)
    state = training.optimizer.state
    check.same(
        seen=[[float(state[p]["step"]), state[p]["sum"]] for p in training.parameters],
        expected=[[0.0, torch.full_like(p, start)] for p in training.parameters],
        source="initial_accumulator_value in every entry",
    )


@claim("state.adagrad-shares-its-sums")
@optimizers.each(only=("Adagrad",))
def test_adagrad_shares_the_memory_of_its_sums(case, device):
    groups = [{"params": [parameter]} for parameter in Training(case, device).parameters]
    optimizer = case.build(groups, initial_accumulator_value=0.5)
    optimizer.share_memory()
    seen = [[state["sum"].is_shared(), state["sum"]] for state in optimizer.state.values()]
    expected = [[True, torch.full_like(p, 0.5)] for p in optimizer.state]
    check.same(seen=seen, expected=expected, source="the sums from construction on")


@claim("state.appears-at-the-first-step")
@optimizers.each(which="keeps_state", but="keeps_one_state")
def test_the_first_step_gives_each_parameter_its_state(case, device):
    training = Training(case, device)
    training.run(1)
    expected = [sorted(case.state_of(parameter)) for parameter in training.parameters]
    check.same(seen=entries(training), expected=expected, source="the algorithm's variables")


@claim("state.appears-at-the-first-step")
@optimizers.each(only=("LBFGS",))
def test_the_first_step_of_lbfgs_gives_the_first_parameter_all_the_state(case, device):
    training = Training(case, device)
    training.run(1)
    expected = [sorted(case.optimizer.state_keys), None]
    check.same(seen=entries(training), expected=expected, source="the algorithm's variables")


@claim("state.adafactor-factors-a-matrix")
@optimizers.each(only=("Adafactor",))
def test_adafactor_keeps_a_row_and_a_column_for_a_matrix(case, device):
    training = Training(case, device)
    training.run(1)
    state, (vector, matrix) = training.optimizer.state, training.parameters
    shapes = [
        {key: list(value.shape) for key, value in state[parameter].items() if key != "step"}
        for parameter in (vector, matrix)
    ]
    expected = [{"variance": [2]}, {"row_var": [2, 1], "col_var": [1, 3]}]
    check.same(seen=shapes, expected=expected, source="a vector of 2, and a matrix of 2 x 3")


@claim("state.plain-sgd-keeps-none")
@optimizers.each(only=("SGD",))
def test_plain_sgd_has_no_state_after_a_step(case, device):
    training = Training(case, device)
    training.run(2)
    check.same(
        seen=len(training.optimizer.state),
        expected=0,
        source="the rule without momentum, which keeps nothing",
    )


@claim("state.plain-sgd-kept-an-empty-entry")
@optimizers.each(only=("SGD",))
def test_plain_sgd_keeps_none_as_a_buffer(case, device):
    training = Training(case, device)
    training.run(2)
    state = training.optimizer.state
    expected = [{"momentum_buffer": None}] * 2
    seen = [dict(state[p]) for p in training.parameters]
    check.same(
        seen=seen, expected=expected, source="the rule without momentum, which keeps nothing"
    )


@claim("state.options-add-entries")
@optimizers.each(having="momentum")
def test_momentum_adds_a_buffer(case, device):
    check_added(case, device)


@claim("state.options-add-entries")
@optimizers.each(having="amsgrad")
def test_amsgrad_adds_a_maximum(case, device):
    check_added(case, device)


@claim("state.options-add-entries")
@optimizers.each(having="centered")
def test_centering_adds_an_average_of_the_gradients(case, device):
    check_added(case, device)


def check_added(case, device):
    __tracebackhide__ = True
    training = Training(case, device)
    training.run(1)
    chosen = [option for option, value in case.preset.options.items() if value]
    added = [ADDED_BY[option] for option in chosen if option in ADDED_BY]
    expected = [sorted({*case.optimizer.state_keys, *added})] * 2
    check.same(seen=entries(training), expected=expected, source="the variables of the options")
