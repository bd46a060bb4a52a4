"""What GradScaler tells the optimizers that divide gradients themselves, and the classes that it replaced."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

SCALE = 2.0**10  # a power of two, so that scaling rounds nothing
FINITE, INFINITE = 1.0, math.inf
# Gradients that are divided by this once too often are below any eps.
LARGE = 2.0**40


class GivenTheScaler(torch.optim.SGD):
    """Takes the scaler itself, as optimizers with fused steps once did."""

    _step_supports_amp_scaling = True

    def step(self, *, grad_scaler=None):
        self.given = grad_scaler
        return "stepped"


class GivenNothing(torch.optim.SGD):
    """Has the parameter, but does not say that it divides gradients itself."""

    def step(self, *, grad_scaler=None):
        self.given = grad_scaler
        return "stepped"


class GivenNumbers(torch.optim.SGD):
    """Takes what GradScaler knows from its own attributes."""

    _step_supports_amp_scaling = True

    def step(self):
        self.given = [None if t is None else float(t) for t in (self.grad_scale, self.found_inf)]
        return "stepped"


def scaled_gradient(of_class, gradient, device):
    """Return a scaler, and an optimizer over a parameter with a scaled gradient."""
    parameter = torch.ones(2, device=device, requires_grad=True)
    optimizer = of_class([parameter], lr=1.0)
    scaler = torch.amp.GradScaler(device.type, init_scale=SCALE)
    scaler.scale(parameter.sum()).backward()
    parameter.grad[0] = gradient
    return scaler, optimizer


@claim("scaler.passes-itself-to-older-steps")
def test_a_step_that_asks_for_the_scaler_is_given_it(device):
    scaler, optimizer = scaled_gradient(GivenTheScaler, FINITE, device)
    with pytest.warns(FutureWarning, match="going to stop passing itself"):
        result = scaler.step(optimizer)
    assert optimizer.given is scaler, f"given {optimizer.given}"
    check.same(seen=result, expected="stepped", source="what step() returned")


@claim("scaler.passes-itself-to-older-steps")
def test_a_step_that_does_not_divide_gradients_is_given_nothing(device):
    scaler, optimizer = scaled_gradient(GivenNothing, FINITE, device)
    scaler.step(optimizer)
    assert optimizer.given is None, f"given {optimizer.given}"


@claim("scaler.sets-scale-and-infinity")
@pytest.mark.parametrize("unscaled", [False, True], ids=["scaled", "unscaled"])
@pytest.mark.parametrize("gradient, found", [(FINITE, 0.0), (INFINITE, 1.0)], ids=["finite", "inf"])
def test_a_step_finds_the_scale_and_whether_there_was_an_infinity(
    gradient, found, unscaled, device
):
    scaler, optimizer = scaled_gradient(GivenNumbers, gradient, device)
    if_unscaled = {True: scaler.unscale_, False: lambda _: None}
    if_unscaled[unscaled](optimizer)
    scaler.step(optimizer)
    left = [name for name in ("grad_scale", "found_inf") if hasattr(optimizer, name)]
    check.same(
        seen=[optimizer.given, left],
        expected=[[None if unscaled else SCALE, found], []],
        source="the scale by which gradients are still multiplied, and what was found",
    )


@claim("scaler.multiplies-a-preset-scale")
@optimizers.each(which="unscales_when_fused")
def test_a_scale_of_the_optimizer_s_own_is_multiplied_once(case, device):
    own, plain = Training(case, device), Training(case, device)
    scaler = torch.amp.GradScaler(device.type, init_scale=SCALE)
    own.optimizer.grad_scale = torch.tensor(4.0, device=device)
    for factor in (0.25, 1.0):
        own.optimizer.zero_grad()
        scaler.scale(own.loss()).backward()
        scaler.step(own.optimizer)
        scaler.update()
        plain.closure()
        for parameter in plain.parameters:
            parameter.grad.mul_(factor)
        plain.step()
    check.same(
        seen=own.values(),
        expected=plain.values(),
        source="a step on a quarter of the gradients, and one on the gradients",
    )


def fail(*_):
    raise LookupError("before the step")


@claim("scaler.failed-step-leaves-no-trace")
@pytest.mark.parametrize("later", ["with_scaler", "without"])
@optimizers.each(but="needs_closure")
def test_a_step_that_raised_changes_no_later_step(case, later, device):
    failed, plain = Training(case, device), Training(case, device)
    scaler = torch.amp.GradScaler(device.type, init_scale=LARGE)
    none = torch.amp.GradScaler(device.type, enabled=False)
    hook = failed.optimizer.register_step_pre_hook(fail)
    scaler.scale(failed.loss()).backward()
    with pytest.raises(LookupError, match="before the step"):
        scaler.step(failed.optimizer)
    hook.remove()
    scaler.update()
    scaler = {"with_scaler": scaler, "without": none}[later]
    for _ in range(2):
        failed.optimizer.zero_grad()
        scaler.scale(failed.loss()).backward()
        scaler.step(failed.optimizer)
        scaler.update()
        plain.run(1)
    check.same(seen=failed.values(), expected=plain.values(), source="two steps, and no error")


@claim("scaler.deprecated-classes-warn")
@pytest.mark.filterwarnings("ignore:torch.cuda.amp.GradScaler is enabled, but CUDA")
@pytest.mark.parametrize("device_type", ["cuda", "cpu"])
def test_the_older_classes_name_the_one_that_replaces_them(device_type):
    older = getattr(torch, device_type).amp.GradScaler
    with pytest.warns(FutureWarning, match=f"torch.amp.GradScaler\\('{device_type}', args"):
        scaler = older(init_scale=8.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=3)
    expected = torch.amp.GradScaler(
        device_type, init_scale=8.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=3
    )
    check.same(
        seen=[isinstance(scaler, torch.amp.GradScaler), scaler.state_dict()],
        expected=[True, expected.state_dict()],
        source="torch.amp.GradScaler with the same options",
    )
