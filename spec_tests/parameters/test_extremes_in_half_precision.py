"""Gradients of NaN, infinity and zero in every dtype: what they touch, and what they leave alone."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.each_implementation import in_each

DTYPES = (torch.float16, torch.bfloat16, torch.float32)
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "minus_inf": -math.inf}
SPOILED = pytest.mark.parametrize("spoiled", NOT_FINITE.values(), ids=NOT_FINITE)
# float16 holds no smaller one.
HELD = {"eps": 2.0**-10}


def walked(case, device, dtype, gradients, start=(0.5, -1.0, 1.5)):
    """Return a parameter after a step over each gradient."""
    parameter = torch.tensor(start, dtype=dtype, device=device, requires_grad=True)
    optimizer = case.build([parameter])
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient, dtype=dtype, device=device)
        optimizer.step()
    return parameter.detach()


def spoiled_in_the_middle(middle):
    """Return the gradients of four steps, of which the second has another in the middle."""
    return [[0.25, middle if step == 1 else 0.5, -0.75] for step in range(4)]


def check_neighbours(case, spoiled, implementations, device):
    __tracebackhide__ = True

    def of(middle):
        return in_each(
            case,
            implementations,
            device,
            lambda c: {
                str(d): walked(c, device, d, spoiled_in_the_middle(middle))[::2] for d in DTYPES
            },
        )

    check.same(seen=of(spoiled), expected=of(0.5), source="the same steps over finite gradients")


@claim("extremes.stay-in-their-element-in-half-precision")
@SPOILED
@optimizers.each(which="elementwise", but="divides_by_eps")
def test_the_other_elements_step_on(case, spoiled, implementations, device):
    check_neighbours(case, spoiled, implementations, device)


@claim("extremes.stay-in-their-element-in-half-precision")
@SPOILED
@optimizers.each(which="divides_by_eps", adding=HELD)
def test_the_other_elements_step_on_with_an_eps_that_is_held(
    case, spoiled, implementations, device
):
    check_neighbours(case, spoiled, implementations, device)


FINITE, LOST = ["finite"] * 3, ["not finite"] * 3
# What an element is from the step on, where it is not simply lost.
AFTERWARDS = {
    "SGD": {"nan": LOST, "inf": ["-inf"] * 3, "minus_inf": ["inf"] * 3},
    "Rprop": {"nan": FINITE, "inf": FINITE, "minus_inf": FINITE},
}


def kind(number, name):
    """Return what a number is: finite, the infinity where that is told apart, or neither."""
    told_apart = math.isinf(number) and name in AFTERWARDS
    return "finite" if math.isfinite(number) else str(number) if told_apart else "not finite"


@claim("extremes.infinities-follow-the-rule")
@optimizers.each(which=("elementwise", "is_torch_s_own"))
def test_an_infinite_gradient_makes_what_the_rule_makes_of_it(case, implementations, device):
    name = case.optimizer.name

    def by_torch(case):
        return {
            key: [
                kind(walked(case, device, torch.float32, gradients[:steps])[1].item(), name)
                for steps in (2, 3, 4)
            ]
            for key, value in NOT_FINITE.items()
            for gradients in (spoiled_in_the_middle(value),)
        }

    seen = in_each(case, implementations, device, by_torch)
    expected = AFTERWARDS.get(name, dict.fromkeys(NOT_FINITE, LOST))
    check.same(
        seen=seen,
        expected=dict.fromkeys(seen, expected),
        source="the update rule in the arithmetic of IEEE 754",
    )


@claim("extremes.zeros-move-nothing")
@optimizers.each(which="divides_by_eps", adding=HELD)
def test_gradients_of_zero_leave_a_parameter_as_it_is(case, implementations, device):
    check_unmoved(case, implementations, device)


@claim("extremes.zeros-move-nothing")
@optimizers.each(but=("divides_by_eps", "keeps_one_state"))
def test_gradients_of_zero_do_so_without_an_eps_in_the_divisor(case, implementations, device):
    check_unmoved(case, implementations, device)


LAYOUTS = {"sparse": torch.Tensor.to_sparse}
# What would move a parameter besides its gradient, or divide 0 by 0.
SWITCHED_OFF = {"weight_decay": 0.0, "lambd": 0.0}
EPS_OF = {"SparseAdam": HELD}


def check_unmoved(case, implementations, device):
    __tracebackhide__ = True
    options = {key: 0.0 for key in SWITCHED_OFF if key in case.optimizer.options}
    options |= EPS_OF.get(case.optimizer.name, {})
    start = torch.tensor([[0.5, -1.0, 1.5], [0.0, 0.25, 3.0]], device=device)

    def walk(dtype, case):
        parameter = start.to(dtype, copy=True).requires_grad_()
        optimizer = case.build([parameter], **options)
        zeros = torch.zeros_like(parameter)
        parameter.grad = LAYOUTS.get(case.optimizer.parameters, lambda t: t)(zeros)
        for _ in range(3):
            optimizer.step()
        return parameter.detach() + 0.0

    seen = in_each(case, implementations, device, lambda c: [walk(dtype, c) for dtype in DTYPES])
    expected = [start.to(dtype) for dtype in DTYPES]
    check.same(
        seen=seen, expected=dict.fromkeys(seen, expected), source="the parameter before the steps"
    )


@claim("extremes.spread-where-a-norm-does")
@pytest.mark.parametrize("value", [math.nan, math.inf], ids=["nan", "inf"])
@optimizers.each(only=("Adafactor", "Muon"))
def test_what_is_no_number_spreads_as_far_as_the_norm(case, value, implementations, device):
    def walk(case):
        seen = {}
        for dtype in DTYPES:
            spoiled, other = (
                torch.ones(2, 2, dtype=dtype, device=device, requires_grad=True) for _ in range(2)
            )
            optimizer = case.build([spoiled, other])
            spoiled.grad = torch.tensor([[value, 1.0], [2.0, 3.0]], dtype=dtype, device=device)
            other.grad = torch.ones_like(other)
            optimizer.step()
            seen[str(dtype)] = [t.isfinite().flatten().tolist() for t in (spoiled, other)]
        return seen

    seen = in_each(case, implementations, device, walk)
    expected = {str(dtype): [[False] * 4, [True] * 4] for dtype in DTYPES}
    check.same(
        seen=seen,
        expected=dict.fromkeys(seen, expected),
        source="a norm over the parameter is NaN or infinite",
    )
