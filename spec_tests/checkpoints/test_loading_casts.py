"""What becomes of the entries of a state on their way into parameters of another dtype."""

from typing import NamedTuple

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh, saved_by

CPU = torch.device("cpu")
# bfloat16 counts to 256 without a gap, float32 to 2^24.
UNEVEN = 2.0**24 + 1
# What a checkpoint was saved in, and what it is loaded into.
PAIRS = {
    "float64_to_float32": (torch.float64, torch.float32),
    "float32_to_bfloat16": (torch.float32, torch.bfloat16),
    "bfloat16_to_float32": (torch.bfloat16, torch.float32),
}

DTYPES = (torch.float32, torch.bfloat16, torch.complex64)
# Tensors of one shape as they may lie in memory, without gaps.
LAYOUTS = {
    "channels_last": lambda t: t.contiguous(memory_format=torch.channels_last),
    "transposed": lambda t: t.transpose(0, 1),
    "reversed": lambda t: t.permute(3, 2, 1, 0),
}


class Point(NamedTuple):
    """Two numbers with names."""

    x: int
    y: int


ENTRIES = {
    "number": 3,
    "none": None,
    "tuple": (1, 2.5, None),
    "nested": {"deeper": [1, {"deepest": 2}]},
    "text": "warm",
    "named_tuple": Point(1, 2),
}


def with_state(entries, device, dtype=torch.float32):
    """Return an optimizer with these entries in the state of its parameter, and the parameter."""
    w = torch.ones(2, device=device, dtype=dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    optimizer.state[w].update(entries)
    return optimizer, w


def cast(entry, dtype):
    """Return an entry of a state with its tensors in another dtype."""
    if isinstance(entry, torch.Tensor):
        return entry.to(dtype)
    return [cast(e, dtype) for e in entry] if isinstance(entry, list) else entry


def cast_state(state, dtype):
    """Return the state of every parameter in another dtype, but for the counters, which are left out."""
    return {
        number: {key: cast(entry, dtype) for key, entry in entries.items() if key != "step"}
        for number, entries in state.items()
    }


def without_counters(state):
    """Return the state of every parameter as it is, but for the counters, which are left out."""
    return {n: {k: e for k, e in entries.items() if k != "step"} for n, entries in state.items()}


def loaded_into(case, device, pair):
    """Return a training in the second dtype that has loaded what one in the first dtype saved."""
    training = fresh(case, device, dtype=pair[1])
    training.optimizer.load_state_dict(saved_by(case, CPU, dtype=pair[0]))
    return training


@claim("casting.tensors-follow-the-parameter")
@optimizers.each(which="keeps_state")
def test_tensors_take_the_dtype_of_the_parameter(case, device):
    loaded = {name: loaded_into(case, device, pair).optimizer for name, pair in PAIRS.items()}
    check.same(
        seen={name: without_counters(o.state_dict()["state"]) for name, o in loaded.items()},
        expected={
            name: cast_state(saved_by(case, CPU, dtype=saved_as)["state"], loaded_as)
            for name, (saved_as, loaded_as) in PAIRS.items()
        },
        source="the checkpoint, each tensor rounded to the parameter's dtype",
    )


@claim("casting.steps-in-the-new-dtype")
@optimizers.each()
def test_steps_go_on_in_the_dtype_of_the_parameter(case, device):
    trainings = {name: loaded_into(case, device, pair) for name, pair in PAIRS.items()}
    before = {name: training.values() for name, training in trainings.items()}
    for training in trainings.values():
        training.run(1)
    check.same(
        seen={
            name: [
                [v.dtype, torch.equal(v, b)] for v, b in zip(t.values(), before[name], strict=True)
            ]
            for name, t in trainings.items()
        },
        expected={name: [[pair[1], False]] * 2 for name, pair in PAIRS.items()},
        source="the dtype of the parameters, which have moved",
    )


@claim("casting.leaves-the-counter-alone")
@optimizers.each(which="counts_steps", but="counts_in_python")
def test_the_counter_keeps_its_dtype_and_its_value(case, device):
    state_dict = saved_by(case, CPU)
    state_dict["state"][0]["step"] = torch.tensor(UNEVEN, dtype=torch.float64)
    training = fresh(case, device, dtype=torch.bfloat16)
    training.optimizer.load_state_dict(state_dict)
    check.same(
        seen=training.optimizer.state[training.parameters[0]]["step"],
        expected=torch.tensor(UNEVEN, dtype=torch.float64),
        source="the counter in the checkpoint",
    )


@claim("casting.fused-and-capturable-move-step")
@pytest.mark.parametrize("option", ["fused", "capturable"])
@optimizers.each(only=("Adam", "AdamW"))
def test_the_counter_of_fused_and_capturable_is_float32_beside_the_parameter(case, option, device):
    state_dict = saved_by(case, CPU)
    state_dict["state"][0]["step"] = torch.tensor(3.0, dtype=torch.float64)
    state_dict["param_groups"][0][option] = True
    training = fresh(case, device, dtype=torch.bfloat16)
    training.optimizer.load_state_dict(state_dict)
    step = training.optimizer.state[training.parameters[0]]["step"]
    check.same(
        seen=[step, step.device.type],
        expected=[torch.tensor(3.0), device.type],
        source="3 in float32, on the device of the parameter",
    )


@claim("casting.other-groups-keep-their-step")
@pytest.mark.parametrize("place", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("option", ["fused", "capturable"])
@optimizers.each(only=("Adam", "AdamW"))
def test_the_counter_of_a_group_beside_a_fused_or_capturable_one_is_left_alone(
    case, option, place, device
):
    training = fresh(case, device)
    optimizer = case.build([{"params": [p]} for p in training.parameters])
    training.optimizer = optimizer
    training.run(1)
    state_dict, counter = optimizer.state_dict(), torch.tensor(UNEVEN, dtype=torch.float64)
    state_dict["state"][1 - place]["step"] = counter
    state_dict["param_groups"][place][option] = True
    optimizer.load_state_dict(state_dict)
    step = optimizer.state[training.parameters[1 - place]]["step"]
    check.same(
        seen=[step, step.device.type], expected=[counter, "cpu"], source="the counter as it was"
    )


@claim("casting.leaves-deeper-counters-alone")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_a_counter_in_a_dict_of_a_state_keeps_its_dtype_and_its_value(dtype, device):
    fine = torch.tensor(UNEVEN, dtype=torch.float64)
    entries = {"inner": {"step": fine, "moment": fine, "deeper": {"step": fine, "moment": fine}}}
    optimizer, w = with_state(entries, device, dtype)
    optimizer.load_state_dict(optimizer.state_dict())
    level = {"step": fine, "moment": fine.to(dtype)}
    check.same(
        seen=optimizer.state[w],
        expected={"inner": {**level, "deeper": level}},
        source="the counters in the checkpoint, and what is beside them in the parameter's dtype",
    )


@claim("casting.keeps-the-strides")
@pytest.mark.parametrize("dtype", DTYPES, ids=[str(dtype)[6:] for dtype in DTYPES])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_tensor_of_a_state_keeps_its_strides(layout, dtype, device):
    entry = layout(torch.arange(24.0, device=device).reshape(2, 3, 2, 2))
    optimizer, w = with_state({"moment": entry, "list": [entry]}, device, dtype)
    optimizer.load_state_dict(optimizer.state_dict())
    loaded = [optimizer.state[w]["moment"], *optimizer.state[w]["list"]]
    check.same(
        seen=[list(moment.stride()) for moment in loaded],
        expected=[list(entry.stride())] * 2,
        source="the tensor in the checkpoint",
    )


@claim("casting.whole-numbers-become-floats")
def test_a_tensor_of_whole_numbers_takes_the_dtype_of_the_parameter(device):
    entries = {str(dtype): torch.tensor([0, 1], dtype=dtype) for dtype in (torch.int64, torch.bool)}
    optimizer, w = with_state(entries, device)
    optimizer.load_state_dict(optimizer.state_dict())
    check.same(
        seen=optimizer.state[w],
        expected=dict.fromkeys(entries, torch.tensor([0.0, 1.0])),
        source="the same numbers in the parameter's dtype",
    )


@claim("casting.complex-parameters-cast-nothing")
def test_the_state_of_a_complex_parameter_keeps_its_dtype(device):
    dtypes = (torch.float16, torch.complex64, torch.int64)
    entries = {str(dtype): torch.ones(2, dtype=dtype) for dtype in dtypes}
    optimizer, w = with_state(entries, device, torch.complex64)
    optimizer.load_state_dict(optimizer.state_dict())
    seen = optimizer.state[w]
    check.same(
        seen=[dict(seen), [entry.device.type for entry in seen.values()]],
        expected=[entries, [device.type] * len(entries)],
        source="what was loaded, beside the parameter",
    )


@claim("casting.other-entries-come-back")
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_is_no_tensor_is_loaded_as_it_was(entry, device):
    optimizer, w = with_state({"kept": entry}, device)
    optimizer.load_state_dict(optimizer.state_dict())
    seen = optimizer.state[w]["kept"]
    check.same(
        seen=[seen, type(seen).__name__],
        expected=[entry, type(entry).__name__],
        source="the entry of the state_dict",
    )
