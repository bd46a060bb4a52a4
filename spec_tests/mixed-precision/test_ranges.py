"""Losses and gradients at the ends of a dtype's range, and parameters that are met twice."""

import math

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.claims import claim
from fixtures.runs.given_gradients import parameter_with

FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])


@claim("clipping.by-value-and-infinities")
@FOREACH
def test_infinities_are_clamped_and_nan_is_not(foreach, device):
    values = [math.nan, math.inf, -math.inf, 3.0]
    seen = {}
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        parameter = parameter_with(values, device, dtype)
        clip_grad_value_([parameter], 1.0, foreach=foreach)
        seen[str(dtype)] = parameter.grad.tolist()
    expected = {dtype: [math.nan, 1.0, -1.0, 1.0] for dtype in seen}
    check.same(seen=seen, expected=expected, source="min(c, max(-c, g)); NaN is no number to bound")


@claim("clipping.counts-a-parameter-once")
@FOREACH
def test_a_parameter_that_is_given_twice_is_clipped_once(foreach, device):
    parameter = parameter_with([3.0, 4.0], device)
    norm = clip_grad_norm_([parameter, parameter], 1.0, foreach=foreach)
    check.close(
        seen=[norm, parameter.grad],
        expected=[torch.tensor(5.0), torch.tensor([0.6, 0.8])],
        source="there is one gradient, (3, 4)",
        tolerance=STEPS,
    )


@claim("scaler.unscales-a-parameter-once")
@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate")
@pytest.mark.parametrize("shared", ["in_a_group", "between_optimizers"])
def test_a_parameter_that_is_met_twice_is_unscaled_once(shared, device):
    parameter = torch.ones(1, device=device, requires_grad=True)
    lists = {"in_a_group": [[parameter] * 2], "between_optimizers": [[parameter], [parameter]]}
    scaler = torch.amp.GradScaler(device.type, init_scale=4.0)
    scaler.scale(parameter.sum()).backward()
    optimizers_of_it = [torch.optim.SGD(parameters) for parameters in lists[shared]]
    for optimizer in optimizers_of_it:
        scaler.unscale_(optimizer)
    check.same(seen=parameter.grad.item(), expected=1.0, source="the slope of the loss")


@claim("scaler.half-precision-losses")
def test_a_loss_with_dimensions_overflows_in_float16_at_the_first_scale(device):
    scaler = torch.amp.GradScaler(device.type)
    one = torch.ones((), device=device)
    losses = [one.half(), one.half()[None], one.bfloat16(), one.bfloat16()[None]]
    seen = [[scaled.item(), scaled.dtype] for scaled in scaler.scale(losses)]
    check.same(
        seen=seen,
        expected=[
            [2.0**16, torch.float32],
            [math.inf, torch.float16],
            [2.0**16, torch.float32],
            [2.0**16, torch.bfloat16],
        ],
        source="65,536, and 65,504 as the largest number of float16; scalars are promoted",
    )


@claim("scaler.skips-in-every-dtype")
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan], ids=["inf", "minus_inf", "nan"])
def test_a_gradient_of_any_dtype_that_is_not_finite_skips_the_step(value, device):
    dtypes = (torch.bfloat16, torch.float32, torch.float64)
    seen = {}
    for dtype in dtypes:
        parameter = torch.ones(3, dtype=dtype, device=device, requires_grad=True)
        other = torch.ones(1, device=device, requires_grad=True)
        scaler = torch.amp.GradScaler(device.type, init_scale=4.0)
        optimizer = torch.optim.SGD([other, parameter], lr=1.0)
        scaler.scale(parameter.sum() + other.sum()).backward()
        parameter.grad[1] = value
        scaler.step(optimizer)
        scaler.update()
        seen[str(dtype)] = [parameter.tolist(), other.tolist(), scaler.get_scale()]
    check.same(
        seen=seen,
        expected={str(dtype): [[1.0] * 3, [1.0], 2.0] for dtype in dtypes},
        source="no step for any parameter, and half of the scale",
    )
