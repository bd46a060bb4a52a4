"""Clipping gradients between backward() and step()."""

import math

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.oracles.clipping import clipped_by_norm, clipped_by_value, total_norm
from fixtures.runs import given_gradients

GRADIENTS = ([3.0, -4.0, 0.5], [12.0, 0.0], [-1.5])
SOURCE = "the norm of all entries as one vector, in plain Python"
NORMS = pytest.mark.parametrize(
    "norm_type", [1.0, 2.0, 3.0, math.inf], ids=["p=1", "p=2", "p=3", "p=inf"]
)
FOREACH = pytest.mark.parametrize("foreach", [None, False, True], ids=["either", "loop", "foreach"])
NOT_FINITE = pytest.mark.parametrize("value", [math.inf, math.nan], ids=["inf", "nan"])


def parameter_with(gradient, device, dtype=None):
    """Return a parameter with a gradient, in the finest dtype that the device has unless told otherwise."""
    return given_gradients.parameter_with(gradient, device, dtype or finest(device, scalars=False))


def parameters_with(gradients, device, dtype=None):
    return [parameter_with(gradient, device, dtype) for gradient in gradients]


def grads(parameters):
    return [parameter.grad for parameter in parameters]


def as_tensors(numbers, like):
    return [torch.tensor(n, dtype=p.dtype) for n, p in zip(numbers, like, strict=True)]


@claim("clipping.scales-by-the-common-norm")
@pytest.mark.parametrize("max_norm", [0.5, 6.0, 100.0], ids=["max=0.5", "max=6", "max=100"])
@NORMS
@FOREACH
def test_gradients_are_scaled_down_to_the_norm(max_norm, norm_type, foreach, device):
    parameters = parameters_with(GRADIENTS, device)
    norm = clip_grad_norm_(parameters, max_norm, norm_type, foreach=foreach)
    expected_norm = torch.tensor(total_norm(GRADIENTS, norm_type), dtype=norm.dtype)
    check.close(
        seen=[norm, *grads(parameters)],
        expected=[
            expected_norm,
            *as_tensors(clipped_by_norm(GRADIENTS, max_norm, norm_type), parameters),
        ],
        source=SOURCE,
        tolerance=STEPS,
    )


@claim("clipping.clamps-each-entry")
@pytest.mark.parametrize("value", [0.25, 3.0, 100.0], ids=["value=0.25", "value=3", "value=100"])
@FOREACH
def test_entries_are_moved_to_the_nearest_bound(value, foreach, device):
    parameters = parameters_with(GRADIENTS, device)
    clip_grad_value_(parameters, value, foreach=foreach)
    expected = as_tensors(clipped_by_value(GRADIENTS, value), parameters)
    check.same(seen=grads(parameters), expected=expected, source="min(c, max(-c, g))")


@claim("clipping.leaves-gradients-below-max-norm")
@NORMS
def test_gradients_below_the_norm_are_bit_for_bit_as_before(norm_type, device):
    parameters = parameters_with(([0.1, 0.7], [1e-30, 1 / 3]), device, torch.float32)
    before = [gradient.clone() for gradient in grads(parameters)]
    clip_grad_norm_(parameters, 2.0, norm_type)
    check.same(seen=grads(parameters), expected=before, source="their norm is less than 2")


@claim("clipping.happens-in-place")
@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_], ids=["norm", "value"])
def test_the_gradients_are_the_same_tensors(clip, device):
    parameters = parameters_with(GRADIENTS, device)
    before = [(gradient, gradient.data_ptr()) for gradient in grads(parameters)]
    clip(parameters, 0.5)
    after = [(gradient, gradient.data_ptr()) for gradient in grads(parameters)]
    same = [a is b and x == y for (a, x), (b, y) in zip(before, after, strict=True)]
    assert same == [True] * 3, f"the same object in the same memory: {same}"


@claim("clipping.passes-over-missing-gradients")
@FOREACH
def test_parameters_without_gradients_count_for_nothing(foreach, device):
    parameters = parameters_with((None, [3.0, 4.0], None), device)
    norm = clip_grad_norm_(parameters, 1.0, foreach=foreach)
    clip_grad_value_(parameters, 1.0, foreach=foreach)
    check.close(
        seen=[norm, [p.grad is None for p in parameters]],
        expected=[torch.tensor(5.0, dtype=norm.dtype), [True, False, True]],
        source="the norm of (3, 4)",
        tolerance=STEPS,
    )


@claim("clipping.passes-over-missing-gradients")
@pytest.mark.parametrize("gradients", [(), (None, None)], ids=["no_parameters", "no_gradients"])
def test_the_norm_of_nothing_is_zero(gradients, device):
    norm = clip_grad_norm_(parameters_with(gradients, device), 1.0)
    check.same(seen=norm.item(), expected=0.0, source="there is nothing to add up")


FORMS = {
    "list": list,
    "generator": iter,
    "tensor": lambda parameters: parameters[0],
}


@claim("clipping.accepts-iterables-and-tensors")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_parameters_may_come_in_any_form(form, device):
    by_norm, by_value = (
        parameters_with(([3.0, 4.0],), device),
        parameters_with(([3.0, -4.0],), device),
    )
    norm = clip_grad_norm_(form(by_norm), 10.0)
    clip_grad_value_(form(by_value), 1.0)
    check.same(
        seen=[norm.item(), by_value[0].grad.tolist()],
        expected=[5.0, [1.0, -1.0]],
        source="the norm of (3, 4); (3, -4) within 1",
    )


@claim("clipping.counts-dtypes-together")
@pytest.mark.parametrize("other", [torch.bfloat16, torch.float16, torch.float64], ids=str)
@FOREACH
def test_gradients_of_two_dtypes_have_one_norm(other, foreach, device):
    first = parameter_with([3.0, 4.0], device, torch.float32)
    parameters = [first, parameter_with([0.0, 12.0], device, other)]
    norm = clip_grad_norm_(parameters, 6.5, foreach=foreach)
    check.close(
        seen=[norm.float(), [g.float() for g in grads(parameters)]],
        expected=[torch.tensor(13.0), [torch.tensor([1.5, 2.0]), torch.tensor([0.0, 6.0])]],
        source="half of each, with a norm of 13",
        tolerance=STEPS,
    )


@claim("clipping.complex-norm-uses-magnitudes")
@FOREACH
def test_the_norm_of_complex_gradients_is_that_of_their_absolute_values(foreach, device):
    parameter = torch.zeros(2, dtype=torch.complex64, device=device, requires_grad=True)
    parameter.grad = torch.tensor([3 + 4j, 12j], device=device)
    norm = clip_grad_norm_([parameter], 6.5, foreach=foreach)
    check.close(
        seen=[norm, parameter.grad],
        expected=[torch.tensor(13.0), torch.tensor([1.5 + 2j, 6j])],
        source="absolute values of 5 and 12",
        tolerance=STEPS,
    )


@claim("clipping.by-value-refuses-complex")
@FOREACH
def test_complex_gradients_have_no_bounds(foreach, device):
    parameter = torch.zeros(2, dtype=torch.complex64, device=device, requires_grad=True)
    parameter.grad = torch.tensor([3 + 4j, 12j], device=device)
    with pytest.raises(RuntimeError, match="complex"):
        clip_grad_value_([parameter], 1.0, foreach=foreach)


@claim("clipping.refuses-non-finite-norm")
@NOT_FINITE
@FOREACH
def test_a_norm_that_is_not_finite_is_an_error_if_asked_for(value, foreach, device):
    parameters = parameters_with(([3.0, value], [4.0]), device)
    before = [gradient.clone() for gradient in grads(parameters)]
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True, foreach=foreach)
    check.same(seen=grads(parameters), expected=before, source="the gradients before")


@claim("clipping.spreads-non-finite-entries")
@pytest.mark.parametrize("value, rest", [(math.inf, 0.0), (math.nan, math.nan)], ids=["inf", "nan"])
@FOREACH
def test_an_infinity_clears_the_rest_and_a_nan_takes_it_over(value, rest, foreach, device):
    parameters = parameters_with(([3.0, value], [4.0]), device)
    norm = clip_grad_norm_(parameters, 1.0, foreach=foreach)
    check.same(
        seen=[norm.item(), *(g.tolist() for g in grads(parameters))],
        expected=[value, [rest, math.nan], [rest]],
        source="each times 1 / the norm",
    )


def sparse_parameter(device):
    """Return a parameter with a sparse gradient that has its only row twice: (1, 2) and (2, 2)."""
    parameter = torch.zeros(3, 2, device=device, requires_grad=True)
    values = torch.tensor([[1.0, 2.0], [2.0, 2.0]], device=device)
    rows = torch.tensor([[1, 1]], device=device)
    parameter.grad = torch.sparse_coo_tensor(rows, values, (3, 2), check_invariants=True)
    return parameter


@claim("clipping.sparse-sums-repeated-rows")
@FOREACH
def test_a_sparse_gradient_is_clipped_as_the_dense_one(foreach, device):
    parameter = sparse_parameter(device)
    norm = clip_grad_norm_([parameter], 2.5, foreach=foreach)
    dense = torch.tensor([[0.0, 0.0], [1.5, 2.0], [0.0, 0.0]])
    check.close(
        seen=[norm, parameter.grad.to_dense()],
        expected=[torch.tensor(5.0), dense],
        source="half of (3, 4), the sum of both rows",
        tolerance=STEPS,
    )


@claim("clipping.sparse-was-refused")
@FOREACH
@pytest.mark.needs("sparse")
def test_a_sparse_gradient_had_no_norm(foreach, device):
    with pytest.raises(NotImplementedError, match="norm"):
        clip_grad_norm_([sparse_parameter(device)], 2.5, foreach=foreach)


@claim("clipping.in-two-halves")
@NORMS
@FOREACH
def test_the_norm_and_the_clipping_come_apart(norm_type, foreach, device):
    whole, halves = parameters_with(GRADIENTS, device), parameters_with(GRADIENTS, device)
    expected = clip_grad_norm_(whole, 1.0, norm_type, foreach=foreach)
    norm = torch.nn.utils.get_total_norm(grads(halves), norm_type, foreach=foreach)
    torch.nn.utils.clip_grads_with_norm_(halves, 1.0, norm, foreach=foreach)
    check.same(
        seen=[norm, grads(halves)],
        expected=[expected, grads(whole)],
        source="clip_grad_norm_() in one call",
    )
