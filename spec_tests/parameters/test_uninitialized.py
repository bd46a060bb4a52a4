"""Parameters of lazy modules, which an optimizer may be given before they have a shape."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.module_training import build, everything, inputs, layer, train, weights

# What torch deprecates, or calls new, is asked here all the same.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:UserWarning"),
    pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning"),
]

REFUSING = ("Adagrad", "Muon")
TAKING = [
    entry.name
    for entry in optimizers.chosen(which="accepts_dense_gradients")
    if entry.name not in REFUSING
]


def lazy(device):
    """Return a layer whose weight has no shape yet."""
    return nn.LazyLinear(3, bias=False, device=device)


def materialize(net, device):
    """Give the weight of a lazy layer its shape and its values."""
    net(inputs(device))
    with torch.no_grad():
        net.weight.copy_(weights(device))


@claim("uninitialized.train-once-they-have-values")
@optimizers.each(only=TAKING)
def test_an_optimizer_over_a_lazy_layer_trains_it_like_any_other(case, device):
    net, other = lazy(device), layer(device)
    early = build(case, net.parameters())
    materialize(net, device)
    late = build(case, other.parameters())
    train(net, early, inputs(device))
    train(other, late, inputs(device))
    check.same(
        seen=everything(net, early),
        expected=everything(other, late),
        source="a layer whose weight had its shape from the start",
    )


@claim("uninitialized.refused-by-adagrad-and-muon")
@optimizers.each(only=REFUSING)
def test_an_optimizer_that_looks_at_the_shape_refuses_a_lazy_layer(case, device):
    with pytest.raises(ValueError, match=r"uninitialized parameter|only supports 2D parameters"):
        build(case, lazy(device).parameters())


@claim("uninitialized.steps-pass-over-them")
@optimizers.each(only=TAKING, but="needs_closure")
def test_calls_before_there_are_values_change_nothing(case, device):
    net = lazy(device)
    optimizer = build(case, net.parameters())
    before = deepcopy(optimizer.state_dict())
    optimizer.step(lambda: 1.0)
    optimizer.zero_grad()
    optimizer.load_state_dict(optimizer.state_dict())
    check.same(seen=optimizer.state_dict(), expected=before, source="before the step")


@claim("uninitialized.lbfgs-cannot-step")
@optimizers.each(only=("LBFGS",))
def test_lbfgs_counts_elements_that_are_not_there(case, device):
    optimizer = build(case, lazy(device).parameters())
    with pytest.raises(ValueError, match=r"uninitialized parameter"):
        optimizer.step(lambda: 1.0)
