"""An optimizer for each parameter, which steps as soon as the gradient of its parameter is there."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.each_implementation import in_each
from fixtures.runs.module_training import inputs, layer
from fixtures.runs.training import Training

OVER_ALL = optimizers.each(but="needs_closure")


def step_in_backward(case, parameters):
    """Have each parameter stepped and its gradient dropped while backward() runs.

    Returns:
        What each hook found in ``.grad`` after the step.
    """
    own = {parameter: case.build([parameter]) for parameter in parameters}
    left = []

    def hook(parameter):
        own[parameter].step()
        own[parameter].zero_grad()
        left.append(parameter.grad)

    for parameter in own:
        parameter.register_post_accumulate_grad_hook(hook)
    return left


def both_ways(case, device):
    """Return the parameters after three steps in backward(), and after three behind it."""
    during, behind = Training(case, device), Training(case, device)
    left = step_in_backward(case, during.parameters)
    for _ in range(3):
        during.backward()
        behind.run(1)
    return [during.values(), behind.values(), left]


@claim("steps-in-backward.equal-steps-after-it")
@OVER_ALL
def test_steps_while_backward_runs_are_those_after_it(case, implementations, device):
    runs = in_each(case, implementations, device, lambda each: both_ways(each, device))
    check.same(
        seen={name: during for name, (during, _, _) in runs.items()},
        expected={name: behind for name, (_, behind, _) in runs.items()},
        source="one optimizer that steps after backward()",
    )


@claim("steps-in-backward.drop-each-gradient")
@OVER_ALL
def test_no_gradient_is_left_after_backward(case, device):
    training = Training(case, device)
    left = step_in_backward(case, training.parameters)
    training.backward()
    check.same(
        seen=[left, training.gradients()],
        expected=[[None, None], [None, None]],
        source="zero_grad() in the hook of each parameter",
    )


@claim("steps-in-backward.step-shared-parameters-once")
@optimizers.each(which="accepts_dense_gradients", but="needs_closure")
def test_a_parameter_that_is_used_twice_is_stepped_once_by_its_whole_gradient(case, device):
    during, behind = layer(device), layer(device)
    left = step_in_backward(case, during.parameters())
    optimizer = case.build(behind.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        for net in (during, behind):
            batch = inputs(device)
            (
                (net(batch) ** 2).sum() + (torch.nn.functional.linear(batch, net.weight)).sum()
            ).backward()
        optimizer.step()
    check.same(
        seen=[len(left), during.weight.detach()],
        expected=[3, behind.weight.detach()],
        source="one optimizer that steps after backward(), three times",
    )
