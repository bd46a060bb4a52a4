"""What zero_grad() clears, and what it leaves."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import TinyNet
from fixtures.claims import claim
from fixtures.runs.training import Training, start


@claim("zero-grad.sets-none")
@optimizers.each()
def test_every_gradient_is_gone(case, device):
    training = Training(case, device)
    training.backward()
    training.optimizer.zero_grad()
    check.same(seen=training.gradients(), expected=[None, None], source="001-8")


@claim("zero-grad.leaves-no-zeros")
@optimizers.each()
def test_no_zeros_are_left(case, device):
    training = Training(case, device)
    training.backward()
    training.optimizer.zero_grad()
    left = [parameter.grad for parameter in training.parameters if parameter.grad is not None]
    assert left == []


@claim("zero-grad.fills-when-asked")
@optimizers.each(which="accepts_dense_gradients")
def test_the_same_tensor_is_filled(case, device):
    training = Training(case, device)
    training.backward()
    before = [parameter.grad for parameter in training.parameters]
    places = [gradient.data_ptr() for gradient in before]
    training.optimizer.zero_grad(set_to_none=False)
    after = [parameter.grad for parameter in training.parameters]
    check.same(
        seen=[after, [a is b for a, b in zip(after, before, strict=True)],
              [gradient.data_ptr() for gradient in after]],
        expected=[[torch.zeros_like(p) for p in training.parameters], [True, True], places],
        source="002-12",
    )  # fmt: skip


@claim("zero-grad.creates-no-gradient")
@optimizers.each()
def test_none_stays_none(case, device):
    training = Training(case, device)
    training.optimizer.zero_grad(set_to_none=False)
    check.same(
        seen=training.gradients(), expected=[None, None], source="parameters before any backward()"
    )


@claim("zero-grad.cuts-the-graph-of-a-gradient")
@optimizers.each(which="accepts_dense_gradients")
def test_a_gradient_with_a_graph_is_detached(case, device):
    training = Training(case, device)
    gradients = torch.autograd.grad(training.loss(), training.parameters, create_graph=True)
    for parameter, gradient in zip(training.parameters, gradients, strict=True):
        parameter.grad = gradient
    training.optimizer.zero_grad(set_to_none=False)
    tracked = [parameter.grad.requires_grad for parameter in training.parameters]
    check.same(seen=tracked, expected=[False, False], source="the documentation of zero_grad")


@claim("zero-grad.keeps-graph-of-held-gradient")
@optimizers.each(which="accepts_dense_gradients")
def test_a_gradient_that_is_held_can_be_differentiated_after_clearing(case, device):
    training = Training(case, device)
    held = torch.autograd.grad(training.loss(), training.parameters, create_graph=True)
    for parameter, gradient in zip(training.parameters, held, strict=True):
        parameter.grad = gradient
    training.optimizer.zero_grad()
    seen = torch.autograd.grad([gradient.sum() for gradient in held], training.parameters)
    check.same(
        seen=list(seen),
        expected=[torch.full_like(p, 2.0 * k) for k, p in enumerate(training.parameters, 1)],
        source="the second derivative of k·p², which is 2·k",
    )


@claim("zero-grad.touches-nothing-else")
@optimizers.each()
def test_parameters_and_state_stay(case, device):
    training = Training(case, device)
    training.run(2)
    before = [training.values(), *map(copied, states_of(training))]
    training.optimizer.zero_grad()
    check.same(
        seen=[training.values(), *states_of(training)],
        expected=before,
        source="parameters and state before zero_grad()",
    )


def states_of(training):
    return [dict(training.optimizer.state[p]) for p in training.parameters]


def copied(state):
    return {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in state.items()}


@claim("zero-grad.optimizer-versus-module")
def test_each_clears_what_it_knows(device):
    net = TinyNet(device)
    optimizer = torch.optim.SGD(net.fc1.parameters(), lr=0.1)
    net.loss().backward()
    optimizer.zero_grad()
    by_optimizer = [parameter.grad is None for parameter in net.parameters()]
    net.zero_grad()
    by_module = [parameter.grad is None for parameter in net.parameters()]
    check.same(
        seen=[by_optimizer, by_module],
        expected=[[True, True, False, False, False, False], [True] * 6],
        source="the parameters of the first layer, and of the module",
    )


@claim("zero-grad.sets-none")
@optimizers.each(but="takes_one_group")
def test_every_group_is_cleared(case, device):
    parameters = start(case, device)
    optimizer = case.build([{"params": [parameter]} for parameter in parameters])
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.zero_grad()
    check.same(
        seen=[parameter.grad for parameter in parameters], expected=[None, None], source="001-8"
    )
