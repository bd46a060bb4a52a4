"""The dtype and the place of step counts and the like, where kernels read them."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers, states
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.runs.training import Training

SCALARS = ("step", "eta", "mu", "mu_product")
DEFAULTS = {torch.bfloat16: "float32", torch.float32: "float32", torch.float64: "float64"}
DEFAULT = pytest.mark.parametrize(
    "default", DEFAULTS, ids=[str(d).removeprefix("torch.") for d in DEFAULTS]
)


def scalars(case, device, default):
    """Return how the scalars are kept, and the count, after a step under a default dtype."""
    training = Training(case, device)
    training.backward()
    with default_dtype(default):
        training.step()
    state = training.optimizer.state[training.parameters[0]]
    return {k: states.describe(v) for k, v in state.items() if k in SCALARS}, float(state["step"])


def beside(case, device, dtype):
    """Return scalars of this dtype on the device, and a count of one."""
    keys = [entry.key for entry in case.optimizer.states if entry.key in SCALARS]
    return dict.fromkeys(keys, f"{dtype} [] on {device.type}"), 1.0


@claim("scalars.of-other-steps")
@DEFAULT
@optimizers.each(which=("counts_steps", "accepts_vectors"))
def test_scalars_of_other_steps_are_on_the_cpu(case, default, device):
    check.same(
        seen=scalars_of_an_added_group(case, device, default),
        expected=beside(case, torch.device("cpu"), DEFAULTS[default])[0],
        source="float32, or the default dtype if it is float64",
    )


def scalars_of_an_added_group(case, device, default):
    """Return how the tensors among the scalars of a parameter are kept that was added before its step."""
    training = Training(case, device)
    first, second = training.parameters
    training.optimizer = case.build([first])
    training.backward()
    with default_dtype(default):
        training.optimizer.add_param_group({"params": [second]})
        training.step()
    return {
        key: states.describe(value)
        for key, value in training.optimizer.state[second].items()
        if key in SCALARS
    }


@claim("scalars.of-capturable-steps")
@DEFAULT
@optimizers.each(which="counts_steps")
def test_scalars_of_capturable_steps_are_beside_the_parameter(case, default, device):
    check.same(
        seen=scalars(case, device, default),
        expected=beside(case, device, DEFAULTS[default]),
        source="float32, or the default dtype if it is float64",
    )


@claim("scalars.of-fused-steps")
@DEFAULT
@optimizers.each(which="counts_steps", but="keeps_state_from_construction")
def test_scalars_of_fused_steps_are_float32_beside_the_parameter(case, default, device):
    check.same(
        seen=scalars(case, device, default),
        expected=beside(case, device, "float32"),
        source="float32, for the kernel",
    )


@claim("scalars.of-fused-adagrad")
@DEFAULT
@optimizers.each(only=("Adagrad",))
def test_scalars_of_fused_adagrad_are_float32(case, default, device):
    with default_dtype(default):
        training = Training(case, device)
    added = torch.ones(2, device=device, requires_grad=True)
    training.optimizer.add_param_group({"params": [added]})
    added.grad = torch.ones(2, device=device)
    with default_dtype(default):
        training.optimizer.step()
    check.same(
        seen=[
            states.describe(training.optimizer.state[p]["step"])
            for p in (training.parameters[0], added)
        ],
        expected=[f"float32 [] on {device.type}"] * 2,
        source="float32, for the kernel",
    )
