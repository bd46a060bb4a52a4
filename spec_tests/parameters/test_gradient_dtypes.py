"""Gradients of another dtype than their parameter, which grad_dtype of a parameter allows."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import everything
from fixtures.runs.training import Training

PAIRS = pytest.mark.parametrize(
    "dtype, other",
    [
        pytest.param(torch.float32, torch.bfloat16, id="bfloat16_for_float32"),
        pytest.param(torch.bfloat16, torch.float32, id="float32_for_bfloat16"),
    ],
)
REFUSING = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
TAKING = [
    entry.name
    for entry in optimizers.chosen(which=("accepts_dense_gradients", "is_torch_s_own"))
    if entry.name not in REFUSING
]
KEEPING_DIGITS = ("ASGD", "Adadelta", "Adagrad", "RMSprop", "SGD")


def with_gradients_in(case, device, dtype, other, **options):
    """Return a training whose gradients are in another dtype, and are numbers that either holds."""
    training = Training(case, device, dtype=dtype, **options)
    for parameter in training.parameters:
        parameter.grad_dtype = other
    return training


def fill(training, dtype, step):
    """Put gradients in a dtype where backward() would put them."""
    for parameter in training.parameters:
        exact = torch.arange(1.0, 1.0 + parameter.numel(), device=parameter.device)
        parameter.grad = (exact.reshape(parameter.shape) * (step + 1) / 4).to(dtype)


def stepped(training, dtype, steps=3):
    """Return the parameters after steps over gradients in a dtype."""
    for step in range(steps):
        fill(training, dtype, step)
        training.step()
    return training.values()


@claim("gradient-dtypes.step-as-if-cast")
@PAIRS
@optimizers.each(only=KEEPING_DIGITS, adding={"foreach": False})
def test_a_gradient_of_another_dtype_steps_as_if_it_had_been_cast(case, dtype, other, device):
    check.close(
        seen=stepped(with_gradients_in(case, device, dtype, other), other),
        expected=stepped(Training(case, device, dtype=dtype), dtype),
        source="the same gradients in the dtype of the parameter",
        tolerance=STEPS,
    )


@claim("gradient-dtypes.stepped-by-lists")
@PAIRS
@optimizers.each(only=KEEPING_DIGITS)
def test_a_step_over_lists_takes_a_gradient_of_another_dtype_as_the_loop_does(
    case, dtype, other, device
):
    check.close(
        seen=stepped(with_gradients_in(case, device, dtype, other), other),
        expected=stepped(with_gradients_in(case, device, dtype, other, foreach=False), other),
        source="the same gradients in the for-loop",
        tolerance=STEPS,
    )


@claim("gradient-dtypes.refused-by-lists")
@optimizers.each(only=TAKING)
def test_a_step_over_lists_refuses_a_gradient_of_another_dtype(case, device):
    training = with_gradients_in(case, device, torch.float32, torch.bfloat16)
    before = training.values()
    with pytest.raises(RuntimeError, match=r"same index must be .* the same dtype"):
        stepped(training, torch.bfloat16, steps=1)
    check.same(seen=training.values(), expected=before, source="the parameters before the step")


@claim("gradient-dtypes.do-not-reach-the-state")
@PAIRS
@optimizers.each(only=TAKING, but="needs_closure")
def test_the_state_has_the_dtype_of_its_parameter(case, dtype, other, device):
    asked = {"momentum": 0.5, "foreach": False}
    options = {key: value for key, value in asked.items() if key in case.optimizer.options}
    training = with_gradients_in(case, device, dtype, other, **options)
    stepped(training, other, steps=1)
    seen = [
        {key: str(entry.dtype) for key, entry in state.items() if entry.dim()}
        for state in training.optimizer.state.values()
    ]
    expected = [{key: str(dtype) for key in state} for state in seen]
    check.same(seen=seen, expected=expected, source="the dtype of the parameter")


def refused(case, dtype, other, device):
    """See that a later step over gradients of another dtype is refused; return before and after."""
    training = Training(case, device, dtype=dtype)
    stepped(training, dtype)
    before = everything(training)
    for parameter in training.parameters:
        parameter.grad = None
        parameter.grad_dtype = other
    fill(training, other, 1)
    with pytest.raises(RuntimeError, match=r"dtype|scalar type"):
        training.step()
    return before, everything(training)


@claim("gradient-dtypes.refused-by-averages")
@PAIRS
@optimizers.each(only=REFUSING)
def test_a_gradient_of_another_dtype_cannot_be_averaged(case, dtype, other, device):
    before, after = refused(case, dtype, other, device)
    check.same(seen=after[0], expected=before[0], source="the parameters before the step")


@claim("gradient-dtypes.refused-step-changes-no-state")
@PAIRS
@optimizers.each(only=REFUSING)
def test_a_gradient_that_is_refused_leaves_the_state(case, dtype, other, device):
    before, after = refused(case, dtype, other, device)
    check.same(seen=after[1], expected=before[1], source="the state before the step")


@claim("gradient-dtypes.refused-by-fused-steps")
@PAIRS
@optimizers.each(taking=("fused",))
def test_a_fused_step_over_a_gradient_of_another_dtype_is_an_error(case, dtype, other, device):
    before, after = refused(case, dtype, other, device)
    check.same(seen=after[0], expected=before[0], source="the parameters before the step")
