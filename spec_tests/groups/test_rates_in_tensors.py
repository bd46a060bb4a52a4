"""Rates and betas that are tensors of one element."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh
from fixtures.runs.training import start

DIFFERENTIABLE = {"foreach": False, "differentiable": True}
SHAPES = pytest.mark.parametrize("shape", [(1,), (1, 1)], ids=["vector", "matrix"])


def loop_of(case):
    """Return the options that choose the loop, where there is a choice."""
    return {"foreach": False} if "foreach" in case.optimizer.options else {}


@claim("rates-in-tensors.of-any-shape")
@SHAPES
@optimizers.each()
def test_a_rate_of_one_element_counts_whatever_its_shape(case, shape, device):
    rate = torch.tensor(0.01)
    scalar = fresh(case, device, lr=rate, **loop_of(case))
    shaped = fresh(case, device, lr=rate.reshape(shape), **loop_of(case))
    for training in (scalar, shaped):
        training.run(2)
    check.same(
        seen=shaped.values(), expected=scalar.values(), source="the same rate without dimensions"
    )


@claim("rates-in-tensors.with-foreach")
@SHAPES
@optimizers.each(adding={"foreach": True}, but=("Adam", "AdamW"))
def test_so_it_does_with_foreach(case, shape, device):
    rate = torch.tensor(0.01)
    scalar, shaped = fresh(case, device, lr=rate), fresh(case, device, lr=rate.reshape(shape))
    for training in (scalar, shaped):
        training.run(2)
    check.same(
        seen=shaped.values(), expected=scalar.values(), source="the same rate without dimensions"
    )


@claim("rates-in-tensors.derivative-in-any-shape")
@SHAPES
@optimizers.each(only=("Adam", "AdamW", "NAdam", "RAdam", "SGD"), adding=DIFFERENTIABLE)
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
@optimizers.each(only=("Adam", "AdamW"))
def test_betas_of_one_element_count_whatever_their_shape(case, shape, device):
    betas = (torch.tensor(0.5), torch.tensor(0.75))
    scalar = fresh(case, device, betas=betas, foreach=False)
    shaped = fresh(case, device, betas=[b.reshape(shape) for b in betas], foreach=False)
    for training in (scalar, shaped):
        training.run(2)
    check.same(seen=shaped.values(), expected=scalar.values(), source="betas without dimensions")
