"""Scaling and clipping in the modes of torch, and outside of them in between."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import modes, optimizers
from fixtures.claims import claim
from fixtures.runs.calls_in_modes import ClippingCalls, ScalerCalls, in_turn, outside

BUT_INFERENCE = (
    *modes.OTHERS,
    modes.AUTOCAST,
    *modes.HALF_DEFAULTS,
    *modes.DEFAULT_DEVICES,
)


def compare(build, chosen):
    """Assert that the calls do with these modes what they do without."""
    __tracebackhide__ = True
    check.same(
        seen=in_turn(build, chosen),
        expected=outside(build, chosen),
        source="the same calls without any mode",
    )


@claim("clipping.modes-change-no-gradient")
@pytest.mark.parametrize("foreach", [None, False, True], ids=["default", "loop", "foreach"])
def test_no_mode_changes_how_gradients_are_clipped(foreach, device):
    compare(lambda: ClippingCalls(foreach, device), (*BUT_INFERENCE, modes.INFERENCE))


@claim("scaler.modes-change-no-scale")
@optimizers.each(only=("SGD",))
def test_no_mode_changes_what_a_scaler_does(case, device):
    compare(lambda: ScalerCalls(case, device), BUT_INFERENCE)


@claim("scaler.cannot-leave-inference-mode")
def test_a_scaler_that_scaled_first_in_inference_mode_is_not_updated_outside(device):
    scaler = torch.amp.GradScaler(device.type)
    parameter = torch.ones(2, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    parameter.grad = torch.full((2,), math.inf, device=device)
    with torch.inference_mode():
        scaler.scale(torch.ones(1, device=device))
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        scaler.update()
