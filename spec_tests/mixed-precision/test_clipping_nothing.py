"""Clipping where there is nothing to clip: gradients without elements, and iterables without parameters."""

import math
import warnings

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from fixtures.assertions import check
from fixtures.claims import claim
from fixtures.runs.given_gradients import parameter_with

FOREACH = pytest.mark.parametrize("foreach", [None, False, True], ids=["either", "loop", "foreach"])


def used_up(parameters):
    """Return a generator of parameters that has given all of them."""
    generator = (parameter for parameter in parameters)
    list(generator)
    return generator


@claim("clipping.passes-over-empty-gradients")
@pytest.mark.parametrize(
    "norm_type", [1.0, 2.0, math.inf, -math.inf], ids=["p=1", "p=2", "p=inf", "p=_inf"]
)
@FOREACH
def test_a_gradient_without_elements_adds_nothing(norm_type, foreach, device):
    alone, beside = parameter_with([3.0, 4.0], device), parameter_with([3.0, 4.0], device)
    empty = parameter_with([], device)
    seen = clip_grad_norm_([empty, beside], 1.0, norm_type, foreach=foreach)
    expected = clip_grad_norm_([alone], 1.0, norm_type, foreach=foreach)
    check.same(
        seen=[seen, beside.grad, empty.grad.numel()],
        expected=[expected, alone.grad, 0],
        source="clipping without the gradient that has no elements",
    )


@claim("clipping.value-of-nothing")
@FOREACH
def test_no_gradient_is_clamped_where_there_is_none(foreach, device):
    frozen, kept = parameter_with(None, device), parameter_with([3.0], device)
    for nothing in ([], used_up([kept]), [frozen]):
        clip_grad_value_(nothing, 1.0, foreach=foreach)
    check.same(
        seen=[frozen.grad, kept.grad.tolist()],
        expected=[None, [3.0]],
        source="the gradients before clipping",
    )


@claim("clipping.used-up-generator-warns")
def test_a_generator_that_is_used_up_is_warned_of(device):
    parameter = parameter_with([3.0], device)
    with pytest.warns(UserWarning, match="empty generator"):
        norm = clip_grad_norm_(used_up([parameter]), 1.0)
    check.same(
        seen=[norm.item(), parameter.grad.tolist()],
        expected=[0.0, [3.0]],
        source="the norm of nothing, and the gradient as before",
    )


@claim("clipping.used-up-generator-in-halves")
def test_the_second_half_of_a_generator_clips_nothing(device):
    parameter = parameter_with([3.0], device)
    generator = (p for p in [parameter])
    norm = torch.nn.utils.get_total_norm(p.grad for p in generator)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.nn.utils.clip_grads_with_norm_(generator, 1.0, norm)
    check.same(
        seen=[norm.item(), parameter.grad.tolist(), len(caught)],
        expected=[3.0, [3.0], 0],
        source="the norm of 3, and the gradient as before",
    )
