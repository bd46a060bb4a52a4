"""How long a graph lives, and what is noticed of changes to the tensors it has saved."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import Bowl, leaf
from fixtures.claims import claim
from fixtures.runs.training import Training

# Which saves its input for backward, and which does not.
SAVING = {
    "square": lambda w: (w**2).sum(),
    "product": lambda w: (w * w).sum(),
    "exponential": lambda w: w.exp().sum(),
}
SAVING_NOTHING = {
    "sum": (lambda w: w.sum(), 1.0),
    "shifted": (lambda w: (w + 1).sum(), 1.0),
    "turned_round": (lambda w: (-w).sum(), -1.0),
}
NOTICED = {
    "in_place_under_no_grad": torch.no_grad()(lambda w: w.sub_(10)),
    "through_detach": lambda w: w.detach().sub_(10),
}
UNNOTICED = {
    "into_data": lambda w: w.data.sub_(10),
    "data_replaced": lambda w: setattr(w, "data", w.data - 10),
}


def step_between_forward_and_backward(training):
    """Save the parameters in a graph, take a step, and go back through the graph."""
    loss = torch.stack([(parameter**2).sum() for parameter in training.parameters]).sum()
    training.backward()
    training.step()
    loss.backward()


@claim("retain-graph.second-backward-needs-it")
@pytest.mark.parametrize("loss_of", SAVING.values(), ids=SAVING)
def test_a_second_backward_through_a_graph_is_an_error(loss_of, device):
    loss = loss_of(leaf((1.0, 2.0), device))
    loss.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


@claim("retain-graph.allows-another-backward")
@pytest.mark.parametrize("times", [2, 3], ids="{}_times".format)
def test_a_retained_graph_gives_its_gradient_each_time(times, device):
    w = Bowl.start(device)
    loss = Bowl.loss(w)
    for _ in range(times):
        loss.backward(retain_graph=True)
    check.same(
        seen=w.grad,
        expected=torch.tensor([1.0 * times, 2.0 * times]),
        source="(2·w1, 4·w2) at (0.5, 0.5), so many times",
    )


@claim("retain-graph.allows-another-backward")
def test_the_first_backward_that_does_not_retain_is_the_last(device):
    loss = Bowl.loss(Bowl.start(device))
    loss.backward(retain_graph=True)
    loss.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


@claim("retain-graph.not-needed-if-nothing-saved")
@pytest.mark.parametrize("loss_of, slope", SAVING_NOTHING.values(), ids=SAVING_NOTHING)
def test_a_graph_that_saved_nothing_can_be_used_again(loss_of, slope, device):
    w = leaf((1.0, 2.0), device)
    loss = loss_of(w)
    loss.backward()
    loss.backward()
    expected = torch.tensor([2 * slope, 2 * slope])
    check.same(seen=w.grad, expected=expected, source="twice the slope of the function")


@claim("versions.change-in-place-is-noticed")
@pytest.mark.parametrize("change", NOTICED.values(), ids=NOTICED)
def test_backward_through_a_leaf_changed_in_between_is_an_error(change, device):
    w = leaf((1.0, 2.0), device)
    loss = (w**2).sum()
    change(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@claim("versions.change-of-data-goes-unnoticed")
@pytest.mark.parametrize("change", UNNOTICED.values(), ids=UNNOTICED)
def test_backward_takes_the_changed_values_for_those_of_the_forward_pass(change, device):
    w = leaf((1.0, 2.0), device)
    loss = (w**2).sum()
    change(w)
    loss.backward()
    check.same(
        seen=w.grad,
        expected=torch.tensor([-18.0, -16.0]),
        source="2w after the change; before it, 2w was (2, 4)",
    )


@claim("versions.step-is-noticed")
@optimizers.each()
def test_backward_through_a_graph_from_before_the_step_is_an_error(case, device):
    training = Training(case, device)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        step_between_forward_and_backward(training)
