"""Gradients of another dtype than their parameter, which `grad_dtype` of a tensor allows."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import Tolerance
from fixtures.catalogue import optimizers
from fixtures.claims import claim

PAIRS = pytest.mark.parametrize(
    "dtype, other",
    [(torch.bfloat16, torch.float32), (torch.float32, torch.bfloat16)],
    ids=["float32_to_bfloat16", "bfloat16_to_float32"],
)

# A rule may compute a step in the dtype of the gradient. The steps are up to 0.3 long, beside 1.
ROUNDED = {
    torch.float32: Tolerance(2.0**13, "steps of 0.3, rounded a few times to bfloat16: 2**-10"),
    torch.bfloat16: Tolerance(2, "a rounding of the parameter at each of two steps"),
}


def stepped(case, device, dtype, other):
    """Return a parameter after two steps over gradients of another dtype."""
    parameter = torch.ones(2, 2, dtype=dtype, device=device, requires_grad=True)
    parameter.grad_dtype = other
    optimizer = case.build([parameter])
    parameter.grad = torch.tensor([[0.5, -1.0], [0.25, 2.0]], dtype=other, device=device)
    for _ in range(2):
        optimizer.step(*[lambda: 1.0] * case.optimizer.needs_closure)
    return parameter.detach()


@claim("grad-dtype.steps-as-after-a-cast")
@PAIRS
@optimizers.each(but="takes_sparse_gradients")
def test_a_step_is_that_over_the_gradient_in_the_dtype_of_the_parameter(case, dtype, other, device):
    check_cast(case, dtype, other, device)


@claim("grad-dtype.steps-as-after-a-cast")
@PAIRS
@optimizers.each(only=("SGD", "Adagrad"))
def test_a_step_of_what_takes_sparse_gradients_too(case, dtype, other, device):
    check_cast(case, dtype, other, device)


def check_cast(case, dtype, other, device):
    __tracebackhide__ = True
    seen = stepped(case, device, dtype, other)
    check.close(
        seen=seen,
        expected=stepped(case, device, dtype, dtype),
        source="the steps over the same gradient, which both dtypes hold, in the parameter's dtype",
        tolerance=ROUNDED[dtype],
    )
