"""Where the state of an optimizer lives, and what comes of it when it lives elsewhere."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.runs.each_implementation import in_each
from fixtures.runs.training import Training


def trained(case, device, dtype=torch.float32):
    """Return a training that has taken a step, and so has state."""
    training = Training(case, device, dtype=dtype)
    training.run(1)
    return training


def states(training):
    """Return the state of each parameter that has one, with the parameter."""
    kept = ((p, training.optimizer.state.get(p)) for p in training.parameters)
    return [(parameter, state) for parameter, state in kept if state]


def rows(state):
    """Return the entries that are tensors with a dimension, also those in lists."""
    return {
        key: [
            tensor
            for tensor in (entry if isinstance(entry, list) else [entry])
            if isinstance(tensor, torch.Tensor) and tensor.dim()
        ]
        for key, entry in state.items()
    }


def placed(training):
    """Return for each entry of the state where it is, and as what."""
    return [
        {key: [f"{t.dtype} on {t.device}" for t in tensors] for key, tensors in rows(state).items()}
        for _, state in states(training)
    ]


def as_the_parameters(training):
    """Return for each entry of the state where its parameter is, and as what."""
    return [
        {
            key: [f"{parameter.dtype} on {parameter.device}"] * len(tensors)
            for key, tensors in rows(state).items()
        }
        for parameter, state in states(training)
    ]


def displace(training, *where):
    """Move every entry of the state that is a tensor with a dimension."""
    for _, state in states(training):
        for key, entry in state.items():
            if isinstance(entry, torch.Tensor) and entry.dim():
                state[key] = entry.to(*where)


@claim("devices.state-lives-with-the-parameter")
@optimizers.each(every_preset=True)
def test_every_entry_is_on_the_device_of_its_parameter(case, implementations, device):
    after = in_each(case, implementations, device, lambda c: trained(c, device, finest(device)))
    check.same(
        seen={name: placed(training) for name, training in after.items()},
        expected={name: as_the_parameters(training) for name, training in after.items()},
        source="dtype and device of the parameter",
    )


@claim("devices.step-counter-stays-on-the-cpu")
@optimizers.each(which="counts_steps", but=("counts_in_python", "counts_beside_the_parameter"))
def test_the_counter_of_a_parameter_on_the_device_is_on_the_cpu(case, device):
    training = trained(case, device)
    check.same(
        seen=[str(state["step"].device) for _, state in states(training)],
        expected=["cpu", "cpu"],
        source="neither capturable nor fused",
    )


@claim("devices.state-elsewhere-raises")
@optimizers.each(which="keeps_state", but="tolerates_state_elsewhere")
def test_a_step_with_the_state_on_the_cpu_is_refused(case, device):
    training = trained(case, device)
    displace(training, "cpu")
    training.optimizer.zero_grad()
    training.backward()
    with pytest.raises(RuntimeError, match="device"):
        training.step()


@claim("devices.loading-brings-the-state-along")
@optimizers.each(which="keeps_state")
def test_loading_its_own_state_dict_brings_the_state_to_the_parameters(case, device):
    training = trained(case, device)
    displace(training, "cpu", torch.float16)
    training.optimizer.load_state_dict(training.optimizer.state_dict())
    check.same(
        seen=placed(training),
        expected=as_the_parameters(training),
        source="dtype and device of the parameter",
    )
