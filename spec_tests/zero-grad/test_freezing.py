"""Frozen parameters: from the start, later, and with gradients of zero."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import TinyNet
from fixtures.claims import claim
from fixtures.runs.training import Training, start

WHOLE = (torch.int8, torch.uint8, torch.int64, torch.bool)


@claim("freezing.gradient-passes-through")
def test_the_layer_before_a_frozen_one_has_its_gradient(device):
    whole, frozen = TinyNet(device), TinyNet(device)
    frozen.fc2.requires_grad_(False)
    whole.loss().backward()
    frozen.loss().backward()
    check.same(
        seen=[frozen.fc1.weight.grad, frozen.fc2.weight.grad, frozen.fc2.bias.grad],
        expected=[whole.fc1.weight.grad, None, None],
        source="the same net without a frozen layer",
    )


@claim("freezing.gradient-passes-through")
def test_the_gradient_that_passes_is_not_zero(device):
    net = TinyNet(device)
    net.fc2.requires_grad_(False)
    net.loss().backward()
    assert bool((net.fc1.weight.grad != 0).all()), net.fc1.weight.grad


@claim("freezing.not-updated-and-without-state")
@optimizers.each(but=("keeps_one_state", "keeps_state_from_construction"))
def test_a_frozen_parameter_stays_and_has_no_state(case, device):
    training = Training(case, device)
    frozen = training.parameters[0].requires_grad_(False)
    before = frozen.detach().clone()
    training.run(2)
    check.same(
        seen=[frozen.detach(), dict(training.optimizer.state.get(frozen, {}))],
        expected=[before, {}],
        source="the parameter before training, and no state",
    )


def whole(dtype, device):
    """Return a frozen parameter of ones."""
    ones = torch.ones(2, 2, device=device).to(dtype)
    return torch.nn.Parameter(ones, requires_grad=False)


@claim("freezing.integer-parameters-are-accepted")
@optimizers.each()
def test_frozen_parameters_of_whole_numbers_stay_beside_those_that_train(case, device):
    training, alone = Training(case, device), Training(case, device)
    frozen = [whole(dtype, device) for dtype in WHOLE]
    before = [parameter.clone() for parameter in frozen]
    training.optimizer = case.build([*frozen, *training.parameters])
    training.run(2)
    alone.run(2)
    check.same(
        seen=[frozen, training.values()],
        expected=[before, alone.values()],
        source="the parameters before training, and the others trained alone",
    )


@claim("freezing.late-leaves-the-gradient")
@optimizers.each()
def test_a_parameter_frozen_late_goes_on_moving(case, device):
    frozen, free = Training(case, device), Training(case, device)
    for training in (frozen, free):
        training.backward()
    frozen.parameters[0].requires_grad_(False)
    for training in (frozen, free):
        training.step()
    check.same(seen=frozen.values(), expected=free.values(), source="a step without freezing")


@claim("freezing.late-gradient-is-cleared")
@pytest.mark.parametrize("to_none", [True, False], ids=["to_none", "to_zeros"])
@optimizers.each(which="accepts_dense_gradients")
def test_the_gradient_of_a_parameter_frozen_late_is_cleared(case, to_none, device):
    training = Training(case, device)
    training.backward()
    for parameter in training.parameters:
        parameter.requires_grad_(False)
    training.optimizer.zero_grad(set_to_none=to_none)
    cleared = [None if to_none else torch.zeros_like(p) for p in training.parameters]
    check.same(seen=training.gradients(), expected=cleared, source="zero_grad() of all parameters")


@claim("freezing.unfrozen-trains-like-new")
@optimizers.each(but="keeps_one_state")
def test_a_parameter_that_was_frozen_at_construction_trains_when_thawed(case, device):
    training, first, last = (Training(case, device) for _ in range(3))
    thawed = training.parameters[0].requires_grad_(False)
    training.optimizer = case.build(training.parameters)
    training.run(2)
    thawed.requires_grad_(True)
    training.run(1)
    first.run(1)
    last.run(3)
    check.same(
        seen=training.values(),
        expected=[first.values()[0], last.values()[1]],
        source="the first step of a parameter that was never frozen, and the third of the other",
    )


@claim("freezing.zero-is-not-none")
@pytest.mark.parametrize("option", ["momentum", "weight_decay"])
@optimizers.each(only=("SGD",))
def test_momentum_and_decay_move_a_parameter_with_a_gradient_of_zeros(case, option, device):
    moved = []
    for gradient in (torch.zeros, lambda *_, **__: None):
        parameter = start(case, device)[0]
        optimizer = case.build([parameter], **{option: 0.5})
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        before = parameter.detach().clone()
        parameter.grad = gradient(parameter.shape, device=device)
        optimizer.step()
        moved.append(not torch.equal(parameter.detach(), before))
    check.same(seen=moved, expected=[True, False], source="004-4: zeros move it, None does not")
