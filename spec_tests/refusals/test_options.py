"""Options that do not go together, and tensors in the place of numbers."""

import math
import re

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training, start

# What can be NaN, of each optimizer.
NAN = math.nan
NUMBERS = {
    "ASGD": ({"lr": NAN}, {"weight_decay": NAN}),
    "Adadelta": ({"lr": NAN}, {"rho": NAN}, {"eps": NAN}, {"weight_decay": NAN}),
    "Adafactor": (
        {"lr": NAN}, {"beta2_decay": NAN}, {"eps": (NAN, 0.1)}, {"eps": (0.1, NAN)}, {"d": NAN},
        {"weight_decay": NAN},
    ),
    "Adagrad": (
        {"lr": NAN}, {"lr_decay": NAN}, {"eps": NAN}, {"initial_accumulator_value": NAN},
        {"weight_decay": NAN},
    ),
    **dict.fromkeys(
        ("Adam", "AdamW", "Adamax", "RAdam"),
        (
            {"lr": NAN}, {"betas": (NAN, 0.9)}, {"betas": (0.9, NAN)}, {"eps": NAN},
            {"weight_decay": NAN},
        ),
    ),
    "NAdam": (
        {"lr": NAN}, {"betas": (NAN, 0.9)}, {"betas": (0.9, NAN)}, {"eps": NAN},
        {"weight_decay": NAN}, {"momentum_decay": NAN},
    ),
    "LBFGS": ({"lr": NAN},),
    "Muon": ({"lr": NAN}, {"momentum": NAN}, {"weight_decay": NAN}),
    "RMSprop": ({"lr": NAN}, {"alpha": NAN}, {"eps": NAN}, {"momentum": NAN}, {"weight_decay": NAN}),
    "Rprop": ({"lr": NAN}, {"etas": (NAN, 1.2)}, {"etas": (0.5, NAN)}),
    "SGD": ({"lr": NAN}, {"momentum": NAN}, {"weight_decay": NAN}),
    "SparseAdam": ({"lr": NAN}, {"betas": (NAN, 0.9)}, {"betas": (0.9, NAN)}, {"eps": NAN}),
}  # fmt: skip


@claim("refused.fused-with-foreach")
@optimizers.each(adding={"fused": True, "foreach": True})
def test_fused_and_foreach_are_not_asked_for_at_once(case, device):
    parameters = start(case, device)
    with pytest.raises(RuntimeError, match=r"fused.*foreach"):
        case.build(parameters)


@claim("refused.fused-with-differentiable")
@optimizers.each(adding={"fused": True, "differentiable": True})
def test_fused_steps_are_not_differentiable(case, device):
    parameters = start(case, device)
    with pytest.raises(RuntimeError, match=r"fused.*differentiable"):
        case.build(parameters)


@claim("refused.foreach-with-differentiable")
@optimizers.each(adding={"foreach": True, "differentiable": True})
def test_foreach_steps_are_not_differentiable(case, device):
    with pytest.raises(AssertionError, match="autograd"):
        step(case, device)


@claim("refused.capturable-on-the-cpu")
@optimizers.each(adding={"capturable": True})
def test_steps_on_the_cpu_are_not_captured(case, device):
    with pytest.raises(AssertionError, match="capturable"):
        step(case, device)


@claim("refused.capturable-names-the-devices")
@optimizers.each(which="captures_loops_on_xla", adding={"capturable": True}, by=("loop",))
def test_the_error_of_a_loop_names_the_devices_on_which_steps_are_captured(case, device):
    check_named(case, device, [*accelerators(), "xla"])


@claim("refused.capturable-names-the-devices")
@optimizers.each(but="captures_loops_on_xla", adding={"capturable": True}, by=("loop",))
def test_the_error_of_a_loop_that_is_not_captured_on_xla_does_not_name_it(case, device):
    check_named(case, device, accelerators())


@claim("refused.capturable-names-the-devices")
@optimizers.each(which="captures_lists_on_xla", adding={"capturable": True}, by=("foreach",))
def test_the_error_of_foreach_names_the_devices_on_which_steps_are_captured(case, device):
    check_named(case, device, [*accelerators(), "xla"])


@claim("refused.capturable-names-the-devices")
@optimizers.each(but="captures_lists_on_xla", adding={"capturable": True}, by=("foreach",))
def test_the_error_of_foreach_that_is_not_captured_on_xla_does_not_name_it(case, device):
    check_named(case, device, accelerators())


def accelerators():
    """Return the accelerators of torch, and the one that is registered in this process."""
    return ["cuda", "xpu", "hpu", torch._C._get_privateuse1_backend_name()]


def check_named(case, device, expected):
    """Check which devices the error of a capturable step names."""
    __tracebackhide__ = True
    with pytest.raises(AssertionError) as refused:
        step(case, device)
    check.same(
        seen=re.findall(r"'(\w+)'", str(refused.value)),
        expected=expected,
        source="the accelerators of torch, and the one that is registered in this process",
    )


def step(case, device):
    """Take the first step of a training."""
    training = Training(case, device)
    training.backward()
    training.step()


@claim("refused.rate-of-several-elements")
@optimizers.each()
def test_a_rate_has_one_element(case, device):
    parameters = start(case, device)
    with pytest.raises(ValueError, match="1-element"):
        case.build(parameters, lr=torch.tensor([0.1, 0.2]))


@claim("refused.tensor-rate-with-foreach")
@optimizers.each(only=("Adam", "AdamW"), adding={"foreach": True})
def test_foreach_takes_a_number_for_a_rate(case, device):
    parameters = start(case, device)
    with pytest.raises(ValueError, match="foreach"):
        case.build(parameters, lr=torch.tensor(0.1))


@claim("refused.tensor-rate-put-into-a-group")
@optimizers.each(only=("Adam", "AdamW"), adding={"foreach": True})
def test_foreach_notices_a_tensor_for_a_rate_at_the_next_step(case, device):
    training = Training(case, device)
    training.run(1)
    training.optimizer.param_groups[0]["lr"] = torch.tensor(0.1)
    with pytest.raises(RuntimeError, match="lr as a Tensor"):
        training.step()


@claim("refused.one-tensor-beta")
@pytest.mark.parametrize("index", [0, 1], ids=["beta1", "beta2"])
@optimizers.each(only=("Adam", "AdamW"))
def test_betas_are_of_one_kind(case, index, device):
    betas = [0.9, 0.99]
    betas[index] = torch.tensor(betas[index])
    parameters = start(case, device)
    with pytest.raises(ValueError, match="both floats or both Tensors"):
        case.build(parameters, betas=tuple(betas))


@claim("refused.betas-of-several-elements")
@pytest.mark.parametrize("index", [0, 1], ids=["beta1", "beta2"])
@optimizers.each(only=("Adam", "AdamW"))
def test_each_beta_has_one_element(case, index, device):
    betas = [torch.tensor(0.9), torch.tensor(0.99)]
    betas[index] = betas[index].expand(2)
    parameters = start(case, device)
    with pytest.raises(ValueError, match=rf"betas\[{index}\]"):
        case.build(parameters, betas=tuple(betas))


@claim("refused.tensor-betas-with-foreach")
@optimizers.each(only=("Adam", "AdamW"), adding={"foreach": True})
def test_foreach_takes_numbers_for_betas(case, device):
    parameters = start(case, device)
    with pytest.raises(ValueError, match=r"betas\[0\].*foreach"):
        case.build(parameters, betas=(torch.tensor(0.9), torch.tensor(0.99)))


@claim("refused.nan")
@optimizers.each(which="is_torch_s_own")
def test_nan_is_refused(case, device):
    parameters = start(case, device)
    accepted = [
        options for options in NUMBERS[case.optimizer.name] if takes(case, parameters, options)
    ]
    assert accepted == [], f"taken: {accepted}"


def takes(case, parameters, options):
    """Return whether an optimizer can be built with these options."""
    try:
        case.build(parameters, **options)
    except ValueError:
        return False
    return True


@claim("refused.groups-of-lbfgs")
def test_lbfgs_takes_one_group(device):
    groups = [{"params": [torch.ones(1, device=device, requires_grad=True)]} for _ in range(2)]
    with pytest.raises(ValueError, match="parameter groups"):
        torch.optim.LBFGS(groups)


@claim("refused.unknown-line-search")
def test_lbfgs_knows_one_line_search(device):
    parameter = torch.ones(1, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameter], line_search_fn="armijo")

    def closure():
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return float(loss.detach())

    with pytest.raises(RuntimeError, match="strong_wolfe"):
        optimizer.step(closure)
