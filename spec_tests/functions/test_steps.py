"""The functions behind the classes, called by hand."""

import importlib
import inspect

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import functions
from fixtures.catalogue.functions import Variant
from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import Operators
from fixtures.runs.function_call import GRADIENTS, FunctionCall

CHOICES = {"default": {}, "loop": {"foreach": False}, "foreach": {"foreach": True}}
CHOICE = pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
FUSED = ("sgd", "adam", "adamw", "adagrad")
# Those without a tensor for a count, or without an argument for one.
WITHOUT_CAPTURABLE = ("sgd", "adagrad")
SOURCE = "the oracle in fixtures/oracles"


def check_steps(function, variant, called):
    __tracebackhide__ = True
    check.close(
        seen=called.over_all_gradients(),
        expected=called.expected(function, variant),
        source=SOURCE,
        tolerance=STEPS,
    )


@claim("functions.take-the-steps-of-their-rule")
@CHOICE
@functions.each_variant()
def test_a_function_takes_the_steps_of_its_rule(function, variant, choice, device):
    check_steps(function, variant, FunctionCall(function, device, **variant.options, **choice))


@claim("functions.fused-steps-on-the-cpu")
@functions.each_variant(only=FUSED)
def test_a_function_takes_fused_steps(function, variant, device):
    counts = {"dtype": torch.float32}
    check_steps(
        function,
        variant,
        FunctionCall(function, device, counts=counts, **variant.options, fused=True),
    )


@claim("functions.capturable-steps")
@FOREACH
@functions.each_variant(but=WITHOUT_CAPTURABLE)
def test_a_function_takes_capturable_steps(function, variant, foreach, device):
    check_capturable_steps(function, variant, foreach, device)


@claim("functions.capturable-steps-on-the-host")
@FOREACH
@functions.each_variant(but=WITHOUT_CAPTURABLE)
def test_a_function_takes_capturable_steps_on_the_host(
    function, variant, foreach, the_cpu_as_accelerator
):
    check_capturable_steps(function, variant, foreach, the_cpu_as_accelerator)


def check_capturable_steps(function, variant, foreach, device):
    __tracebackhide__ = True
    counts = {"device": device}
    called = FunctionCall(
        function, device, counts=counts, **variant.options, foreach=foreach, capturable=True
    )
    check_steps(function, variant, called)


@claim("functions.step-parts-of-complex-numbers")
@FOREACH
@functions.each(but=("sgd",))
def test_a_function_steps_complex_tensors_if_told(function, foreach, device):
    kind = {"dtype": torch.complex128, "has_complex": True}
    check_steps(function, Variant(), FunctionCall(function, device, **kind, foreach=foreach))


@claim("functions.loop-by-default-on-the-cpu")
@functions.each()
def test_a_function_calls_no_foreach_kernel_unless_asked(function, device):
    called = FunctionCall(function, device)
    with Operators() as operators:
        called.step(GRADIENTS[0])
    seen = sorted(name for name in operators.names if name.startswith("_foreach"))
    assert seen == [], f"kernels over lists: {seen}"


@claim("functions.need-counts-as-tensors")
@functions.each(but=("asgd", "sgd"))
def test_step_counts_that_are_numbers_are_refused(function, device):
    called = FunctionCall(function, device)
    called.lists[-1] = [0 for _ in called.tensors]
    with pytest.raises(RuntimeError, match="state_steps"):
        called.step(GRADIENTS[0])


@claim("functions.foreach-refuses-differentiable")
@functions.each(but=("sgd",))
def test_a_function_takes_no_differentiable_steps_by_lists(function, device):
    called = FunctionCall(function, device, foreach=True, differentiable=True)
    with pytest.raises(AssertionError, match="autograd"):
        called.step(GRADIENTS[0])


@claim("functions.take-empty-lists")
@CHOICE
@functions.each()
def test_a_function_without_parameters_does_nothing(function, choice, device):
    called = FunctionCall(function, device, **choice)
    called.tensors, called.lists = [], [[] for _ in called.lists]
    called.step(())
    check.same(seen=called.lists, expected=[[] for _ in function.lists], source="the empty lists")


@claim("functions.take-empty-lists")
@functions.each(only=FUSED)
def test_a_fused_function_without_parameters_does_nothing(function, device):
    called = FunctionCall(function, device, fused=True)
    called.tensors, called.lists = [], [[] for _ in called.lists]
    called.step(())
    check.same(seen=called.lists, expected=[[] for _ in function.lists], source="the empty lists")


@claim("functions.public-for-every-optimizer")
def test_every_rule_but_that_of_lbfgs_has_a_public_function():
    seen = sorted(importlib.import_module("torch.optim.functional").__all__)
    names = {entry.name for entry in OPTIMIZERS} - {"LBFGS", "SparseAdam"}
    check.same(
        seen=seen,
        expected=sorted([name.lower() for name in names] + ["sparse_adam"]),
        source="the optimizers",
    )


@claim("functions.public-give-the-same-results")
@CHOICE
@functions.each()
def test_a_public_function_leads_where_the_other_does(function, choice, device):
    behind, public = (
        FunctionCall(function, device, module=module, **choice)
        for module in (function.module, "functional")
    )
    for called in (behind, public):
        for gradients in GRADIENTS:
            called.step(gradients)
    check.same(
        seen=[public.tensors, public.lists],
        expected=[behind.tensors, behind.lists],
        source="the function behind the class",
    )


@claim("functions.public-name-and-signature")
@pytest.mark.parametrize(
    "module, name",
    [
        *((function.module, function.name) for function in functions.FUNCTIONS),
        ("_adafactor", "adafactor"),
        ("_functional", "sparse_adam"),
        ("_muon", "muon"),
    ],
    ids=lambda name: name.replace("_", "."),
)
def test_a_public_function_says_where_it_lives(module, name):
    public = getattr(importlib.import_module("torch.optim.functional"), name)
    behind = getattr(importlib.import_module(f"torch.optim.{module}"), name)
    check.same(
        seen=[
            public.__module__,
            public.__name__,
            str(inspect.signature(public)),
            bool(public.__doc__),
        ],
        expected=["torch.optim.functional", name, str(inspect.signature(behind)), True],
        source="its place in the documentation",
    )
