"""State and groups as older releases saved them: counters of Python, and options that were not there."""

from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers, states
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.runs.saved_training import fresh, saved_by
from fixtures.specification.torch_range import TorchRange

SCALARS = ("step", "eta", "mu", "mu_product")
DEFAULTS = (torch.bfloat16, torch.float32, torch.float64)
FINE_BY_DEFAULT = ("float32", "float32", "float64")
# What every optimizer of the loop and foreach had gained by 2.0, and some on their own.
BY_2_0 = ("foreach", "maximize", "differentiable")
BESIDES = {
    "Adam": ("amsgrad", "capturable", "fused"),
    "AdamW": ("amsgrad", "capturable", "fused"),
    "RMSprop": ("momentum", "centered"),
    "SGD": ("nesterov",),
}


@dataclass(frozen=True)
class Missing:
    """An option that the checkpoint of an older release lacks."""

    case: Case
    option: str

    def why_not_applicable(self):
        """Return what the installed torch lacks for this case, or None."""
        since = self.case.optimizer.options[self.option]
        if torch.__version__ not in TorchRange(f">={since}"):
            return f"{self.option} came with torch {since}"
        return self.case.why_not_applicable()


MISSING = [
    Missing(Case(entry, Preset("default")), option)
    for entry in OPTIMIZERS
    if entry.has("is_torch_s_own") and "differentiable" in entry.options
    for option, since in entry.options.items()
    if since != entry.since or option in (*BY_2_0, *BESIDES.get(entry.name, ()))
]


def in_python(state_dict):
    """Return a state_dict whose scalars are numbers of Python."""
    state = {
        number: {k: float(v) if k in SCALARS else v for k, v in entries.items()}
        for number, entries in state_dict["state"].items()
    }
    return {**state_dict, "state": state}


def scalars_after_loading(case, device):
    """Return what the scalars are, by default dtype, once a checkpoint with numbers has been loaded."""
    saved, seen = in_python(saved_by(case, device)), []
    for default in DEFAULTS:
        training = fresh(case, device)
        with default_dtype(default):
            training.optimizer.load_state_dict(deepcopy(saved))
        state = training.optimizer.state[training.parameters[0]]
        seen.append({k: states.describe(v) for k, v in state.items() if k in SCALARS})
    return seen


def scalars_of(case, device):
    """Return the record's words for the scalars of a parameter in a fresh optimizer, by key."""
    state = case.state_of(torch.ones(2, device=device))
    return {key: text for key, text in state.items() if key in SCALARS and text != "int"}


def as_described(case, device, dtypes):
    """Return the scalars where the record has them, in these dtypes."""
    scalars = scalars_of(case, device)
    return [{k: v.replace("float32", dtype) for k, v in scalars.items()} for dtype in dtypes]


def beside(case, device, dtypes):
    """Return the scalars on the device of the parameter, in these dtypes."""
    scalars = scalars_of(case, device)
    return [dict.fromkeys(scalars, f"{dtype} [] on {device.type}") for dtype in dtypes]


@claim("loading.python-counters-become-tensors")
@optimizers.each(which="counts_in_tensors")
@pytest.mark.needs(torch.float64)
def test_a_number_becomes_a_tensor_as_in_a_fresh_optimizer(case, device):
    check.same(
        seen=scalars_after_loading(case, device),
        expected=as_described(case, device, FINE_BY_DEFAULT),
        source="float32, or the default dtype if it is float64",
    )


@claim("loading.later-counters-become-tensors")
@optimizers.each(which="counts_in_tensors_since_2_4")
def test_a_number_becomes_a_tensor_in_three_more(case, device):
    check.same(
        seen=scalars_after_loading(case, device),
        expected=as_described(case, device, FINE_BY_DEFAULT),
        source="float32, or the default dtype if it is float64",
    )


@claim("loading.fused-casts-python-counters")
@optimizers.each(which="counts_steps", taking=("fused",))
def test_a_number_becomes_float32_beside_a_parameter_that_is_stepped_fused(case, device):
    check.same(
        seen=scalars_after_loading(case, device),
        expected=beside(case, device, ["float32", "float32", "float32"]),
        source="float32, for the kernel, on the device of the parameter",
    )


@claim("loading.capturable-moves-python-counters")
@optimizers.each(taking=("capturable",))
@pytest.mark.needs(torch.float64)
def test_a_number_becomes_a_tensor_beside_a_capturable_parameter(case, device):
    check.same(
        seen=scalars_after_loading(case, device),
        expected=beside(case, device, FINE_BY_DEFAULT),
        source="on the device of the parameter, float32 unless float64 is the default",
    )


@claim("loading.missing-options-get-defaults")
@pytest.mark.parametrize(
    "missing", MISSING, ids=[f"{m.case.optimizer.name.lower()}.{m.option}" for m in MISSING]
)
def test_an_option_that_a_checkpoint_lacks_has_its_default(missing):
    state_dict, training = saved_by(missing.case), fresh(missing.case)
    expected = training.optimizer.param_groups[0][missing.option]
    for group in state_dict["param_groups"]:
        del group[missing.option]
    training.optimizer.load_state_dict(state_dict)
    check.same(
        seen=training.optimizer.param_groups[0].get(missing.option, "nothing"),
        expected=expected,
        source="the group of a fresh optimizer",
    )


@claim("loading.missing-decoupling-follows-class")
@optimizers.each(only=("Adam", "AdamW"))
def test_an_older_checkpoint_decays_as_its_class_does(case):
    state_dict, training = saved_by(case), fresh(case)
    for group in state_dict["param_groups"]:
        del group["decoupled_weight_decay"]
    training.optimizer.load_state_dict(state_dict)
    check.same(
        seen=training.optimizer.param_groups[0]["decoupled_weight_decay"],
        expected=case.optimizer.has("decouples_decay"),
        source="AdamW decouples, Adam does not",
    )


@claim("loading.missing-fused-of-sgd-is-false")
@optimizers.each(only=("SGD",))
def test_a_group_of_sgd_that_lacks_fused_declines_it(case):
    state_dict, training = saved_by(case), fresh(case)
    del state_dict["param_groups"][0]["fused"]
    training.optimizer.load_state_dict(state_dict)
    seen = training.optimizer.param_groups[0]["fused"]
    assert seen is False, f"fused is {seen!r}"
