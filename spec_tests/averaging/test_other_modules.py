"""AveragedModels of modules that are lazy, or whose weights are computed, and of subclasses of Tensor."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import averagings
from fixtures.catalogue.averagings import OF_EACH_KIND
from fixtures.catalogue.wrapper_tensor import unwrapped, wrapped
from fixtures.claims import claim
from fixtures.runs.module_training import inputs, layer, weights

# What torch deprecates, or calls new, is asked here all the same.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:UserWarning"),
    pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning"),
]

ON_EACH_KIND = averagings.each(only=OF_EACH_KIND)
NORMS = {
    "weight_norm": nn.utils.weight_norm,
    "spectral_norm": nn.utils.spectral_norm,
    "parametrizations_weight_norm": getattr(parametrizations, "weight_norm", None),
    "parametrizations_spectral_norm": parametrizations.spectral_norm,
}


def lazy(device):
    """Return a layer whose weight has no shape yet."""
    return nn.LazyLinear(3, bias=False, device=device)


def times(net, factor):
    """Multiply all parameters of a module."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(factor)


@claim("averaged-model.lazy-modules-need-values")
@pytest.mark.parametrize("initialized", [False, True], ids=["neither", "model_alone"])
@ON_EACH_KIND
def test_an_average_of_a_lazy_module_is_not_updated_before_it_has_values(
    averaging, initialized, device
):
    net = lazy(device)
    average = averaging.of(net)
    if_initialized = {True: [net], False: []}[initialized]
    for each in if_initialized:
        each(inputs(device))
    with pytest.raises(ValueError, match="uninitialized parameter"):
        average.update_parameters(net)
    assert int(average.n_averaged) == 0


@claim("averaged-model.lazy-modules-follow")
@ON_EACH_KIND
def test_an_average_that_was_called_once_follows_a_lazy_module(averaging, device):
    net, other = lazy(device), layer(device)
    average, expected = averaging.of(net), averaging.of(other)
    average(inputs(device))
    net(inputs(device))
    with torch.no_grad():
        net.weight.copy_(weights(device))
    for _ in range(3):
        for each, model in ((average, net), (expected, other)):
            each.update_parameters(model)
            times(model, 1.5)
    check.same(
        seen=average.module.weight.detach(),
        expected=expected.module.weight.detach(),
        source="a module whose weight had its shape from the start",
    )


@claim("averaged-model.averages-originals-of-weights")
@pytest.mark.parametrize("norm", NORMS)
@ON_EACH_KIND
def test_an_average_of_a_module_with_a_norm_averages_the_originals(
    averaging, norm, device, not_applicable
):
    register = NORMS[norm]
    if register is None:
        not_applicable("torch.nn.utils.parametrizations.weight_norm came with torch 2.1")
    net = register(layer(device)).eval()
    net(inputs(device))
    originals = nn.ParameterList([p.detach().clone() for p in net.parameters()])
    average, expected = averaging.of(net), averaging.of(originals)
    for _ in range(3):
        average.update_parameters(net)
        expected.update_parameters(originals)
        times(net, 1.5)
        times(originals, 1.5)
    check.same(
        seen=[p.detach() for p in average.parameters()],
        expected=[p.detach() for p in expected.parameters()],
        source="the originals as parameters of their own",
    )


@claim("averaged-model.averages-wrapped-tensors")
@ON_EACH_KIND
def test_wrapped_parameters_are_averaged_like_plain_ones(averaging, device):
    plain = layer(device)
    net = nn.Module()
    net.weight = wrapped(plain.weight)
    averages = [averaging.of(net), averaging.of(plain)]
    for _ in range(3):
        for average, model in zip(averages, (net, plain), strict=True):
            average.update_parameters(model)
            times(model, 1.5)
    check.close(
        seen=unwrapped(averages[0].module.weight.detach()),
        expected=averages[1].module.weight.detach(),
        source="a plain parameter",
        tolerance=STEPS,
    )
