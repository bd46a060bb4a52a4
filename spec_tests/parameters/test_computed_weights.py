"""Weights that are computed from parameters: parametrizations, norms of weights, functional_call."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.module_training import ON_EACH, build, inputs, layer, train, weights

# What torch deprecates, or calls new, is asked here all the same.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:UserWarning"),
    pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning"),
]


class Halved(nn.Module):
    """The simplest parametrization that can be turned round."""

    def forward(self, original):
        """Return half of it."""
        return original / 2

    def right_inverse(self, weight):
        """Return what gives this weight."""
        return weight * 2


def halved(module):
    """Parametrize the weight of a module by twice its values."""
    parametrize.register_parametrization(module, "weight", Halved())
    return module


@dataclass(frozen=True)
class Computed:
    """A way in which a layer computes its weight.

    Attributes:
        name: For the id of a case.
        register: Changes a layer so that its weight is computed.
        originals: The names of the parameters from which it is computed.
    """

    name: str
    register: Callable[[nn.Module], nn.Module]
    originals: tuple[str, ...] = ("parametrizations.weight.original",)


NORM = tuple(f"parametrizations.weight.original{n}" for n in (0, 1))
ONE_ORIGINAL = (
    Computed("own", halved),
    Computed("spectral_norm", parametrizations.spectral_norm),
    Computed("spectral_norm_of_hooks", nn.utils.spectral_norm, ("weight_orig",)),
)
SEVERAL = (
    *(
        Computed("weight_norm", register, NORM)
        for register in [getattr(parametrizations, "weight_norm", None)]
        if register is not None
    ),
    Computed("weight_norm_of_hooks", nn.utils.weight_norm, ("weight_g", "weight_v")),
)


def norm_of_weights(direction, size, batch):
    """Return the output of a layer whose rows have these sizes and directions."""
    return batch @ torch._weight_norm(direction, size, 0).t()


@claim("computed-weights.train-their-originals")
@ON_EACH
def test_an_optimizer_over_a_parametrized_layer_trains_what_the_weight_is_computed_from(
    case, device
):
    net, original = halved(layer(device)), nn.Parameter(2 * weights(device))
    both = [build(case, net.parameters()), build(case, [original])]
    train(net, both[0], inputs(device))
    train(lambda batch: batch @ (original / 2).t(), both[1], inputs(device))
    check.same(
        seen=[[p.detach() for p in net.parameters()], net.weight.detach()],
        expected=[[original.detach()], original.detach() / 2],
        source="the original as a parameter of its own, and half of it",
    )


@claim("computed-weights.train-both-of-weight-norm")
@optimizers.each(which="accepts_dense_gradients", but="needs_closure")
def test_weight_norm_trains_size_and_direction(case, device):
    net = nn.utils.weight_norm(layer(device))
    size, direction = (nn.Parameter(p.detach().clone()) for p in (net.weight_g, net.weight_v))
    both = [build(case, net.parameters()), case.build([size, direction])]
    train(net, both[0], inputs(device))
    train(lambda batch: norm_of_weights(direction, size, batch), both[1], inputs(device))
    check.same(
        seen=[p.detach() for p in net.parameters()],
        expected=[size.detach(), direction.detach()],
        source="size and direction as parameters of their own",
    )


def followed(computed, case, device):
    """Return which originals of a weight move if the optimizer was built before they were made."""
    net = layer(device)
    optimizer = build(case, net.parameters())
    computed.register(net)
    before = [net.get_parameter(name).detach().clone() for name in computed.originals]
    train(net, optimizer, inputs(device))
    after = [net.get_parameter(name).detach() for name in computed.originals]
    return [not torch.equal(*both) for both in zip(before, after, strict=True)]


@claim("computed-weights.one-original-is-followed")
@ON_EACH
def test_an_optimizer_that_was_built_before_trains_the_one_original(case, device):
    seen = {c.name: followed(c, case, device) for c in ONE_ORIGINAL}
    check.same(seen=seen, expected={name: [True] for name in seen}, source="the original moves")


@claim("computed-weights.several-are-not-followed")
@ON_EACH
def test_an_optimizer_that_was_built_before_does_not_train_several_originals(case, device):
    seen = {c.name: followed(c, case, device) for c in SEVERAL}
    check.same(
        seen=seen, expected={name: [False, False] for name in seen}, source="neither of them moves"
    )


@claim("computed-weights.given-to-functional-call")
@ON_EACH
def test_parameters_given_to_functional_call_are_trained_and_those_of_the_module_are_not(
    case, device
):
    net, other = layer(device), layer(device)
    given = {"weight": weights(device).requires_grad_()}
    both = [build(case, given.values()), build(case, other.parameters())]
    train(lambda x: torch.func.functional_call(net, given, (x,)), both[0], inputs(device))
    train(other, both[1], inputs(device))
    check.same(
        seen=[given["weight"].detach(), net.weight.detach(), net.weight.grad],
        expected=[other.weight.detach(), weights(device), None],
        source="a module with these parameters; and the one that was called, as it was",
    )
