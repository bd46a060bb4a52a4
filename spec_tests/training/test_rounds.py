"""A round of training: what is called, in which order, and what a running total keeps."""

import weakref

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import TenPointClassifier
from fixtures.claims import claim
from fixtures.runs.training import Training

ROUNDS = 3


@claim("training.order-of-a-round")
@optimizers.each(but="needs_closure")
def test_leftovers_have_no_part_in_the_step(case, device):
    clean, littered = Training(case, device), Training(case, device)
    littered.backward()
    for training in (clean, littered):
        training.optimizer.zero_grad()
        training.backward()
        training.step()
    check.same(seen=littered.values(), expected=clean.values(), source="a round without leftovers")


@claim("training.clearing-before-the-step")
@optimizers.each()
def test_parameters_stay_when_gradients_are_cleared_before_the_step(case, device):
    training = Training(case, device)
    before = training.values()
    for _ in range(ROUNDS):
        training.backward()
        training.optimizer.zero_grad()
        training.step()
    check.same(seen=training.values(), expected=before, source="the parameters before the loop")


@claim("training.step-before-backward-lags")
@optimizers.each(but="needs_closure")
def test_stepping_first_stays_one_round_behind(case, device):
    training, in_order = Training(case, device), Training(case, device)
    for _ in range(ROUNDS + 1):
        training.step()
        training.optimizer.zero_grad()
        training.backward()
    in_order.run(ROUNDS)
    check.same(
        seen=training.values(),
        expected=in_order.values(),
        source=f"{ROUNDS} rounds in the right order",
    )


def batches_alive(device, what_is_added):
    """Return how many of five batches are alive when only the running total is left of them."""
    weight = torch.ones(3, device=device, requires_grad=True)
    total, batches = 0.0, []
    for number in range(5):
        batch = torch.full((3,), float(number), device=device)
        batches.append(weakref.ref(batch))
        total = total + what_is_added((weight * batch).sum())
        del batch
    return sum(batch() is not None for batch in batches)


@claim("training.running-total-of-numbers")
@pytest.mark.parametrize(
    "what_is_added, alive",
    [
        pytest.param(lambda loss: loss.item(), 0, id="item"),
        pytest.param(lambda loss: loss.detach(), 0, id="detach"),
        pytest.param(lambda loss: loss, 5, id="loss"),
    ],
)
def test_a_total_keeps_the_batches_whose_graph_it_holds(what_is_added, alive, device):
    seen = batches_alive(device, what_is_added)
    check.same(seen=seen, expected=alive, source="004-10: batches that the total keeps alive")


@claim("training.running-total-of-numbers")
def test_a_total_of_numbers_is_a_number(device):
    loss = TenPointClassifier(device).loss()
    total = 0.0 + loss.item() + loss.item()
    assert type(total) is float, f"a total of loss.item() is a {type(total).__name__}"


@claim("training.calling-the-module")
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_a_module_predicts_what_it_gave_in_the_loop(training, device):
    model = TenPointClassifier(device)
    x = torch.tensor([[1.0, 2.0], [0.5, -1.0]], device=device)
    in_the_loop = model(x)
    model.train(training)
    with torch.no_grad():
        predictions = [model(x), model.forward(x)]
    check.same(seen=predictions, expected=[in_the_loop] * 2, source="the module called in training")
