"""What GradScaler does to gradients that are unscaled apart from the step, and what may happen in between."""

import math

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.memory_layouts import offset, strided, transposed
from fixtures.claims import claim
from fixtures.runs.training import Training

SCALE = 2.0**10  # a power of two, so that scaling rounds nothing
DENSE = optimizers.each(which="accepts_dense_gradients", but="needs_closure")
# What can happen to gradients after an infinity was found among them.
AFTERWARDS = {
    "nothing": lambda parameters: None,
    "clipped by norm": lambda parameters: clip_grad_norm_(parameters, 0.5),
    "clipped by value": lambda parameters: clip_grad_value_(parameters, 0.5),
    "zeroed": lambda parameters: [parameter.grad.zero_() for parameter in parameters],
}


def scaler_of(device):
    """Return a scaler with a scale that rounds nothing."""
    return torch.amp.GradScaler(device.type, init_scale=SCALE)


def scaled_backward(training, scaler):
    """Fill the gradients of a training with those of its scaled loss."""
    training.optimizer.zero_grad()
    scaler.scale(training.loss()).backward()


@claim("scaler.remembers-infinity-until-update")
@DENSE
def test_an_infinity_that_was_found_is_not_forgotten(case, device):
    seen, expected = {}, {}
    for words, act in AFTERWARDS.items():
        training, scaler = Training(case, device), scaler_of(device)
        expected[words] = [training.values(), SCALE / 2]
        scaled_backward(training, scaler)
        training.parameters[0].grad.view(-1)[0] = math.inf
        scaler.unscale_(training.optimizer)
        act(training.parameters)
        scaler.step(training.optimizer)
        scaler.update()
        seen[words] = [training.values(), scaler.get_scale()]
    check.same(seen=seen, expected=expected, source="no step, and half of the scale")


@claim("scaler.ignores-later-infinities")
@DENSE
def test_gradients_that_break_after_unscaling_are_stepped(case, device):
    seen, expected = {}, {}
    for value in (math.inf, -math.inf, math.nan):
        scaled, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
        scaled_backward(scaled, scaler)
        scaler.unscale_(scaled.optimizer)
        plain.closure()
        for training in (scaled, plain):
            training.parameters[0].grad.view(-1)[0] = value
        scaler.step(scaled.optimizer)
        scaler.update()
        plain.step()
        seen[str(value)] = [scaled.values(), scaler.get_scale()]
        expected[str(value)] = [plain.values(), SCALE]
    check.same(
        seen=seen, expected=expected, source="a step on the same gradients, without a scaler"
    )


LAYOUTS = {"transposed": transposed, "strided": strided, "offset": offset}
DTYPES = (torch.float32, torch.float64, torch.bfloat16)


def gradients_in_memory(value, device):
    """Return a gradient for each layout and dtype, all filled with a value."""
    return {
        f"{name} {dtype}": lay(torch.full((3, 4), value, dtype=dtype, device=device))
        for name, lay in LAYOUTS.items()
        for dtype in DTYPES
    }


def unscaled(gradients, device):
    """Have a scaler unscale these gradients together; return it, the optimizer and the parameters."""
    parameters = {}
    for name, gradient in gradients.items():
        parameters[name] = torch.zeros_like(gradient).requires_grad_()
        parameters[name].grad = gradient
    optimizer, scaler = torch.optim.SGD(list(parameters.values()), lr=1.0), scaler_of(device)
    scaler.scale(torch.ones((), device=device))
    scaler.unscale_(optimizer)
    return scaler, optimizer, parameters


def around(gradient):
    """Return the whole memory in which a gradient lies."""
    size = gradient.untyped_storage().nbytes() // gradient.element_size()
    return gradient.as_strided((size,), (1,), 0)


@claim("scaler.divides-gradients-in-any-layout")
def test_gradients_in_any_layout_are_divided_in_place(device):
    gradients = gradients_in_memory(2 * SCALE, device)
    expected = {name: around(gradients_in_memory(2.0, device)[name]) for name in gradients}
    before = {name: gradient.data_ptr() for name, gradient in gradients.items()}
    _, _, parameters = unscaled(gradients, device)
    check.same(
        seen={name: around(parameter.grad) for name, parameter in parameters.items()},
        expected=expected,
        source="the elements divided by the scale, and the memory around them",
    )
    seen = {name: parameter.grad.data_ptr() for name, parameter in parameters.items()}
    check.same(seen=seen, expected=before, source="the memory of the gradients")


@claim("scaler.finds-infinities-in-any-layout")
def test_an_infinity_in_any_layout_is_found(device):
    seen, expected = {}, {}
    for name in gradients_in_memory(1.0, device):
        gradients = gradients_in_memory(1.0, device)
        gradients[name][-1, -1] = math.inf
        scaler, optimizer, parameters = unscaled(gradients, device)
        before = {n: parameter.detach().clone() for n, parameter in parameters.items()}
        scaler.step(optimizer)
        scaler.update()
        seen[name] = [parameters, scaler.get_scale()]
        expected[name] = [before, SCALE / 2]
    check.same(seen=seen, expected=expected, source="no step, and half of the scale")


@claim("scaler.unscales-optimizers-separately")
@optimizers.each(which="accepts_dense_gradients", but="needs_closure")
def test_unscaling_for_one_optimizer_leaves_the_gradients_of_another(case, device):
    one, other, plain = (Training(case, device) for _ in range(3))
    scaler = scaler_of(device)
    for training in (one, other):
        scaler.scale(training.loss()).backward()
    scaler.unscale_(one.optimizer)
    plain.backward()
    check.same(
        seen=[one.gradients(), other.gradients()],
        expected=[plain.gradients(), [SCALE * gradient for gradient in plain.gradients()]],
        source="the gradients of the loss; for the other optimizer, of the scaled loss",
    )
    for training in (one, other):
        scaler.step(training.optimizer)
    plain.step()
    check.same(
        seen=[one.values(), other.values()],
        expected=[plain.values(), plain.values()],
        source="a step without a scaler",
    )


@claim("accumulated-steps.unscaled-too-early")
@DENSE
def test_gradients_that_are_added_after_unscaling_stay_scaled(case, device):
    early, by_hand, scaler = Training(case, device), Training(case, device), scaler_of(device)
    scaler.scale(early.loss()).backward()
    scaler.unscale_(early.optimizer)
    scaler.scale(early.loss()).backward()
    scaler.step(early.optimizer)
    by_hand.backward()
    for parameter in by_hand.parameters:
        parameter.grad.mul_(1 + SCALE)
    by_hand.step()
    check.same(
        seen=[early.gradients(), early.values()],
        expected=[by_hand.gradients(), by_hand.values()],
        source="the gradients of the loss, and those of the scaled loss on top",
    )


def penalised(training, scale):
    """Return the loss with the norm of its gradients added, as the documentation of AMP computes it.

    Args:
        training: Whose loss it is.
        scale: By which the loss is multiplied before it is differentiated.
    """
    loss = training.loss()
    scaled = torch.autograd.grad(loss * scale, training.parameters, create_graph=True)
    gradients = [gradient * (1.0 / scale) for gradient in scaled]
    return loss + sum(gradient.pow(2).sum() for gradient in gradients).sqrt()


@claim("scaler.trains-with-gradient-penalty")
@DENSE
def test_a_penalty_on_gradients_trains_as_without_a_scaler(case, device):
    scaled, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
    for _ in range(2):
        scaled.optimizer.zero_grad()
        scaler.scale(penalised(scaled, scaler.scale(torch.ones((), device=device)))).backward()
        scaler.step(scaled.optimizer)
        scaler.update()
        plain.optimizer.zero_grad()
        penalised(plain, 1.0).backward()
        plain.optimizer.step()
    check.same(seen=scaled.values(), expected=plain.values(), source="the loss without a scaler")
