"""Scaling, clipping and accumulating before a step, in their order."""

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

SCALE = 2.0**10  # a power of two, so that scaling rounds nothing
PARTS = (0.125, 0.125, 0.25, 0.5)  # of one loss: no sum of them is rounded
CLIP = {
    "norm": lambda parameters: clip_grad_norm_(parameters, 0.5),
    "value": lambda parameters: clip_grad_value_(parameters, 0.5),
}
EACH_CLIP = pytest.mark.parametrize("clip", CLIP.values(), ids=CLIP)
DENSE = optimizers.each(which="accepts_dense_gradients", but="needs_closure")


def scaler_of(device):
    """Return a scaler with a scale that rounds nothing."""
    return torch.amp.GradScaler(device.type, init_scale=SCALE)


def clipped_step(training, clip):
    """Take a step with clipped gradients."""
    training.closure()
    clip(training.parameters)
    training.step()


@claim("clipping.comes-after-unscaling")
@EACH_CLIP
@DENSE
def test_unscaled_gradients_are_clipped_as_those_of_the_loss(case, clip, device):
    scaled, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
    for _ in range(2):
        scaled.optimizer.zero_grad()
        scaler.scale(scaled.loss()).backward()
        scaler.unscale_(scaled.optimizer)
        clip(scaled.parameters)
        scaler.step(scaled.optimizer)
        scaler.update()
        clipped_step(plain, clip)
    check.same(seen=scaled.values(), expected=plain.values(), source="clipping without a scaler")


@claim("clipping.before-unscaling-clips-too-much")
@optimizers.each(only=("SGD",))
def test_clipping_the_scaled_gradients_bounds_them_by_so_much_less(case, device):
    training, scaler = Training(case, device), scaler_of(device)
    scaler.scale(training.loss()).backward()
    clip_grad_value_(training.parameters, 0.5)
    scaler.unscale_(training.optimizer)
    largest = max(float(gradient.abs().max()) for gradient in training.gradients())
    check.same(seen=largest, expected=0.5 / SCALE, source="the bound, divided by the scale")


@claim("clipping.step-uses-clipped-gradients")
@EACH_CLIP
@DENSE
def test_a_step_takes_the_clipped_gradients(case, clip, device):
    clipped, by_hand = Training(case, device), Training(case, device)
    for _ in range(2):
        clipped_step(clipped, clip)
        by_hand.closure()
        copies = [p.detach().clone() for p in by_hand.parameters]
        for copy, parameter in zip(copies, by_hand.parameters, strict=True):
            copy.grad = parameter.grad.clone()
        clip(copies)
        for copy, parameter in zip(copies, by_hand.parameters, strict=True):
            parameter.grad = copy.grad
        by_hand.step()
    check.same(
        seen=clipped.values(), expected=by_hand.values(), source="clipped copies, put in place"
    )


def backward_in_parts(training, scale=lambda loss: loss):
    """Add up the gradients of the parts of the loss, each by a backward() of its own."""
    training.optimizer.zero_grad()
    for part in PARTS:
        scale(training.loss() * part).backward()


@claim("accumulated-steps.equal-whole-batch")
@optimizers.each(but="needs_closure")
def test_gradients_of_parts_add_up_to_that_of_the_whole(case, device):
    parts, whole = Training(case, device), Training(case, device)
    for _ in range(3):
        backward_in_parts(parts)
        parts.step()
        whole.run(1)
    check.same(seen=parts.values(), expected=whole.values(), source="the whole loss at once")


@claim("accumulated-steps.with-grad-scaler")
@optimizers.each(but="needs_closure")
def test_scaled_parts_add_up_and_are_unscaled_once(case, device):
    parts, whole, scaler = Training(case, device), Training(case, device), scaler_of(device)
    for _ in range(3):
        backward_in_parts(parts, scaler.scale)
        scaler.unscale_(parts.optimizer)
        scaler.step(parts.optimizer)
        scaler.update()
        whole.run(1)
    check.same(seen=parts.values(), expected=whole.values(), source="the whole loss, without it")


@claim("autocast.parameters-stay-float32")
@optimizers.each(which="accepts_vectors", but="needs_closure")
def test_parameters_gradients_and_state_stay_in_float32(case):
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    optimizer = case.build(layer.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = layer(torch.ones(4, 3))
    output.float().pow(2).sum().backward()
    optimizer.step()
    kept = [t for p in layer.parameters() for t in (p, p.grad, *optimizer.state[p].values())]
    dtypes = sorted({str(t.dtype) for t in kept if torch.is_tensor(t)})
    check.same(
        seen=[str(output.dtype), dtypes],
        expected=["torch.bfloat16", ["torch.float32"]],
        source="the output alone is in bfloat16",
    )
