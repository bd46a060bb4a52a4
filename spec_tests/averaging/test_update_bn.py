"""update_bn(): the statistics of batch normalisation, from one pass over the data."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.claims import claim
from fixtures.oracles.averages import Statistics, normalised, over_batches

# Two features; batches of several lengths.
BATCHES = (
    ((1.0, -2.0), (3.0, 0.5), (-1.0, 4.0), (2.0, 2.0)),
    ((0.5, 1.0), (2.5, -3.0)),
    ((-4.0, 0.0), (1.5, 1.0), (1.0, 6.0)),
)
# Of more dimensions, with the rows of a batch spread over the places of one image.
KINDS = {
    "1d": (nn.BatchNorm1d, lambda x: x),
    "1d_in_places": (nn.BatchNorm1d, lambda x: x.t()[None]),
    "2d": (nn.BatchNorm2d, lambda x: x.t()[None, :, :, None]),
    "3d": (nn.BatchNorm3d, lambda x: x.t()[None, :, None, :, None]),
}
FORMS = {
    "tensor": lambda x: x,
    "list": lambda x: [x, "label"],
    "tuple": lambda x: (x, "label"),
    "list_of_one": lambda x: [x],
}
MODES = pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
MOMENTA = (0.1, None, 0.75)


def loader(device, form=lambda x: x):
    """Return the batches as tensors, in the form in which a loader hands them on."""
    return [form(torch.tensor(batch, device=device)) for batch in BATCHES]


def two_layers(device, scale=2.0):
    """Return two normalisations with a scaling between them, all with statistics of long ago."""
    net = nn.Sequential(
        nn.BatchNorm1d(2, momentum=MOMENTA[0]),
        Scale(scale),
        nn.BatchNorm1d(2, momentum=MOMENTA[1], affine=False),
        nn.Sequential(nn.BatchNorm1d(2, momentum=MOMENTA[2])),
        nn.Dropout(0.5),
    ).to(device)
    for buffer in net.buffers():
        buffer.fill_(7)
    return net


class Scale(nn.Module):
    """A parameter that everything is multiplied by."""

    def __init__(self, scale):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x):
        return self.scale * x


class Pairs(nn.BatchNorm1d):
    """A batch normalisation that takes two batches at once."""

    def __init__(self):
        super().__init__(2)
        self.called_with = []

    def forward(self, pair):
        self.called_with.append(pair)
        return super().forward(pair[0] + pair[1])


class Own(nn.modules.batchnorm._BatchNorm):
    """A batch normalisation that is none of torch's own."""


class Listening(nn.BatchNorm1d):
    """A batch normalisation that keeps what it is called with, and does nothing."""

    def __init__(self, features):
        super().__init__(features)
        self.heard = []

    def forward(self, x):
        self.heard.append(x)


def layers(net):
    return [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def statistics(net):
    """Return mean, variance and count of each normalisation."""
    return [[b.clone() for b in layer.buffers()] for layer in layers(net)]


def by_hand(device, scale=2.0):
    """Return the same in plain Python: each layer sees what those before it make in training."""
    first = BATCHES
    second = [[[scale * x for x in row] for row in normalised(batch)] for batch in first]
    third = [normalised(batch) for batch in second]
    return [as_buffers(over_batches(seen), device) for seen in (first, second, third)]


def as_buffers(found: Statistics, device):
    rows = [torch.tensor(row, device=device) for row in (found.mean, found.variance)]
    return [*rows, torch.tensor(len(BATCHES), device=device)]


def check_statistics(net, device, scale=2.0):
    __tracebackhide__ = True
    mean, variance, count = zip(*statistics(net), strict=True)
    expected_mean, expected_variance, expected_count = zip(*by_hand(device, scale), strict=True)
    # The means of what is normalised are 0 but for rounding, on the scale of the entries: 1.
    check.close(
        seen={"mean": [m + 1 for m in mean], "variance": variance, "count": count},
        expected={
            "mean": [m + 1 for m in expected_mean],
            "variance": expected_variance,
            "count": expected_count,
        },
        source="fixtures/oracles/averages.py; the means are shown plus 1",
        tolerance=STEPS,
    )


@claim("update-bn.averages-batch-statistics")
@MODES
def test_each_layer_has_the_mean_of_the_statistics_of_the_batches(mode, device):
    net = two_layers(device).train(mode)
    update_bn(loader(device), net)
    check_statistics(net, device)


@claim("update-bn.averages-batch-statistics")
def test_statistics_are_those_of_the_averaged_weights(device):
    net = two_layers(device, scale=2.0)
    averaged = AveragedModel(net)
    averaged.update_parameters(net)
    averaged.update_parameters(two_layers(device, scale=6.0))
    update_bn(loader(device), averaged)
    check_statistics(averaged, device, scale=4.0)


@claim("update-bn.averages-batch-statistics")
@pytest.mark.parametrize("layer, shaped", KINDS.values(), ids=KINDS)
def test_every_batch_normalisation_is_updated(layer, shaped, device):
    net = layer(2).to(device)
    update_bn(loader(device, shaped), net)
    check.close(
        seen=statistics(net),
        expected=[as_buffers(over_batches(BATCHES), device)],
        source="fixtures/oracles/averages.py",
        tolerance=STEPS,
    )


@claim("update-bn.takes-tensors-lists-and-tuples")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_batches_come_in_every_documented_form(form, device):
    net, plain = two_layers(device), two_layers(device)
    update_bn(loader(device, form), net)
    update_bn(loader(device), plain)
    check.same(seen=statistics(net), expected=statistics(plain), source="batches that are tensors")


@claim("update-bn.passes-first-entry-unchanged")
def test_a_pair_in_the_first_place_reaches_the_model_as_a_pair(device):
    first, second = (torch.ones(2, 2, device=device) * factor for factor in (1, 3))
    net = Pairs().to(device)
    update_bn([((first, second), "label")], net)
    check.same(seen=net.called_with, expected=[(first, second)], source="the entry of the batch")


@claim("update-bn.resets-all-batch-norm-classes")
@pytest.mark.parametrize("layer", [Own, nn.SyncBatchNorm], ids=["own_subclass", "synchronised"])
def test_a_layer_derived_from_the_common_base_is_reset_too(layer):
    net = layer(2)
    net.running_mean.fill_(7)
    update_bn([], net)
    check.same(seen=net.running_mean, expected=torch.zeros(2), source="a layer that was just built")


@claim("update-bn.updates-frozen-layers")
def test_layers_whose_parameters_are_frozen_are_updated(device):
    net = two_layers(device).requires_grad_(False)
    update_bn(loader(device), net)
    check_statistics(net, device)


@claim("update-bn.calls-model-once-per-batch")
def test_each_batch_is_passed_once_in_training_and_without_a_graph(device):
    net, calls, batches = two_layers(device), [], loader(device)
    net.register_forward_hook(
        lambda _, given, out: calls.append([given[0], net.training, out.requires_grad])
    )
    update_bn(iter(batches), net.eval())
    check.same(
        seen=calls,
        expected=[[batch, True, False] for batch in batches],
        source="the batches, in training mode, under no_grad",
    )


@claim("update-bn.restores-momenta")
def test_every_layer_has_the_momentum_that_it_had(device):
    net = two_layers(device)
    update_bn(loader(device), net)
    check.same(
        seen=[layer.momentum for layer in layers(net)],
        expected=list(MOMENTA),
        source="what the constructors of the layers were given",
    )


@claim("update-bn.restores-the-mode")
@MODES
def test_the_model_is_in_the_mode_that_it_was_in(mode, device):
    net = two_layers(device).train(mode)
    update_bn(loader(device), net)
    modes = {module.training for module in net.modules()}
    check.same(seen=[*modes], expected=[mode], source="the model before")


@claim("update-bn.submodules-get-the-model-mode")
def test_a_layer_in_another_mode_than_the_model_has_its_mode_afterwards(device):
    net = two_layers(device)
    net[0].eval()
    update_bn(loader(device), net)
    check.same(seen=net[0].training, expected=True, source="the mode of the model")


@claim("update-bn.changes-nothing-but-statistics")
def test_parameters_stay_and_have_no_gradient(device):
    net = two_layers(device)
    for parameter in net.parameters():
        torch.nn.init.constant_(parameter, 3.0)
    before = [p.detach().clone() for p in net.parameters()]
    update_bn(loader(device), net)
    check.same(
        seen=[[p.detach(), p.grad is None] for p in net.parameters()],
        expected=[[p, True] for p in before],
        source="the parameters before",
    )


@claim("update-bn.updates-in-place")
def test_the_buffers_of_a_layer_stay_the_same_objects(device):
    net = two_layers(device)
    before = dict(net.named_buffers())
    update_bn(loader(device), net)
    replaced = [name for name, buffer in net.named_buffers() if buffer is not before[name]]
    assert replaced == [], f"other objects than before: {replaced}"


@claim("update-bn.no-effect-without-batch-norm")
@MODES
def test_a_model_without_batch_normalisation_is_not_called(mode, device):
    def batches():
        raise AssertionError("the data were looked at")
        yield

    net = nn.Sequential(nn.Linear(2, 2), nn.InstanceNorm1d(2, track_running_stats=True)).to(device)
    before = [b.clone() for b in net.train(mode).buffers()]
    update_bn(batches(), net)
    check.same(
        seen=[[*net.buffers()], net.training], expected=[before, mode], source="the model before"
    )


@claim("update-bn.empty-loader-resets")
def test_without_a_batch_statistics_are_those_of_a_fresh_layer(device):
    net = two_layers(device)
    update_bn([], net)
    fresh = [[b.clone() for b in nn.BatchNorm1d(2, device=device).buffers()] for _ in MOMENTA]
    check.same(seen=statistics(net), expected=fresh, source="a layer that was just built")


@claim("update-bn.moves-batches-to-the-device")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_batches_on_the_cpu_are_moved_to_the_device(form, device):
    net, plain = two_layers(device), two_layers(device)
    update_bn(loader("cpu", form), net, device=device)
    update_bn(loader(device), plain)
    check.same(seen=statistics(net), expected=statistics(plain), source="batches made there")


@claim("update-bn.moves-batches-to-the-device")
def test_batches_are_moved_to_a_device_without_values():
    net = Listening(2)
    update_bn(loader("cpu"), net, torch.device("meta"))
    seen = [x.device.type for x in net.heard]
    check.same(seen=seen, expected=["meta"] * len(BATCHES), source="the device that was given")


@claim("update-bn.skips-untracked-layers")
def test_a_layer_that_keeps_no_statistics_is_left_alone(device):
    net = nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False), nn.BatchNorm1d(2)).to(device)
    update_bn(loader(device), net)
    seen = [len([*layer.buffers()]) for layer in net]
    assert (seen, net[0].momentum) == ([0, 3], 0.1), "the first keeps none, as it was built"


@claim("update-bn.restores-after-an-error")
@MODES
def test_momenta_and_mode_are_restored_if_the_model_refuses_a_batch(mode, device):
    net = two_layers(device).train(mode)
    with pytest.raises((RuntimeError, ValueError)):
        update_bn([*loader(device), torch.ones(2, 5, device=device)], net)
    check.same(
        seen=[[layer.momentum for layer in layers(net)], net.training],
        expected=[list(MOMENTA), mode],
        source="the model before",
    )
