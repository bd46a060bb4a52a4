"""The functions of Adafactor, Muon and SparseAdam, whose arguments are not those of the others."""

import importlib

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# Module, function, its lists by their keys in the state, and what it requires besides the options of a group.
OTHERS = {
    "Adafactor": ("_adafactor", "adafactor", ("row_var", "col_var", "variance", "step"), {}),
    "Muon": ("_muon", "muon", ("momentum_buffer",), {"has_complex": False}),
    "SparseAdam": ("_functional", "sparse_adam", ("exp_avg", "exp_avg_sq", "step"), {}),
}


def renamed(options):
    """Return the options of a group by the names that the functions have for them."""
    others = {k: v for k, v in options.items() if k not in ("params", "betas")}
    if "betas" in options:
        others["beta1"], others["beta2"] = options["betas"]
    if isinstance(options["eps"], tuple):
        others["eps1"], others["eps2"] = others.pop("eps")
    return others


class ByHand:
    """The parameters of a training and their state, for the function of its optimizer."""

    def __init__(self, training):
        module, name, keys, required = OTHERS[training.case.optimizer.name]
        self.call = getattr(importlib.import_module(f"torch.optim.{module}"), name)
        states = [training.optimizer.state[p] for p in training.parameters]
        self.parameters = training.values()
        self.gradients = training.gradients()
        self.lists = [[copied(state.get(key)) for state in states] for key in keys]
        self.options = {**renamed(training.optimizer.param_groups[0]), **required}

    def step(self, **options):
        with torch.no_grad():
            self.call(self.parameters, self.gradients, *self.lists, **{**self.options, **options})


def copied(entry):
    return entry.clone() if isinstance(entry, torch.Tensor) else entry


def begun(case, device):
    """Return a training after two steps, with fresh gradients."""
    training = Training(case, device)
    training.run(2)
    training.closure()
    return training


@claim("functions.take-the-steps-of-their-class")
@optimizers.each(
    which=("is_torch_s_own", "accepts_dense_gradients"),
    but=("elementwise", "needs_closure"),
    every_preset=True,
)
def test_a_function_does_what_the_step_of_its_class_does(case, device):
    training = begun(case, device)
    check_one_step(ByHand(training), training)


@claim("functions.take-the-steps-of-their-class")
@optimizers.each(only=("SparseAdam",), every_preset=True)
def test_the_function_of_sparse_adam_does_so_if_it_is_told_the_next_counts(case, device):
    training = begun(case, device)
    by_hand = ByHand(training)
    by_hand.lists[-1] = [count + 1 for count in by_hand.lists[-1]]
    check_one_step(by_hand, training)


def check_one_step(by_hand, training):
    __tracebackhide__ = True
    by_hand.step()
    training.step()
    after = ByHand(training)
    check.same(
        seen=[by_hand.parameters, by_hand.lists],
        expected=[after.parameters, after.lists],
        source="the step of the class",
    )


@claim("functions.sparse-adam-counts-no-steps")
@optimizers.each(only=("SparseAdam",))
def test_the_function_of_sparse_adam_leaves_the_counts(case, device):
    by_hand = ByHand(begun(case, device))
    by_hand.step()
    check.same(seen=by_hand.lists[-1], expected=[2, 2], source="the counts that were given")


# What to put into the lists or the options, and the error.
BY_ADAFACTOR = {
    "counts_of_numbers": (lambda given: given.lists.__setitem__(3, [2, 2]), {}, RuntimeError),
    "no_row": (lambda given: given.lists.__setitem__(0, [None, None]), {}, AssertionError),
    "no_column": (lambda given: given.lists.__setitem__(1, [None, None]), {}, AssertionError),
    "no_variance": (lambda given: given.lists.__setitem__(2, [None, None]), {}, AssertionError),
    "a_scale": (lambda given: None, {"grad_scale": 1.0}, AssertionError),
    "an_infinity": (lambda given: None, {"found_inf": 1.0}, AssertionError),
}


@claim("functions.adafactor-refused-arguments")
@pytest.mark.parametrize("spoil, options, error", BY_ADAFACTOR.values(), ids=BY_ADAFACTOR)
@optimizers.each(only=("Adafactor",))
def test_the_function_of_adafactor_refuses(case, spoil, options, error, device):
    by_hand = ByHand(begun(case, device))
    spoil(by_hand)
    with pytest.raises(error, match=r"state_steps|should be defined|outside"):
        by_hand.step(**options)


BY_MUON = {
    "foreach": (
        lambda given: None,
        {"foreach": True},
        RuntimeError,
        "oreach",
    ),
    "vectors": (
        lambda given: given.gradients.__setitem__(0, given.gradients[0][0]),
        {},
        ValueError,
        "2D",
    ),
    "complex_parameters": (lambda given: None, {"has_complex": True}, ValueError, "omplex"),
}


@claim("functions.muon-refused-arguments")
@pytest.mark.parametrize("spoil, options, error, word", BY_MUON.values(), ids=BY_MUON)
@optimizers.each(only=("Muon",))
def test_the_function_of_muon_refuses(case, spoil, options, error, word, device):
    by_hand = ByHand(begun(case, device))
    spoil(by_hand)
    with pytest.raises(error, match=word):
        by_hand.step(**options)


@claim("functions.muon-unknown-adjust-lr-fn")
@pytest.mark.parametrize("name", ["", "unheard_of"], ids=["empty", "unheard_of"])
@optimizers.each(only=("Muon",))
def test_an_adjustment_that_muon_does_not_know_is_none(case, name, device):
    wide = slice(0, 1)  # of which the original adjustment is 1
    seen, expected = ByHand(begun(case, device)), ByHand(begun(case, device))
    seen.options["adjust_lr_fn"] = name
    for given in (seen, expected):
        given.step()
    check.same(
        seen=seen.parameters[wide],
        expected=expected.parameters[wide],
        source="the original adjustment of a wide matrix, which is 1",
    )
