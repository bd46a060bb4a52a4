"""Grad mode around a step and inside it, and errors on the way."""

from contextlib import suppress
from copy import deepcopy
from itertools import product

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh
from fixtures.runs.training import Training, start

MODES = {
    "grad": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
}


def modes_now():
    """Return whether gradients are recorded, and whether torch is in inference mode."""
    return [torch.is_grad_enabled(), torch.is_inference_mode_enabled()]


class ClosureError(Exception):
    """An error that a closure raises on purpose."""


def failing():
    """Raise: a closure that comes to no loss."""
    raise ClosureError


def switching():
    """Turn grad mode over, as a closure that has no business to, and return a loss."""
    torch.set_grad_enabled(not torch.is_grad_enabled())
    return 1.0


CLOSURES = {"returning": lambda: 1.0, "failing": failing, "switching": switching}


def modes_around(training, mode, closure):
    """Return the modes before a step and after it."""
    with mode():
        before = modes_now()
        with suppress(ClosureError):
            training.optimizer.step(closure)
        after = modes_now()
    return before, after


@claim("step.leaves-grad-mode-as-it-was")
@optimizers.each()
def test_grad_mode_after_a_step_is_that_before(case, device):
    around = {}
    for (mode_name, mode), (name, closure) in product(MODES.items(), CLOSURES.items()):
        training = Training(case, device)
        training.backward()
        around[f"{mode_name}, {name}"] = modes_around(training, mode, closure)
    check.same(
        seen={name: after for name, (_, after) in around.items()},
        expected={name: before for name, (before, _) in around.items()},
        source="the modes before the step",
    )


@claim("step.differentiable-under-no-grad")
@optimizers.each(taking=("differentiable",))
def test_a_differentiable_step_is_recorded_also_under_no_grad(case, device):
    derivatives = {}
    for name in ("grad", "no_grad"):
        parameter = start(case, device)[0].clone()
        parameter.retain_grad()
        gradient = torch.full_like(parameter, 0.5).detach().requires_grad_()
        optimizer = case.build([parameter])
        parameter.grad = gradient.clone()
        with MODES[name]():
            optimizer.step()
        (derivatives[name],) = torch.autograd.grad(parameter.sum(), gradient, allow_unused=True)
    check.same(
        seen=derivatives["no_grad"],
        expected=derivatives["grad"],
        source="the derivative of a step with grad enabled, by its gradient",
    )


@claim("closures.errors-reach-the-caller")
@optimizers.each()
def test_an_error_in_the_closure_leaves_everything_as_it_was(case, device):
    training = fresh(case, device)
    training.run(1)
    before = [training.values(), deepcopy(training.optimizer.state_dict())]
    with pytest.raises(ClosureError):
        training.optimizer.step(failing)
    check.same(
        seen=[training.values(), training.optimizer.state_dict()],
        expected=before,
        source="parameters and state before the step",
    )


@claim("closures.errors-reach-the-caller")
@optimizers.each()
def test_a_training_goes_on_after_an_error_in_the_closure(case, device):
    interrupted, other = fresh(case, device), fresh(case, device)
    interrupted.run(1)
    with suppress(ClosureError):
        interrupted.optimizer.step(failing)
    interrupted.run(1)
    other.run(2)
    check.same(seen=interrupted.values(), expected=other.values(), source="a training without it")


@claim("closures.errors-in-a-later-evaluation")
@optimizers.each(only=("LBFGS",), every_preset=True)
def test_an_error_in_a_later_evaluation_leaves_the_parameters_where_it_was(case, device):
    training, points = Training(case, device), []

    def closure():
        points.append(training.values())
        return failing() if len(points) == 2 else training.closure()

    with suppress(ClosureError):
        training.optimizer.step(closure)
    first, second = points
    moved = not torch.equal(first[0], second[0])
    check.same(
        seen=[moved, training.values()],
        expected=[True, second],
        source="where the closure was when it failed",
    )


@claim("inference-mode.steps-are-the-same")
@optimizers.each()
def test_steps_in_inference_mode_lead_where_steps_outside_lead(case, device):
    inside, outside = Training(case, device), Training(case, device)
    for _ in range(3):
        inside.closure()
        with torch.inference_mode():
            inside.step()
        outside.closure()
        outside.step()
    check.same(seen=inside.values(), expected=outside.values(), source="the steps outside")


@claim("inference-mode.state-cannot-leave-it")
@optimizers.each(which="keeps_state", but="keeps_state_from_construction")
def test_a_step_outside_after_a_first_one_in_inference_mode_is_an_error(case, device):
    training = Training(case, device)
    training.closure()
    with torch.inference_mode():
        training.step()
    training.closure()
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        training.step()


@claim("inference-mode.later-steps-may-enter-it")
@optimizers.each()
def test_a_training_that_begins_outside_may_step_in_either_mode(case, device):
    mixed, outside = Training(case, device), Training(case, device)
    for mode in (torch.no_grad, torch.inference_mode, torch.no_grad):
        mixed.closure()
        with mode():
            mixed.step()
        outside.closure()
        outside.step()
    check.same(seen=mixed.values(), expected=outside.values(), source="the steps outside")
