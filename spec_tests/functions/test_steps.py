"""The functions behind the classes, called by hand."""

import importlib
import inspect

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import functions, optimizers
from fixtures.catalogue.functions import COUNTS_IN_TENSORS, HAS_COMPLEX, Variant
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import Operators
from fixtures.runs.function_call import GRADIENTS, FunctionCall


@claim("functions.take-the-steps-of-their-rule")
@functions.each_variant()
def test_a_function_takes_the_steps_of_its_rule(function, variant, implementation, device):
    FunctionCall(function, device, implementation, **variant.options).check(variant)


@claim("functions.take-the-steps-of-their-rule")
@functions.each_variant()
def test_a_function_takes_the_steps_of_its_rule_by_default(function, variant, device):
    FunctionCall(function, device, **variant.options).check(variant)


@claim("functions.step-parts-of-complex-numbers")
@functions.each(taking=(HAS_COMPLEX,))
def test_a_function_steps_complex_tensors_if_told(function, implementation, device):
    kind = {"dtype": torch.complex128, "has_complex": True}
    FunctionCall(function, device, implementation, **kind).check(Variant())


@claim("functions.loop-by-default-on-the-cpu")
@functions.each()
def test_a_function_calls_no_foreach_kernel_unless_asked(function, device):
    called = FunctionCall(function, device)
    with Operators() as operators:
        called.step(GRADIENTS[0])
    seen = sorted(name for name in operators.names if name.startswith("_foreach"))
    assert seen == [], f"kernels over lists: {seen}"


@claim("functions.need-counts-as-tensors")
@functions.each(taking=(COUNTS_IN_TENSORS,))
def test_step_counts_that_are_numbers_are_refused(function, device):
    called = FunctionCall(function, device)
    called.lists[-1] = [0 for _ in called.tensors]
    with pytest.raises(RuntimeError, match="state_steps"):
        called.step(GRADIENTS[0])


@claim("functions.foreach-refuses-differentiable")
@functions.each(taking=("differentiable",))
def test_a_function_takes_no_differentiable_steps_by_lists(function, device):
    called = FunctionCall(function, device, foreach=True, differentiable=True)
    with pytest.raises(AssertionError, match="autograd"):
        called.step(GRADIENTS[0])


@claim("functions.take-empty-lists")
@functions.each()
def test_a_function_without_parameters_does_nothing(function, implementation, device):
    check_does_nothing(function, FunctionCall(function, device, implementation))


@claim("functions.take-empty-lists")
@functions.each()
def test_a_function_without_parameters_does_nothing_by_default(function, device):
    check_does_nothing(function, FunctionCall(function, device))


def check_does_nothing(function, called):
    __tracebackhide__ = True
    called.tensors, called.lists = [], [[] for _ in called.lists]
    called.step(())
    check.same(seen=called.lists, expected=[[] for _ in function.lists], source="the empty lists")


@claim("functions.public-for-every-optimizer")
def test_every_rule_but_that_of_lbfgs_has_a_public_function():
    seen = sorted(importlib.import_module("torch.optim.functional").__all__)
    names = [e.name for e in optimizers.chosen(which="is_torch_s_own", but="needs_closure")]
    check.same(
        seen=seen,
        expected=sorted(name.lower().replace("sparse", "sparse_") for name in names),
        source="the names of the optimizers' classes",
    )


@claim("functions.public-give-the-same-results")
@functions.each()
def test_a_public_function_leads_where_the_other_does(function, implementation, device):
    check_public(function, device, implementation)


@claim("functions.public-give-the-same-results")
@functions.each()
def test_a_public_function_leads_by_default_where_the_other_does(function, device):
    check_public(function, device)


def check_public(function, device, implementation=None):
    __tracebackhide__ = True
    behind, public = (
        FunctionCall(function, device, implementation, module=module)
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
