"""AveragedModel as a module: a copy that stands on its own, and can be called, saved and moved."""

import pickle
import warnings
from copy import deepcopy
from io import BytesIO

import pytest
import torch
from torch import nn
from torch.optim import swa_utils
from torch.optim.swa_utils import AveragedModel

from fixtures.assertions import check
from fixtures.catalogue import averagings
from fixtures.catalogue.averagings import (
    OF_EACH_KIND,
    OVER_LISTS,
    OVER_PARAMETERS,
    Net,
    polynomial,
)
from fixtures.claims import claim

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

ON_EACH_KIND = averagings.each(only=OF_EACH_KIND)


def tensors(module):
    """Return copies of the parameters and buffers of a module."""
    return [t.detach().clone() for t in (*module.parameters(), *module.buffers())]


def followed(averaging, net, times, averaged=None):
    """Return an average over a net, or the one given, updated at each time."""
    averaged = averaged or averaging.of(net.at(0))
    for time in times:
        averaged.update_parameters(net.at(time))
    return averaged


def trace(averaged):
    """Return all that an average consists of."""
    return [tensors(averaged), averaged.training]


@claim("averaged-model.is-a-copy")
@ON_EACH_KIND
def test_an_average_shares_no_memory_with_the_model(averaging, device):
    net = Net(device)
    averaged = followed(averaging, net, (1, 2))
    pairs = zip(
        [*net.parameters(), *net.buffers()],
        [*averaged.module.parameters(), *averaged.module.buffers()],
        strict=True,
    )
    shared = [a.data_ptr() == b.data_ptr() for a, b in pairs if a.numel()]
    check.same(seen=shared, expected=[False] * 6, source="a deep copy has memory of its own")


@claim("averaged-model.is-a-copy")
@ON_EACH_KIND
def test_an_average_starts_with_the_values_of_the_model(averaging, device):
    net = Net(device)
    check.same(
        seen=tensors(averaging.of(net).module),
        expected=tensors(net),
        source="the parameters and buffers of the model",
    )


@claim("averaged-model.leaves-the-model-alone")
@ON_EACH_KIND
def test_nothing_that_an_average_does_changes_the_model(averaging, device):
    net, x = Net(device), torch.ones(2, device=device)
    del net.count
    net(x).sum().backward()
    before = [tensors(net), net.matrix.grad.clone(), [p._version for p in net.parameters()], True]
    averaged = averaging.of(net, use_buffers=True).eval()
    for _ in range(3):
        averaged.update_parameters(net)
    averaged(x).sum().backward()
    check.same(
        seen=[tensors(net), net.matrix.grad, [p._version for p in net.parameters()], net.training],
        expected=before,
        source="the model before: values, gradient, version counters, mode",
    )


@claim("averaged-model.keeps-tied-parameters")
@ON_EACH_KIND
def test_tied_parameters_are_tied_in_the_average(averaging, device):
    averaged = followed(averaging, Net(device), (1, 2, 3))
    assert averaged.module.tied is averaged.module.matrix


@claim("averaged-model.updates-are-not-recorded")
@ON_EACH_KIND
def test_updates_are_not_recorded(averaging, device):
    net = Net(device)
    net(torch.ones(2, device=device)).sum().backward()
    averaged = followed(averaging, net, (1, 2, 3))
    check.same(
        seen=[[p.requires_grad, p.is_leaf, p.grad is None] for p in averaged.module.parameters()],
        expected=[[p.requires_grad, True, True] for p in net.parameters()],
        source="leaves that require grad as the model's do, and have none",
    )


@claim("averaged-model.updates-are-not-recorded")
@ON_EACH_KIND
def test_an_update_between_forward_and_backward_of_the_model_is_harmless(averaging, device):
    net = Net(device)
    averaged = followed(averaging, net, (1, 2))
    loss = net(torch.ones(2, device=device)).sum()
    averaged.update_parameters(net)
    loss.backward()
    check.same(
        seen=net.matrix.grad,
        expected=2 * 2 * net.matrix.detach(),
        source="the derivative of 2·Σ matrix·matrix",
    )


@claim("averaged-model.keeps-requires-grad")
@pytest.mark.parametrize("told", [True, False], ids=["trained", "frozen"])
@ON_EACH_KIND
def test_updates_leave_what_requires_a_gradient(averaging, told, device):
    net = Net(device)
    averaged = followed(averaging, net, (1, 2, 3), averaging.of(net).requires_grad_(told))
    seen = [p.requires_grad for p in averaged.parameters()]
    check.same(seen=seen, expected=[told] * len(seen), source="what the average was told")


@claim("averaged-model.autograd-detects-updates")
@ON_EACH_KIND
def test_an_update_between_forward_and_backward_of_the_average_is_an_error(averaging, device):
    net = Net(device)
    averaged = followed(averaging, net, (1, 2))
    loss = averaged(torch.ones(2, device=device)).sum()
    averaged.update_parameters(net)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@claim("averaged-model.updates-in-place")
@ON_EACH_KIND
def test_an_update_replaces_no_tensor(averaging, device):
    net = Net(device)
    averaged = averaging.of(net)
    before = {**averaged.state_dict(keep_vars=True)}
    followed(averaging, net, (1, 2, 3), averaged)
    after = averaged.state_dict(keep_vars=True)
    check.same(
        seen=[after[key] is before[key] for key in after],
        expected=[True] * len(before),
        source="the tensors that were there",
    )


@claim("averaged-model.passes-on-its-arguments")
def test_calling_an_average_calls_its_module_with_everything(device):
    net, x = Net(device), torch.ones(2, device=device)
    check.same(
        seen=AveragedModel(net)(x, power=2, shift=0.5),
        expected=net(x, power=2, shift=0.5),
        source="the model, whose values it has",
    )


@claim("averaged-model.calls-module-hooks")
def test_hooks_around_forward_are_called_once_each(device):
    averaged, called = AveragedModel(Net(device)), []
    averaged.module.register_forward_pre_hook(lambda *_: called.append("before"))
    averaged.module.register_forward_hook(lambda *_: called.append("after"))
    averaged(torch.ones(2, device=device))
    check.same(seen=called, expected=["before", "after"], source="one call of the module")


@claim("averaged-model.keeps-its-mode")
@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_an_average_starts_in_the_mode_of_the_model_and_keeps_it(mode, device):
    net = nn.Sequential(nn.Linear(1, 1), nn.Dropout()).to(device).train(mode)
    averaged = AveragedModel(net)
    net.train(not mode)
    averaged.update_parameters(net)
    modes = [m.training for m in (averaged.module, *averaged.module)]
    check.same(seen=modes, expected=[mode] * 3, source="the model when it was copied")


@claim("averaged-model.is-updated-in-either-mode")
@ON_EACH_KIND
def test_updates_in_evaluation_mode_are_those_in_training_mode(averaging, device):
    net = Net(device).eval()
    check.same(
        seen=tensors(followed(averaging, net, (1, 2, 3), averaging.of(net).eval())),
        expected=tensors(followed(averaging, Net(device), (1, 2, 3))),
        source="the same updates in training mode",
    )


@claim("averaged-model.state-dict-contents")
@ON_EACH_KIND
def test_the_state_lists_the_count_and_what_the_model_has(averaging, device):
    net = Net(device)
    averaged = followed(averaging, net, (1, 2))
    module = {f"module.{key}": t for key, t in averaged.module.state_dict().items()}
    check.same(
        seen=dict(averaged.state_dict()),
        expected={"n_averaged": averaged.n_averaged, **module},
        source="n_averaged and the state of the module",
    )


@claim("averaged-model.resumes-from-state-dict")
@averagings.each()
def test_an_average_that_is_saved_and_loaded_goes_on(averaging, device):
    net, file = Net(device), BytesIO()
    averaged = followed(averaging, net, (1, 2, 3))
    torch.save({key: t.cpu() for key, t in averaged.state_dict().items()}, file)
    file.seek(0)
    resumed = averaging.of(Net(device).at(9))
    resumed.load_state_dict(torch.load(file, weights_only=True))
    followed(averaging, net, (4, 5), averaged)
    followed(averaging, Net(device), (4, 5), resumed)
    check.same(seen=trace(resumed), expected=trace(averaged), source="the one that did not stop")


@claim("averaged-model.deep-copies-continue")
@averagings.each()
def test_a_deep_copy_goes_on_by_itself(averaging, device):
    net = Net(device)
    averaged = followed(averaging, net, (1, 2))
    copy = deepcopy(averaged)
    followed(averaging, net, (3, 4), copy)
    untouched = followed(averaging, Net(device), (1, 2))
    followed(averaging, Net(device), (1, 2, 3, 4), expected := averaging.of(Net(device)))
    check.same(
        seen=[trace(copy), trace(averaged)],
        expected=[trace(expected), trace(untouched)],
        source="one that was updated as often",
    )


@claim("averaged-model.can-be-pickled")
@pytest.mark.parametrize("options", [{}, {"avg_fn": polynomial}], ids=["default", "own"])
def test_a_pickled_average_goes_on(options):
    net = nn.Linear(2, 1)
    averaged = AveragedModel(net, **options)
    averaged.update_parameters(net)
    copy = pickle.loads(pickle.dumps(averaged))  # noqa: S301 - what it has just pickled
    with torch.no_grad():
        net.weight.add_(1.0)
    averaged.update_parameters(net)
    copy.update_parameters(net)
    check.same(seen=trace(copy), expected=trace(averaged), source="the average that was pickled")


@claim("averaged-model.closures-block-pickling")
@averagings.each(only=(*OVER_PARAMETERS, *OVER_LISTS))
def test_an_average_with_a_function_that_torch_made_is_not_pickled(averaging):
    averaged = averaging.of(nn.Linear(2, 1))
    with pytest.raises((AttributeError, pickle.PicklingError), match="local object"):
        pickle.dumps(averaged)


def line(device="cpu"):
    """Return a model with parameters and buffers, float and integer."""
    return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).to(device)


def homes(module):
    """Return the kinds of the devices on which a module has something."""
    return sorted({t.device.type for t in (*module.parameters(), *module.buffers())})


@claim("averaged-model.device-places-the-copy")
@ON_EACH_KIND
def test_the_module_and_the_count_are_on_the_device(averaging, device):
    seen = homes(averaging.of(line(), device=device))
    check.same(seen=seen, expected=[device.type], source="the device that was asked for")


@claim("averaged-model.device-places-the-copy")
def test_the_device_may_be_one_without_values():
    net = line()
    seen = [homes(AveragedModel(net, device=torch.device("meta"))), homes(net)]
    check.same(seen=seen, expected=[["meta"], ["cpu"]], source="the device that was asked for")


@claim("averaged-model.model-on-another-device")
@ON_EACH_KIND
def test_an_average_on_the_device_follows_a_model_on_the_cpu(averaging, device):
    check.same(
        seen=tensors(followed(averaging, Net("cpu"), (1, 2, 3), averaging.of(Net(device)))),
        expected=tensors(followed(averaging, Net(device), (1, 2, 3), averaging.of(Net(device)))),
        source="a model on the device of the average",
    )


@claim("averaged-model.model-on-another-device")
@averagings.each(only=("default", "ema", "own_counting"))
def test_an_average_without_values_follows_a_model_with_values(averaging):
    averaged = averaging.of(line("meta"))
    for _ in range(3):
        averaged.update_parameters(line())
    check.same(
        seen=[int(averaged.n_averaged), homes(averaged.module)],
        expected=[3, ["meta"]],
        source="three updates, and the device of the average",
    )


@claim("buffers.follow-the-model-unless-averaged")
@ON_EACH_KIND
def test_buffers_are_those_of_the_model_after_every_update(averaging, device):
    net, seen, expected = Net(device), [], []
    averaged = averaging.of(net)
    for time in (1, 2, 3):
        averaged.update_parameters(net.at(time))
        seen.append([b.clone() for b in averaged.module.buffers()])
        expected.append([b.clone() for b in net.buffers()])
    check.same(seen=seen, expected=expected, source="the model, persistent or not")


@claim("averaged-model.updates-are-silent")
@pytest.mark.usefixtures("every_warning")
@ON_EACH_KIND
def test_no_update_warns(averaging, device):
    net = Net(device)
    averaged = averaging.of(net)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        followed(averaging, net, (1, 2, 3), averaged)
    assert [str(warning.message) for warning in caught] == []


@claim("averaged-model.skips-missing-parameters")
@ON_EACH_KIND
def test_parameters_that_the_model_lacks_stay_as_they_are(averaging, device):
    longer = nn.ParameterList([torch.full((1,), 5.0, device=device) for _ in range(2)])
    averaged = averaging.of(longer)
    for value in (1.0, 1.0, 1.0):
        averaged.update_parameters(nn.ParameterList([torch.full((1,), value, device=device)]))
    check.same(
        seen=[float(p.detach()) for p in averaged.parameters()],
        expected=[1.0, 5.0],
        source="the first follows the model, and there is no second",
    )


@claim("buffers.missing-buffer-raises")
def test_a_model_that_lacks_a_buffer_is_an_error(device):
    net = Net(device)
    averaged = AveragedModel(net)
    del net.scratch
    with pytest.raises(ValueError, match="shorter"):
        averaged.update_parameters(net)


@claim("averaged-model.accepts-one-function")
def test_two_functions_are_an_error():
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        AveragedModel(nn.Linear(1, 1), avg_fn=polynomial, multi_avg_fn=print)


@claim("averaging-functions.decay-out-of-range")
@pytest.mark.parametrize("decay", [-0.001, 1.001], ids=["below", "above"])
@pytest.mark.parametrize("maker", ["get_ema_avg_fn", "get_ema_multi_avg_fn"])
def test_a_decay_outside_its_range_is_an_error(maker, decay):
    with pytest.raises(ValueError, match=f"decay value {decay}"):
        getattr(swa_utils, maker)(decay)


@claim("averaging-functions.decay-nan")
@pytest.mark.parametrize("maker", ["get_ema_avg_fn", "get_ema_multi_avg_fn"])
def test_a_decay_that_is_nan_is_an_error(maker):
    with pytest.raises(ValueError, match="decay value nan"):
        getattr(swa_utils, maker)(float("nan"))


@claim("averaged-model.failed-update-is-atomic")
@pytest.mark.parametrize("updates", [0, 1], ids=["first", "later"])
@ON_EACH_KIND
def test_a_model_of_another_shape_changes_nothing(averaging, updates, device):
    net = nn.ParameterList([torch.zeros(1, device=device), torch.zeros(2, device=device)])
    averaged = averaging.of(net)
    for _ in range(updates):
        averaged.update_parameters(net)
    before = trace(averaged)
    other = nn.ParameterList([torch.ones(1, device=device), torch.ones(3, device=device)])
    with pytest.raises(RuntimeError):
        averaged.update_parameters(other)
    check.same(seen=trace(averaged), expected=before, source="the average before the error")
