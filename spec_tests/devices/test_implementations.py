"""Which implementation an optimizer takes for parameters on an accelerator."""

import pytest
import torch
from torch.nn import Parameter

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import kernels_of_a_step
from fixtures.runs.training import Training, start

ONE_BY_ONE, FOREACH = "one by one", "foreach"


class Marked(torch.Tensor):
    """A kind of tensor of one's own, that does nothing special."""


def check_kernels(training, expected):
    __tracebackhide__ = True
    training.run(1)
    seen = kernels_of_a_step(training.optimizer)
    assert seen == expected, f"the kernels of a step are {seen}, not {expected}"


@pytest.fixture
def takes_foreach(device, not_applicable):
    """Leave out the device for which torch has no kernels over lists by default."""
    if device.type == "mps":
        not_applicable("torch does not count mps among the devices that take foreach by default")


@claim("devices.foreach-is-the-default")
@pytest.mark.usefixtures("takes_foreach")
@optimizers.each(which="takes_lists_by_default", every_preset=True)
def test_kernels_over_lists_are_taken_by_default(case, device):
    check_kernels(Training(case, device), FOREACH)


@claim("devices.some-loop-by-default")
@optimizers.each(but=("takes_lists_by_default", "needs_closure"))
def test_three_optimizers_go_one_by_one_by_default(case, device):
    check_kernels(Training(case, device), ONE_BY_ONE)


@claim("devices.cpu-parameter-disables-foreach")
@optimizers.each(which="takes_lists_by_default")
def test_one_parameter_on_the_cpu_keeps_all_from_foreach(case, device):
    training = Training(case, device)
    on_device, on_cpu = training.parameters[0], Parameter(training.parameters[1].detach().cpu())
    on_device.grad, on_cpu.grad = torch.ones_like(on_device), torch.ones_like(on_cpu)
    seen = kernels_of_a_step(case.build([on_device, on_cpu]))
    assert seen == ONE_BY_ONE, f"the kernels of a step are {seen}, not {ONE_BY_ONE}"


@claim("devices.tensor-subclass-disables-foreach")
@optimizers.each(which="takes_lists_by_default")
def test_a_subclass_among_the_parameters_keeps_all_from_foreach(case, device):
    plain, other = start(case, device)
    marked = other.detach().as_subclass(Marked).requires_grad_()
    plain.grad, marked.grad = torch.ones_like(plain), torch.ones_like(marked)
    seen = kernels_of_a_step(case.build([plain, marked]))
    assert seen == ONE_BY_ONE, f"the kernels of a step are {seen}, not {ONE_BY_ONE}"


@claim("devices.dtypes-may-mix-in-a-group")
@pytest.mark.needs(torch.bfloat16, torch.float64)
@optimizers.each(which="takes_lists_by_default")
def test_each_dtype_of_a_group_is_stepped_as_if_alone(case, device):
    mixed, alone = parameters_of_each_dtype(device), parameters_of_each_dtype(device)
    trained_together = [case.build(mixed)]
    trained_alone = [case.build([parameter]) for parameter in alone]
    for optimizer in trained_together + trained_alone:
        optimizer.step()
        optimizer.step()
    check.same(
        seen=[p.detach() for p in mixed],
        expected=[p.detach() for p in alone],
        source="an optimizer for each parameter",
    )


def parameters_of_each_dtype(device):
    """Return parameters of three dtypes, the first twice, with gradients."""
    made = []
    for dtype in (torch.float32, torch.bfloat16, torch.float64, torch.float32):
        parameter = Parameter(torch.tensor([0.5, -1.0, 2.0], dtype=dtype, device=device))
        parameter.grad = torch.tensor([0.25, 1.0, -0.5], dtype=dtype, device=device)
        made.append(parameter)
    return made
