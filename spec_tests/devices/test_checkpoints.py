"""Checkpoints that are written on one device and loaded on another."""

import io

import pytest
import torch
from torch.nn import Parameter

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

CPU = torch.device("cpu")
BEFORE, AFTER = 2, 3
WAYS = pytest.mark.parametrize("to_the_cpu", [True, False], ids=["to_the_cpu", "from_the_cpu"])
MAPPED = pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "as_it_is"])


def file_of(training):
    """Return a file with the parameters and the state of an optimizer."""
    file = io.BytesIO()
    torch.save({"parameters": training.values(), "state": training.optimizer.state_dict()}, file)
    file.seek(0)
    return file


def resumed(case, file, device, map_location):
    """Return a training on a device that goes on from a file."""
    loaded = torch.load(file, map_location=map_location, weights_only=True)
    training = Training(case, device)
    training.parameters = [Parameter(p.to(device)) for p in loaded["parameters"]]
    training.optimizer = case.build(training.parameters)
    training.optimizer.load_state_dict(loaded["state"])
    return training


@claim("devices.checkpoint-continues-elsewhere")
@WAYS
@MAPPED
@optimizers.each(but="magnifies_rounding")
def test_training_goes_on_on_the_other_device(case, mapped, to_the_cpu, device):
    here, there = (device, CPU) if to_the_cpu else (CPU, device)
    training = Training(case, here)
    training.run(BEFORE)
    other = resumed(case, file_of(training), there, there if mapped else None)
    training.run(AFTER)
    other.run(AFTER)
    check.close(
        seen=[*other.values(), *other.optimizer.state.values()],
        expected=[*training.values(), *training.optimizer.state.values()],
        source="the training that went on where it was",
        tolerance=STEPS,
    )


@claim("devices.checkpoint-remembers-its-device")
@optimizers.each(only=optimizers.SAMPLES)
def test_tensors_come_back_where_they_were(case, device):
    training = Training(case, device)
    training.run(BEFORE)
    loaded = torch.load(file_of(training), weights_only=True)
    check.same(
        seen=[str(p.device) for p in loaded["parameters"]],
        expected=[str(p.device) for p in training.parameters],
        source="where they were saved",
    )


@claim("devices.map-location-moves-all-to-cpu")
@optimizers.each()
def test_nothing_is_left_on_the_device(case, device):
    training = Training(case, device)
    training.run(BEFORE)
    loaded = torch.load(file_of(training), map_location="cpu", weights_only=True)
    assert {str(tensor.device) for tensor in tensors_in(loaded)} == {"cpu"}


def tensors_in(value):
    """Return every tensor in lists and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [tensor for entry in inner for tensor in tensors_in(entry)]
