"""An optimizer refers to the parameters that it is given, and changes them in place."""

import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.training import Training


@claim("references.parameters-by-identity")
@optimizers.each()
def test_the_groups_hold_the_parameters_themselves(case, device):
    training = Training(case, device)
    held = [p for group in training.optimizer.param_groups for p in group["params"]]
    same = [a is b for a, b in zip(held, training.parameters, strict=True)]
    assert same == [True, True], f"the same object: {same}"


@claim("references.updated-in-place")
@optimizers.each()
def test_a_view_taken_before_the_steps_shows_the_new_values(case, device):
    training = Training(case, device)
    before, views = training.values(), [p.detach() for p in training.parameters]
    training.run(2)
    moved = [not torch.equal(a, b) for a, b in zip(training.values(), before, strict=True)]
    check.same(
        seen={"moved": moved, "through the view": views},
        expected={"moved": [True, True], "through the view": training.values()},
        source="the parameters after the steps",
    )


@claim("references.gradient-wherever-from")
@optimizers.each()
def test_a_gradient_put_there_by_hand_moves_the_parameters_as_backward_would(case, device):
    trained, by_hand = Training(case, device), Training(case, device)
    trained.backward()
    for parameter, gradient in zip(by_hand.parameters, trained.gradients(), strict=True):
        parameter.grad = gradient
    trained.step()
    by_hand.step()
    check.same(seen=by_hand.values(), expected=trained.values(), source="the step after backward()")
