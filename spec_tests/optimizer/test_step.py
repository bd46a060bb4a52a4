"""What moves parameters, what does not, and what a step leaves alone."""

import pytest
import torch
from torch.optim.lr_scheduler import StepLR

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# Everything in a training loop that is not optimizer.step().
ACTIONS = {
    "forward": lambda training, _: training.loss(),
    "backward": lambda training, _: training.backward(),
    "zero_grad": lambda training, _: training.optimizer.zero_grad(),
    "zero_grad_to_zero": lambda training, _: training.optimizer.zero_grad(set_to_none=False),
    "state_dict": lambda training, _: training.optimizer.state_dict(),
    "load_state_dict": lambda training, _: training.optimizer.load_state_dict(
        training.optimizer.state_dict()
    ),
    "scheduler_step": lambda _, scheduler: scheduler.step(),
}


def memory(gradient):
    """Return where the numbers of a gradient are."""
    return (gradient._values() if gradient.is_sparse else gradient).data_ptr()


@claim("step.moves-every-parameter")
@optimizers.each()
def test_a_step_with_fresh_gradients_moves_every_parameter(case, device):
    training = Training(case, device)
    before = training.values()
    training.run(1)
    moved = [not torch.equal(a, b) for a, b in zip(training.values(), before, strict=True)]
    assert moved == [True, True], f"moved: {moved}"


@claim("step.nothing-else-moves-parameters")
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
@optimizers.each()
def test_nothing_but_a_step_moves_parameters(case, action, device):
    training = Training(case, device)
    scheduler = StepLR(training.optimizer, step_size=1)
    training.run(1)
    before = training.values()
    action(training, scheduler)
    check.same(seen=training.values(), expected=before, source="the parameters before")


@claim("step.zero-grad-clears-what-was-given")
@optimizers.each()
def test_zero_grad_clears_the_given_parameters_and_no_other(case, device):
    given, other = Training(case, device), Training(case, device)
    given.backward()
    other.backward()
    gradients = other.gradients()
    given.optimizer.zero_grad()
    check.same(
        seen=[given.gradients(), other.gradients()],
        expected=[[None, None], gradients],
        source="nothing for the optimizer's own, and what backward() left for the others",
    )


@claim("step.zero-grad-clears-what-was-given")
@optimizers.each(but="takes_one_group")
def test_zero_grad_clears_every_group(case, device):
    training = Training(case, device)
    training.optimizer = case.build([{"params": [p]} for p in training.parameters])
    training.backward()
    training.optimizer.zero_grad()
    check.same(
        seen=training.gradients(), expected=[None, None], source="every parameter of both groups"
    )


def step_beside_gradients(training):
    """Take a step, and return what it found and what it left as gradients."""
    training.run(1)
    training.optimizer.zero_grad()
    training.backward()
    found = [parameter.grad for parameter in training.parameters]
    before = {
        "same object": [True, True],
        "memory": [memory(gradient) for gradient in found],
        "values": training.gradients(),
    }
    training.step()
    left = [parameter.grad for parameter in training.parameters]
    after = {
        "same object": [a is b for a, b in zip(left, found, strict=True)],
        "memory": [memory(gradient) for gradient in left],
        "values": training.gradients(),
    }
    return before, after


@claim("step.leaves-grad-alone")
@optimizers.each(every_option=True)
def test_a_step_leaves_the_gradients_as_they_are(case, device):
    before, after = step_beside_gradients(Training(case, device))
    check.same(seen=after, expected=before, source="the gradients before step()")
