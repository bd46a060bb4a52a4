"""An optimizer refers to the parameters that it is given, and changes them in place."""

import weakref

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh
from fixtures.runs.training import Training


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


@claim("references.gradient-assigned-by-hand")
@optimizers.each()
def test_a_gradient_put_there_by_hand_moves_the_parameters_as_backward_would(case, device):
    trained, by_hand = Training(case, device), Training(case, device)
    trained.backward()
    for parameter, gradient in zip(by_hand.parameters, trained.gradients(), strict=True):
        parameter.grad = gradient
    trained.step()
    by_hand.step()
    check.same(seen=by_hand.values(), expected=trained.values(), source="the step after backward()")


@claim("references.gradients-are-released")
@optimizers.each()
def test_a_gradient_lives_no_longer_than_its_parameter_holds_it(case, device):
    training = Training(case, device)
    training.run(1)
    gradients = [weakref.ref(parameter.grad) for parameter in training.parameters]
    training.optimizer.zero_grad()
    alive = [gradient() is not None for gradient in gradients]
    assert alive == [False, False], f"still held after zero_grad(): {alive}"


@claim("references.replacement-is-not-followed")
@optimizers.each(which="accepts_vectors")
def test_a_parameter_that_takes_the_place_of_another_is_not_moved(case, device):
    layer = torch.nn.Linear(2, 1, device=device)
    optimizer, old = case.build(layer.parameters()), layer.weight
    layer.weight = torch.nn.Parameter(torch.ones(1, 2, device=device))

    def closure():
        optimizer.zero_grad()
        loss = (layer(torch.ones(1, 2, device=device)) ** 2).sum()
        loss.backward()
        return loss.item()

    optimizer.step(closure)
    check.same(
        seen=[layer.weight, any(p is old for p in optimizer.param_groups[0]["params"])],
        expected=[torch.ones(1, 2, device=device), True],
        source="the new parameter as it was; the optimizer holds the old one",
    )


@claim("references.cast-parameters-are-followed")
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=["float64", "bfloat16"])
@optimizers.each(but="keeps_state_from_construction")
def test_a_module_that_is_cast_before_the_first_step_is_trained_in_its_new_dtype(
    case, dtype, device
):
    cast, built = fresh(case, device), fresh(case, device, dtype=dtype)
    holder = torch.nn.ParameterList(cast.parameters).to(dtype)
    with torch.no_grad():
        for parameter, same in zip(holder, built.parameters, strict=True):
            parameter.copy_(same)
    cast.run(2)
    built.run(2)
    check.same(seen=cast.values(), expected=built.values(), source="parameters made in that dtype")


@claim("references.sums-of-adagrad-are-not-cast")
@optimizers.each(only=("Adagrad",))
def test_adagrad_adds_up_in_the_dtype_that_parameters_had_at_first(case, device):
    training = Training(case, device)
    torch.nn.ParameterList(training.parameters).to(torch.float64)
    training.run(1)
    state = training.optimizer.state
    seen = [[str(p.dtype), str(state[p]["sum"].dtype)] for p in training.parameters]
    expected = [["torch.float64", "torch.float32"]] * 2
    check.same(seen=seen, expected=expected, source="the dtype at construction")
