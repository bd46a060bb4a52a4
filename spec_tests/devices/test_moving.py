"""Moving a model, to a device or to a dtype, before and after its optimizer is built."""

from copy import deepcopy

import pytest
import torch
from torch.nn import Parameter, ParameterList

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import TinyNet
from fixtures.claims import claim
from fixtures.runs.conversions import OVERWRITE, SWAP, switched_on
from fixtures.runs.training import Training, start

BEFORE, AFTER = torch.float16, torch.float32
CPU = torch.device("cpu")
STEPS = 3


def made_there(case, device):
    """Return a training over parameters made on the device, with values that float16 can hold."""
    return over(case, [Parameter(p.to(device, AFTER)) for p in start(case, CPU, BEFORE)], device)


def over(case, parameters, device):
    """Return a training over these parameters."""
    training = Training(case, device)
    training.parameters = list(parameters)
    training.optimizer = case.build(training.parameters)
    return training


def outcome(training):
    """Train; return the parameters, and the state by parameter."""
    training.run(STEPS)
    return {
        "parameters": training.values(),
        "state": [
            {
                key: entry
                for key, entry in training.optimizer.state.get(p, {}).items()
                if key != "al"
            }
            for p in training.parameters
        ],
    }


@pytest.fixture
def to_makes_new_parameters():
    """Have Module.to() replace the Parameters of a module."""
    with switched_on(OVERWRITE):
        yield


@pytest.fixture
def to_swaps_parameters():
    """Have Module.to() swap the tensors in the Parameters of a module."""
    with switched_on(SWAP):
        yield


@claim("devices.swapped-parameters-keep-their-state")
@pytest.mark.usefixtures("to_swaps_parameters")
@optimizers.each(which="keeps_state", but="keeps_one_state")
def test_state_follows_swapped_parameters_when_it_is_loaded_again(case, device):
    swapped, loading = Training(case, device), Training(case, device, dtype=torch.float64)
    swapped.run(1)
    loading.optimizer.load_state_dict(deepcopy(swapped.optimizer.state_dict()))
    with torch.no_grad():
        for here, there in zip(loading.parameters, swapped.parameters, strict=True):
            here.copy_(there)
    before = swapped.optimizer.state_dict()["state"]
    kept = {number: {k: str(v) for k, v in entries.items()} for number, entries in before.items()}
    ParameterList(swapped.parameters).to(torch.float64)
    after = swapped.optimizer.state_dict()["state"]
    seen = {number: {k: str(v) for k, v in entries.items()} for number, entries in after.items()}
    swapped.optimizer.load_state_dict(swapped.optimizer.state_dict())
    check.same(
        seen=[seen, outcome(swapped)],
        expected=[kept, outcome(loading)],
        source="the state before, and an optimizer in float64 that loaded it",
    )


@claim("devices.move-before-building")
@optimizers.each()
def test_a_model_that_was_moved_trains_as_one_made_there(case, device):
    model = ParameterList(start(case, CPU, BEFORE)).to(device=device, dtype=AFTER)
    check.same(
        seen=outcome(over(case, model, device)),
        expected=outcome(made_there(case, device)),
        source="a model that was made there",
    )


@claim("devices.to-keeps-the-parameters")
def test_parameters_keep_their_identity_in_another_dtype(device):
    net = TinyNet(device)
    net.loss().backward()
    before = list(net.parameters())
    net.to(BEFORE)
    check.same(
        seen=[
            [p is q, str(q.dtype), str(q.grad.dtype)]
            for p, q in zip(before, net.parameters(), strict=True)
        ],
        expected=[[True, "torch.float16", "torch.float16"]] * 6,
        source="the Parameters before, with what they hold and their gradients in float16",
    )


@claim("devices.to-cuda-keeps-the-parameters")
def test_parameters_keep_their_identity_on_another_device(device):
    net = TinyNet(CPU)
    net.loss().backward()
    before = list(net.parameters())
    net.to(device)
    check.same(
        seen=[
            [p is q, q.device.type, q.grad.device.type]
            for p, q in zip(before, net.parameters(), strict=True)
        ],
        expected=[[True, device.type, device.type]] * 6,
        source="the Parameters before, with what they hold and their gradients on the device",
    )


@claim("devices.move-before-first-step")
@optimizers.each(but="keeps_state_from_construction")
def test_a_model_moved_before_the_first_step_trains_as_one_made_there(case, device):
    training = over(case, [Parameter(p.to(device)) for p in start(case, CPU, BEFORE)], device)
    ParameterList(training.parameters).to(AFTER)
    check.same(
        seen=outcome(training),
        expected=outcome(made_there(case, device)),
        source="a model that was made there",
    )


@claim("devices.adagrad-stays-behind")
@optimizers.each(only=("Adagrad",))
def test_the_accumulator_keeps_its_dtype_when_the_model_is_moved(case, device):
    training = Training(case, device, dtype=BEFORE)
    ParameterList(training.parameters).to(AFTER)
    sums = [training.optimizer.state[p]["sum"] for p in training.parameters]
    check.same(
        seen=[[str(p.dtype), str(s.dtype)] for p, s in zip(training.parameters, sums, strict=True)],
        expected=[["torch.float32", "torch.float16"]] * 2,
        source="the dtypes after and before the move",
    )


@claim("devices.state-stays-behind")
@optimizers.each(which="keeps_state")
def test_the_state_of_a_step_stays_as_it_was(case, device):
    training = Training(case, device)
    training.run(1)
    before = deepcopy(list(training.optimizer.state.values()))
    ParameterList(training.parameters).to(BEFORE)
    check.same(
        seen=[
            [str(p.dtype) for p in training.parameters],
            [dict(state) for state in training.optimizer.state.values()],
        ],
        expected=[["torch.float16"] * 2, before],
        source="the state before the move",
    )


@claim("devices.replaced-parameters-are-lost")
@pytest.mark.usefixtures("to_makes_new_parameters")
@optimizers.each()
def test_new_parameters_are_never_stepped(case, device):
    training = Training(case, device, dtype=BEFORE)
    model = ParameterList(training.parameters).to(AFTER)
    training.parameters = list(model)
    before = training.values()
    training.run(STEPS)
    check.same(seen=training.values(), expected=before, source="the parameters before training")
