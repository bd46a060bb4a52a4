"""Derivatives through steps at gradients of zero, where the root of a second moment has no slope."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import Tolerance
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.oracles.finite_differences import derivative

# One element starts at the minimum of the sum of its squares, and the other does not.
START, RATE = (1.0, 0.0), 0.1
# The slope bends at 0, where the root of a square is a modulus: the widths have to be small.
WIDTH = 1e-7
AT_ZERO = Tolerance(2.0**32, "finite differences over a width of 1e-7: as much again by the bend")
pytestmark = pytest.mark.needs(torch.float64)


def derivatives_of_torch(case, device, options):
    """Return the derivative of where one step ends by where it starts, for each element."""
    leaf = torch.tensor(START, dtype=torch.float64, device=device, requires_grad=True)
    parameter = leaf.clone()
    parameter.retain_grad()
    optimizer = case.build([parameter], foreach=False, lr=RATE, **options)
    parameter.grad = 2 * parameter
    with default_dtype(torch.float64):
        optimizer.step()
    (seen,) = torch.autograd.grad(parameter.sum(), [leaf])
    return seen.tolist()


def end_of_oracle(case, start, options):
    """Return where the oracle's step ends."""
    oracle, values = case.optimizer.oracle_with(lr=RATE, **options), [start]
    oracle.step([values], [[2 * start]])
    return values[0]


@claim("differentiable.at-gradients-of-zero")
@optimizers.each(taking=("differentiable",), but=("divides_by_eps", "reads_signs_alone"))
def test_a_step_has_a_derivative_where_the_gradient_is_zero(case, device):
    check_derivatives(case, device, dict(case.preset.options))


@claim("differentiable.at-gradients-of-zero")
@optimizers.each(which="divides_by_eps", taking=("differentiable",), adding={"eps": 1.0})
def test_a_step_that_divides_by_a_root_plus_eps_has_one_too(case, device):
    check_derivatives(case, device, dict(case.preset.options))


def check_derivatives(case, device, options):
    __tracebackhide__ = True
    seen = derivatives_of_torch(case, device, options)
    check.close(
        seen=seen,
        expected=[derivative(lambda x: end_of_oracle(case, x, options), at, WIDTH) for at in START],
        source="finite differences of the oracle in fixtures/oracles",
        tolerance=AT_ZERO,
    )
