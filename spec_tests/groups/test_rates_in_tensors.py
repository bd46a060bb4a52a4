"""Rates and betas that are tensors of one element."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh
from fixtures.runs.training import start

SHAPES = pytest.mark.parametrize("shape", [(1,), (1, 1)], ids=["vector", "matrix"])


@claim("rates-in-tensors.of-any-shape")
@SHAPES
@optimizers.each(but="takes_tensor_betas", not_by=("fused",))
def test_a_rate_of_one_element_counts_whatever_its_shape(case, shape, device):
    check_shape_of(torch.tensor(0.01), case, shape, device)


@claim("rates-in-tensors.of-any-shape")
@SHAPES
@optimizers.each(which="takes_tensor_betas", by=("loop", "capturable"))
def test_a_rate_of_one_element_counts_whatever_its_shape_where_adam_accepts_it(case, shape, device):
    check_shape_of(torch.tensor(0.01), case, shape, device)


@claim("rates-in-tensors.of-any-shape")
@SHAPES
@optimizers.each(taking=("fused",), by=("fused",))
def test_a_rate_beside_a_fused_parameter_counts_whatever_its_shape(case, shape, device):
    check_shape_of(torch.tensor(0.01, device=device), case, shape, device)


def check_shape_of(rate, case, shape, device):
    """Compare two steps with a rate without dimensions, and with the same rate in a shape."""
    __tracebackhide__ = True
    scalar, shaped = fresh(case, device, lr=rate), fresh(case, device, lr=rate.reshape(shape))
    for training in (scalar, shaped):
        training.run(2)
    check.same(
        seen=shaped.values(), expected=scalar.values(), source="the same rate without dimensions"
    )


@claim("rates-in-tensors.derivative-in-any-shape")
@SHAPES
@optimizers.each(which="differentiates_the_rate", adding={"foreach": False})
def test_a_rate_of_one_element_is_differentiated_whatever_its_shape(case, shape, device):
    derivatives = []
    for rate in (torch.tensor(0.25, device=device), torch.full(shape, 0.25, device=device)):
        parameter = start(case, device)[0].clone()
        parameter.retain_grad()
        optimizer = case.build([parameter], lr=rate.requires_grad_())
        parameter.grad = torch.ones_like(parameter.detach())
        optimizer.step()
        derivatives += torch.autograd.grad(parameter.sum(), rate, allow_unused=True)
    by_scalar, by_shaped = derivatives
    check.same(
        seen=by_shaped,
        expected=by_scalar.reshape(shape),
        source="the derivative by the same rate without dimensions",
    )


@claim("rates-in-tensors.betas-of-any-shape")
@SHAPES
@optimizers.each(which="takes_tensor_betas")
def test_betas_of_one_element_count_whatever_their_shape(case, shape, device):
    betas = (torch.tensor(0.5), torch.tensor(0.75))
    scalar = fresh(case, device, betas=betas)
    shaped = fresh(case, device, betas=[beta.reshape(shape) for beta in betas])
    for training in (scalar, shaped):
        training.run(2)
    check.same(seen=shaped.values(), expected=scalar.values(), source="betas without dimensions")
