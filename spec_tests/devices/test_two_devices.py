"""One optimizer over parameters of two devices, and gradients from elsewhere."""

import pytest
import torch
from torch.nn import Parameter

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import start

CPU = torch.device("cpu")
STEPS_TAKEN = 3


def parameters(case, *devices):
    """Return one parameter on each of the devices; the values do not depend on the devices."""
    return [Parameter(p.detach().to(d)) for p, d in zip(start(case, CPU), devices, strict=True)]


def trained(optimizer, parameters):
    """Take steps on a loss that each parameter has to itself; return values and state."""
    for _ in range(STEPS_TAKEN):
        for parameter in parameters:
            parameter.grad = 2 * parameter.detach()
        optimizer.step()
    return {
        "parameters": [p.detach() for p in parameters],
        "state": [dict(optimizer.state.get(p, {})) for p in parameters],
    }


@claim("devices.optimizer-may-span-devices")
@optimizers.each(which="accepts_vectors", but="needs_closure")
def test_parameters_of_two_devices_are_stepped_by_one_optimizer(case, device):
    apart, together = parameters(case, device, CPU), parameters(case, CPU, CPU)
    check.close(
        seen=trained(case.build(apart), apart),
        expected=trained(case.build(together), together),
        source="the same parameters, both on the CPU",
        tolerance=STEPS,
    )


@claim("devices.lbfgs-may-not-span-devices")
@optimizers.each(only=("LBFGS",))
def test_lbfgs_does_not_span_devices(case, device):
    both = parameters(case, device, CPU)

    def closure():
        optimizer.zero_grad()
        loss = (both[0] ** 2).sum() + (both[1] ** 2).sum().to(device)
        loss.backward()
        return loss

    optimizer = case.build(both)
    with pytest.raises(RuntimeError, match="device"):
        optimizer.step(closure)


@claim("devices.grad-lives-with-the-parameter")
@pytest.mark.parametrize("swapped", [False, True], ids=["from_the_cpu", "from_the_device"])
def test_a_gradient_from_another_device_is_refused(swapped, device):
    here, there = (CPU, device) if swapped else (device, CPU)
    parameter = torch.ones(2, device=here, requires_grad=True)
    with pytest.raises((RuntimeError, TypeError), match=r"device|backend|type"):
        parameter.grad = torch.ones(2, device=there)
    assert parameter.grad is None, "the refused gradient was taken all the same"
