"""Leaves: the tensors whose gradients backward() keeps."""

import pytest
import torch
from torch.nn import Parameter

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import document_data
from fixtures.catalogue.document_problems import RAW_TEMPERATURES, leaf
from fixtures.claims import claim

# How a tensor comes to be: whether it is a leaf, and whether it requires grad.
ORIGINS = {
    "made": (lambda x: torch.ones_like(x), True, False),
    "made_to_require_grad": (lambda x: torch.ones_like(x, requires_grad=True), True, True),
    "asked_later": (lambda x: torch.ones_like(x).requires_grad_(), True, True),
    "parameter": (lambda x: Parameter(torch.ones_like(x)), True, True),
    "computed_from_plain": (lambda x: torch.ones_like(x) * 2, True, False),
    "detached": (lambda x: (x * 2).detach(), True, False),
    "computed": (lambda x: x * 2, False, True),
    "cloned": (lambda x: x.clone(), False, True),
    "another_dtype": (lambda x: x.to(torch.float16), False, True),
    "one_entry": (lambda x: x[0], False, True),
}
WITHOUT_GRADIENTS = {
    name: getattr(torch, name) for name in ("bool", "uint8", "int8", "int16", "int32", "int64")
}
WITH_GRADIENTS = {name: getattr(torch, name) for name in ("float16", "bfloat16", "float32")}
WAYS = {
    "constructor": lambda tensor: torch.zeros_like(tensor, requires_grad=True),
    "requires_grad_": lambda tensor: tensor.requires_grad_(),
    "attribute": lambda tensor: setattr(tensor, "requires_grad", True),
    "parameter": Parameter,
}
MISFITS = {
    "shape": lambda device: torch.ones(3, device=device),
    "dtype": lambda device: torch.ones(2, device=device, dtype=torch.float16),
}


def gradient_by_hand():
    """Return the derivatives of the mean of (w·u + b - c)² at w = 1, b = 0, in plain Python."""
    samples = list(zip(document_data.T_UNKNOWN, document_data.T_CELSIUS, strict=True))
    slope = sum(2 * (u - c) * u for u, c in samples) / len(samples)
    return [slope, sum(2 * (u - c) for u, c in samples) / len(samples)]


@claim("leaves.made-not-computed")
@pytest.mark.parametrize("make, is_leaf, requires_grad", ORIGINS.values(), ids=ORIGINS)
def test_what_is_made_is_a_leaf_and_what_is_computed_is_not(make, is_leaf, requires_grad, device):
    tensor = make(leaf((1.0, 2.0), device))
    check.same(
        seen={"is_leaf": tensor.is_leaf, "requires_grad": tensor.requires_grad},
        expected={"is_leaf": is_leaf, "requires_grad": requires_grad},
        source="how the tensor came to be",
    )


@claim("leaves.no-gradient-before-backward")
def test_grad_is_none_until_backward_has_run(device):
    parameters = RAW_TEMPERATURES.start(device)
    loss = RAW_TEMPERATURES.loss(parameters)
    before = parameters.grad
    loss.backward()
    after = parameters.grad
    check.same(
        seen=[before is None, after is None],
        expected=[True, False],
        source="before and after backward()",
    )


@claim("leaves.backward-fills-grad")
def test_backward_gives_the_printed_gradient(device):
    parameters = RAW_TEMPERATURES.start(device)
    RAW_TEMPERATURES.loss(parameters).backward()
    # Printed to more digits than float32 has: its neighbours are 0.0005 apart at 4517.
    check.close(
        seen=parameters.grad,
        expected=torch.tensor([4517.2969, 82.6000]),
        source="printed by the document, 001-1",
        tolerance=STEPS,
    )


@claim("leaves.backward-fills-grad")
def test_backward_gives_the_derivatives(device):
    parameters = RAW_TEMPERATURES.start(device)
    RAW_TEMPERATURES.loss(parameters).backward()
    check.close(
        seen=parameters.grad,
        expected=torch.tensor(gradient_by_hand()),
        source="the derivatives, in plain Python",
        tolerance=STEPS,
    )


@claim("leaves.computed-tensors-keep-no-gradient")
@pytest.mark.usefixtures("every_warning")
def test_grad_of_a_computed_tensor_is_none_and_reading_it_warns(device):
    computed = leaf((1.0, 2.0), device) * 2
    computed.sum().backward()
    with pytest.warns(UserWarning, match="not a leaf"):
        gradient = computed.grad
    assert gradient is None, f".grad of a computed tensor: {gradient}"


@claim("leaves.retain-grad-keeps-it")
def test_retain_grad_keeps_the_gradient_of_a_computed_tensor(device):
    computed = leaf((1.0, 2.0), device) * 2
    computed.retain_grad()
    (computed**2).sum().backward()
    check.same(
        seen=computed.grad, expected=torch.tensor([4.0, 8.0]), source="d/dy of y² at y = (2, 4)"
    )


@claim("leaves.integers-cannot-require-grad")
@pytest.mark.parametrize("dtype", WITHOUT_GRADIENTS.values(), ids=WITHOUT_GRADIENTS)
@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_an_integer_tensor_that_is_to_require_grad_is_an_error(ask, dtype, device):
    tensor = torch.ones(2, dtype=dtype, device=device)
    with pytest.raises(RuntimeError, match="floating point"):
        ask(tensor)


@claim("leaves.integers-cannot-require-grad")
@pytest.mark.parametrize("dtype", WITH_GRADIENTS.values(), ids=WITH_GRADIENTS)
def test_a_floating_point_tensor_gets_a_gradient_of_its_dtype(dtype, device):
    tensor = torch.ones(2, dtype=dtype, device=device, requires_grad=True)
    (tensor * 3).sum().backward()
    expected = torch.tensor([3.0, 3.0], dtype=dtype)
    check.same(seen=tensor.grad, expected=expected, source="d/dx of 3x")


@claim("leaves.gradient-fits-its-leaf")
@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_a_gradient_of_another_shape_or_dtype_is_an_error(misfit, device):
    parameter = leaf((1.0, 2.0), device)
    with pytest.raises(RuntimeError, match="assign"):
        parameter.grad = misfit(device)


@claim("leaves.gradient-fits-its-leaf")
def test_a_number_as_a_gradient_is_an_error(device):
    parameter = leaf((1.0, 2.0), device)
    with pytest.raises(TypeError, match="assign"):
        parameter.grad = 1.0
