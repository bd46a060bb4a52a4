"""The functions behind the classes, called by hand."""

import importlib

import pytest
import torch

from fixtures import check
from fixtures.catalogue import functions
from fixtures.catalogue.functions import LIKE_THE_RATE, NOTHING, RATE, ZEROS
from fixtures.claims import claim
from fixtures.operators import Operators
from fixtures.side_by_side import ORACLES, default_dtype, finest
from fixtures.tolerances import STEPS

STARTS = ([0.5, -1.0, 2.0], [1.5])
GRADIENTS = (
    ([0.25, -0.5, 1.0], [0.75]),
    ([0.5, 0.25, 1.0], [-0.25]),
    ([-0.125, 0.5, 2.0], [0.5]),
)
CHOICES = {"default": {}, "loop": {"foreach": False}, "foreach": {"foreach": True}}
CHOICE = pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)


class Called:
    """A function with the lists that it is to be called with."""

    def __init__(self, function, device, **options):
        self.call = getattr(
            importlib.import_module(f"torch.optim.{function.module}"), function.name
        )
        self.tensors = [self.tensor(start, device) for start in STARTS]
        self.lists = [[self.entry(kind, p) for p in self.tensors] for kind in function.lists]
        rate = {"lr": RATE} if function.takes_a_rate else {}
        self.options = {**function.options, **rate, **options}

    @staticmethod
    def tensor(values, device):
        """Return the values in the finest dtype of the device."""
        return torch.tensor(values, dtype=finest(device), device=device)

    @staticmethod
    def entry(kind, parameter):
        """Return what a list starts with for a parameter."""
        if kind == NOTHING:
            return None
        if kind == ZEROS:
            return torch.zeros_like(parameter)
        if kind == LIKE_THE_RATE:
            return torch.full_like(parameter, RATE)
        return torch.tensor(kind, dtype=parameter.dtype)

    def step(self, gradients):
        """Call the function once with these gradients."""
        tensors = [self.tensor(values, self.tensors[0].device) for values in gradients]
        self.call(self.tensors, tensors, *self.lists, **self.options)


def steps_of_the_rule(function):
    """Return where the oracle's steps lead, with the options under the names of the class."""
    own = function.of_the_rule or {k: v for k, v in function.options.items() if k != "maximize"}
    oracle = ORACLES[function.optimizer](lr=RATE, **own)
    values = [list(start) for start in STARTS]
    for gradients in GRADIENTS:
        oracle.step(values, [list(gradient) for gradient in gradients])
    return values


@claim("functions.take-the-steps-of-their-rule")
@CHOICE
@functions.each()
def test_a_function_takes_the_steps_of_its_rule(function, choice, device):
    called = Called(function, device, **choice)
    with default_dtype(finest(device)):  # in which ASGD makes its scalars
        for gradients in GRADIENTS:
            called.step(gradients)
    check.close(
        seen=called.tensors,
        expected=[Called.tensor(values, device) for values in steps_of_the_rule(function)],
        source="the oracle in fixtures/oracles",
        tolerance=STEPS,
    )


@claim("functions.loop-unless-asked")
@functions.each()
def test_a_function_calls_no_foreach_kernel_unless_asked(function, device):
    called = Called(function, device)
    with Operators() as operators:
        called.step(GRADIENTS[0])
    seen = sorted(name for name in operators.names if name.startswith("_foreach"))
    assert seen == [], f"kernels over lists: {seen}"


@claim("functions.want-counts-as-tensors")
@functions.each(but=("asgd", "sgd"))
def test_step_counts_that_are_numbers_are_refused(function, device):
    called = Called(function, device)
    called.lists[-1] = [0 for _ in called.tensors]
    with pytest.raises(RuntimeError, match="state_steps"):
        called.step(GRADIENTS[0])
