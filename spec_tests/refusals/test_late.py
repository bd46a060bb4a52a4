"""Options that turn out not to suit the parameters when a step is taken, and what that leaves behind."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

RATE, BETAS = torch.tensor(0.1), (torch.tensor(0.9), torch.tensor(0.99))
FOUND_LATE = {
    "lr": ({"lr": RATE}, RuntimeError),
    "betas": ({"betas": BETAS}, ValueError),
    "beta1": ({"betas": (BETAS[0], 0.99)}, ValueError),
    "beta2": ({"betas": (0.9, BETAS[1])}, ValueError),
}


def everything(training):
    """Return copies of the parameters and of all that is kept for them."""
    state = [dict(training.optimizer.state[p]) for p in training.parameters]
    return {"parameters": training.values(), "state": deepcopy(state)}


def check_refused(training, options, error, word=None):
    """Put options into the group of a training under way; the step is refused and changes nothing."""
    __tracebackhide__ = True
    training.run(2)
    training.closure()
    before = everything(training)
    training.optimizer.param_groups[0].update(options)
    with pytest.raises(error, match=word):
        training.step()
    check.same(seen=everything(training), expected=before, source="before the refused step")


@claim("refused.late-capturable-on-the-cpu")
@optimizers.each(taking=("capturable",))
def test_a_group_made_capturable_on_the_cpu_stays_as_it_was(case, device):
    check_refused(Training(case, device), {"capturable": True}, AssertionError, "capturable")


@claim("refused.late-capturable-with-cpu-counts")
@optimizers.each(taking=("capturable",), but="counts_beside_the_parameter")
def test_a_group_made_capturable_after_a_step_stays_as_it_was(case, device):
    check_refused(Training(case, device), {"capturable": True}, AssertionError, "capturable")


@claim("refused.late-tensors-with-foreach")
@pytest.mark.parametrize("options, error", FOUND_LATE.values(), ids=FOUND_LATE)
@optimizers.each(only=("Adam", "AdamW"), adding={"foreach": True})
def test_a_group_with_foreach_that_is_given_a_tensor_stays_as_it_was(case, options, error, device):
    check_refused(Training(case, device), options, error, "Tensor")


@claim("refused.late-differentiable-with-foreach")
@optimizers.each(adding={"foreach": True, "differentiable": False}, but="overlooks_late_options")
def test_a_group_with_foreach_that_is_made_differentiable_stays_as_it_was(case, device):
    check_refused(Training(case, device), {"differentiable": True}, AssertionError, "autograd")


@claim("refused.late-differentiable-with-fused")
@optimizers.each(adding={"fused": True}, but="overlooks_late_options")
def test_a_fused_group_that_is_made_differentiable_stays_as_it_was(case, device):
    check_refused(Training(case, device), {"differentiable": True}, RuntimeError, "differentiable")


@claim("refused.fused-on-another-device")
@optimizers.each(taking=("fused",))
@pytest.mark.parametrize("by", ["constructor", "group"])
def test_fused_steps_refuse_parameters_without_a_kernel(case, by):
    parameter = torch.ones(2, device="meta", requires_grad=True)
    fused = {"fused": True}
    groups = [{"params": [parameter], **(fused if by == "group" else {})}]
    optimizer = case.build(groups, **(fused if by == "constructor" else {}))
    parameter.grad = torch.ones(2, device="meta")
    with pytest.raises(RuntimeError, match="supported devices"):
        optimizer.step()


@claim("refused.fused-complex-in-a-group")
@optimizers.each(taking=("fused",))
def test_a_fused_group_refuses_complex_parameters(case, device):
    parameter = torch.ones(2, dtype=torch.complex64, device=device, requires_grad=True)
    optimizer = case.build([{"params": [parameter], "fused": True}])
    parameter.grad = torch.ones_like(parameter)
    with pytest.raises(RuntimeError, match="floating point"):
        optimizer.step()


def step_with_a_complex_group_added_later(case, device):
    """Take a step over real parameters, add complex ones, and take the next."""
    parameters = [
        torch.ones(2, dtype=dtype, device=device, requires_grad=True)
        for dtype in (torch.float32, torch.complex64)
    ]
    optimizer = case.build(parameters[:1])
    parameters[0].grad = torch.ones_like(parameters[0])
    optimizer.step()
    optimizer.add_param_group({"params": parameters[1:]})
    parameters[1].grad = torch.ones_like(parameters[1])
    optimizer.step()


@claim("refused.fused-complex-added-later")
@optimizers.each(adding={"fused": True}, but="keeps_state_from_construction")
def test_a_fused_step_refuses_complex_parameters_that_were_added_later(case, device):
    with pytest.raises(RuntimeError, match="floating point"):
        step_with_a_complex_group_added_later(case, device)


@claim("refused.fused-complex-added-to-adagrad")
@optimizers.each(only=("Adagrad",), adding={"fused": True})
def test_a_fused_step_of_adagrad_refuses_complex_parameters_that_were_added_later(case, device):
    with pytest.raises(RuntimeError, match="floating point"):
        step_with_a_complex_group_added_later(case, device)


@claim("refused.step-count-that-requires-grad")
@optimizers.each(only=("Adam", "AdamW"))
def test_a_count_that_requires_grad_is_refused(case, device):
    parameter = torch.ones(2, device=device, requires_grad=True).clone()
    parameter.grad = torch.ones_like(parameter)
    optimizer = case.build([parameter])
    optimizer.step()
    optimizer.state[parameter]["step"] = torch.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="`requires_grad` is not supported for `step`"):
        optimizer.step()
