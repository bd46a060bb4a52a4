"""Derivatives through the steps: of where a run ends, by where it starts and by its options."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import FINITE_DIFFERENCES
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.oracles.finite_differences import derivative

START = (0.5, 1.5)
# The gradient of step t is a slope of that step times the parameter, and this: never near zero, where what
# adaptive optimizers do bends too sharply for finite differences.
SLOPES, SHIFT = (0.15, 0.3, 0.2, 0.4, 0.05, 0.25, 0.35), 0.7
# What is differentiated is this much of each element where the run ends.
WEIGHTS = (1.0, 2.0)
RATE, DECAY, MOMENTUM, BETAS = 0.1, 0.2, 0.5, (0.6, 0.7)
SOURCE = "finite differences of the oracle in fixtures/oracles"
# The derivatives are told apart in float64.
pytestmark = pytest.mark.needs(torch.float64)


def end_of_torch(case, leaf, **options):
    """Return the weighted sum of the elements where torch's run from the leaf ends."""
    parameter = leaf.clone()
    parameter.retain_grad()
    optimizer = case.build([parameter], foreach=False, **options)
    with default_dtype(leaf.dtype):  # in which torch counts the steps
        for slope in SLOPES:
            parameter.grad = slope * parameter + SHIFT
            optimizer.step()
    return (parameter * torch.tensor(WEIGHTS, dtype=leaf.dtype, device=leaf.device)).sum()


def end_of_oracle(case, start, options):
    """Return the same for the oracle's run."""
    oracle, values = case.optimizer.oracle_with(**options), list(start)
    for slope in SLOPES:
        oracle.step([values], [[slope * value + SHIFT for value in values]])
    return sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True))


def check_derivative(case, device, option, at, **others):
    """Compare the derivative by one option, which is given as a tensor that requires grad."""
    __tracebackhide__ = True
    leaf = torch.tensor(START, dtype=torch.float64, device=device, requires_grad=True)
    value = torch.tensor(at, dtype=torch.float64, device=device, requires_grad=True)
    options = {**case.preset.options, **others}
    (seen,) = torch.autograd.grad(
        end_of_torch(case, leaf, **options, **{option: value}), [value], allow_unused=True
    )
    assert seen is not None, f"no derivative by {option}: the steps are cut off from it"
    check.close(
        seen=seen.item(),
        expected=derivative(lambda x: end_of_oracle(case, START, {**options, option: x}), at),
        source=SOURCE,
        tolerance=FINITE_DIFFERENCES,
    )


@claim("differentiable.by-the-start")
@optimizers.each(taking=("differentiable",), every_preset=True)
def test_the_derivative_by_the_start_is_the_oracle_s(case, device):
    leaf = torch.tensor(START, dtype=torch.float64, device=device, requires_grad=True)
    options = {**case.preset.options, "lr": RATE}
    (seen,) = torch.autograd.grad(end_of_torch(case, leaf, **options), [leaf])
    check.close(
        seen=seen.tolist(),
        expected=[
            derivative(lambda x: end_of_oracle(case, (x, START[1]), options), START[0]),
            derivative(lambda x: end_of_oracle(case, (START[0], x), options), START[1]),
        ],
        source=SOURCE,
        tolerance=FINITE_DIFFERENCES,
    )


@claim("differentiable.by-the-rate")
@optimizers.each(taking=("differentiable",))
def test_the_derivative_by_the_rate_is_the_oracle_s(case, device):
    check_derivative(case, device, "lr", RATE)


@claim("differentiable.by-the-weight-decay")
@optimizers.each(which="takes_tensor_decay")
def test_the_derivative_by_the_decay_is_the_oracle_s(case, device):
    check_derivative(case, device, "weight_decay", DECAY, lr=RATE)


@claim("differentiable.by-the-momentum")
@optimizers.each(taking=("momentum", "differentiable"))
def test_the_derivative_by_the_momentum_is_the_oracle_s(case, device):
    check_derivative(case, device, "momentum", MOMENTUM, lr=RATE)


@claim("differentiable.by-the-betas")
@pytest.mark.parametrize("index", [0, 1], ids=["beta1", "beta2"])
@optimizers.each(which="takes_tensor_betas")
def test_the_derivative_by_a_beta_is_the_oracle_s(case, index, device):
    leaf = torch.tensor(START, dtype=torch.float64, device=device, requires_grad=True)
    betas = [
        torch.tensor(beta, dtype=torch.float64, device=device, requires_grad=True) for beta in BETAS
    ]
    options = {**case.preset.options, "lr": RATE}
    (seen,) = torch.autograd.grad(
        end_of_torch(case, leaf, **options, betas=tuple(betas)), [betas[index]]
    )

    def end(x):
        moved = tuple(x if i == index else beta for i, beta in enumerate(BETAS))
        return end_of_oracle(case, START, {**options, "betas": moved})

    check.close(
        seen=seen.item(),
        expected=derivative(end, BETAS[index]),
        source=SOURCE,
        tolerance=FINITE_DIFFERENCES,
    )


@claim("differentiable.decay-stays-out-of-grad")
@optimizers.each(which="takes_tensor_decay")
def test_a_decay_that_requires_grad_leaves_the_gradient_alone(case, device):
    parameter = torch.tensor(START, device=device, requires_grad=True).clone()
    parameter.retain_grad()
    decay = torch.tensor(DECAY, device=device, requires_grad=True)
    optimizer = case.build([parameter], foreach=False, weight_decay=decay)
    parameter.grad = torch.tensor([0.25, -0.5], device=device)
    optimizer.step()
    check.same(seen=parameter.grad.tolist(), expected=[0.25, -0.5], source="the gradient before")
