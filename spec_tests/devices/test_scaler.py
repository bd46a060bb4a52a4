"""GradScaler: losses are scaled up, gradients back down, and steps that overflow are left out."""

import pytest
import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.training import Training

SCALE = 2.0**10
UNSCALED = pytest.mark.parametrize("unscaled", [False, True], ids=["by_step", "by_hand"])


def scaler_for(device):
    return torch.amp.GradScaler(device.type, init_scale=SCALE)


def scaled_backward(training, scaler):
    """Fill the gradients from the scaled loss."""
    training.optimizer.zero_grad()
    scaler.scale(training.loss()).backward()


def left_behind(training):
    """Return copies of the parameters and of the state."""
    states = [training.optimizer.state[p] for p in training.parameters]
    return [
        training.values(),
        [{k: v.clone() if torch.is_tensor(v) else v for k, v in s.items()} for s in states],
    ]


def check_scaled_steps(training, plain, device, unscaled):
    __tracebackhide__ = True
    scaler = scaler_for(device)
    for _ in range(3):
        scaled_backward(training, scaler)
        if unscaled:
            scaler.unscale_(training.optimizer)
        scaler.step(training.optimizer)
        scaler.update()
    plain.run(3)
    check.same(seen=left_behind(training), expected=left_behind(plain), source="no scaler")


@claim("scaler.steps-as-if-unscaled")
@UNSCALED
@optimizers.each(but=("LBFGS",))
def test_a_scale_that_is_a_power_of_two_changes_nothing(case, unscaled, device):
    check_scaled_steps(Training(case, device), Training(case, device), device, unscaled)


@claim("scaler.fused-steps-as-if-unscaled")
@UNSCALED
@optimizers.each(adding={"fused": True})
def test_a_fused_step_takes_the_scale_out_itself(case, unscaled, device):
    check_scaled_steps(Training(case, device), Training(case, device), device, unscaled)


def check_overflow(training, device):
    __tracebackhide__ = True
    training.run(1)
    scaler = scaler_for(device)
    scaled_backward(training, scaler)
    training.parameters[1].grad.fill_(float("inf"))
    before = left_behind(training)
    scaler.step(training.optimizer)
    scaler.update()
    check.same(
        seen=[*left_behind(training), scaler.get_scale()],
        expected=[*before, SCALE / 2],
        source="before the step, and half the scale",
    )


@claim("scaler.an-overflow-is-no-step")
@optimizers.each(but=("LBFGS", "SparseAdam"))
def test_infinite_gradients_leave_all_as_it_was(case, device):
    check_overflow(Training(case, device), device)


@claim("scaler.an-overflow-is-no-fused-step")
@optimizers.each(adding={"fused": True})
def test_infinite_gradients_leave_all_as_it_was_in_a_fused_step(case, device):
    check_overflow(Training(case, device), device)
