"""What the functions do unless asked, and what they make of the options of scaled gradients."""

import importlib
import inspect

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import functions
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import Operators
from fixtures.runs.function_call import GRADIENTS, FunctionCall

LEFT_TO_TORCH = ("foreach", "fused", "grad_scale", "found_inf")
SCALE = 4.0
TENSORS = pytest.mark.parametrize("option", ["lr", "beta1", "beta2"])


@claim("functions.options-are-off-unless-given")
@functions.each()
def test_every_option_is_off_unless_it_is_given(function):
    call = getattr(importlib.import_module(f"torch.optim.{function.module}"), function.name)
    parameters = inspect.signature(call).parameters.values()
    seen = {p.name: p.default for p in parameters if p.default is not p.empty}
    expected = {name: None if name in LEFT_TO_TORCH else False for name in seen}
    assert seen == expected, f"{function.name} has the defaults {seen}"


@claim("functions.capturable-refused-on-the-cpu")
@pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
@functions.each(taking=("capturable",))
def test_a_capturable_step_is_refused(function, foreach, device):
    called = FunctionCall(function, device, foreach=foreach, capturable=True)
    with pytest.raises(AssertionError, match="capturable=True"):
        called.step(GRADIENTS[0])


@claim("functions.nadam-needs-tensor-mu-products")
@functions.each(only=("nadam",))
def test_products_that_are_numbers_are_refused(function, device):
    called = FunctionCall(function, device)
    called.lists[2] = [1.0 for _ in called.tensors]
    with pytest.raises(RuntimeError, match="mu_products"):
        called.step(GRADIENTS[0])


@claim("functions.adam-foreach-refuses-tensors")
@TENSORS
@functions.each(only=("adam", "adamw"))
def test_foreach_takes_no_tensor(function, option, device):
    called = FunctionCall(
        function, device, foreach=True, **{option: torch.tensor(0.5, device=device)}
    )
    with pytest.raises((RuntimeError, ValueError), match=f"{option} as a Tensor"):
        called.step(GRADIENTS[0])


@claim("functions.adam-foreach-needs-one-element")
@TENSORS
@functions.each(only=("adam", "adamw"))
def test_foreach_takes_no_tensor_of_two_elements(function, option, the_cpu_as_accelerator):
    two = {option: torch.tensor([0.5, 0.5])}
    called = FunctionCall(function, the_cpu_as_accelerator, foreach=True, capturable=True, **two)
    with pytest.raises(ValueError, match=f"{option} must be 1-element"):
        called.step(GRADIENTS[0])


@claim("functions.fused-steps-call-the-kernel")
@functions.each(taking=("fused",))
def test_a_fused_step_is_that_of_the_kernel(function, implementation, device):
    called = FunctionCall(function, device, implementation)
    with Operators() as operators:
        called.step(GRADIENTS[0])
    seen = sorted(name for name in operators.names if name.startswith("_fused"))
    assert seen == [f"_fused_{function.name}_"], f"fused kernels: {seen}"


@claim("functions.fused-steps-divide-by-scale")
@functions.each(taking=("fused",))
def test_a_fused_step_divides_the_gradients_by_the_scale(function, implementation, device):
    check.same(
        seen=stepped(function, implementation, device, SCALE, found_inf=0.0),
        expected=stepped(function, implementation, device, 1.0, found_inf=0.0),
        source="the same step over the gradients before they were scaled",
    )


@claim("functions.fused-steps-skip-on-infinity")
@functions.each(taking=("fused",))
def test_a_fused_step_moves_nothing_where_infinity_was_found(function, implementation, device):
    check.same(
        seen=stepped(function, implementation, device, SCALE, found_inf=1.0),
        expected=FunctionCall(function, device).tensors,
        source="the tensors before the step",
    )


def stepped(function, implementation, device, scale, found_inf):
    """Return the tensors after a step over gradients that were scaled."""
    told = {
        "grad_scale": torch.tensor(scale, device=device),
        "found_inf": torch.tensor(found_inf, device=device),
    }
    called = FunctionCall(function, device, implementation, **told)
    called.step([[scale * entry for entry in gradient] for gradient in GRADIENTS[0]])
    return called.tensors
