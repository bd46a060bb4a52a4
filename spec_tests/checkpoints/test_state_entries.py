"""What stands in a state_dict: the entries of every optimizer's state, and the options of its groups."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers, states
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.runs.saved_training import CPU, every_preset, fresh
from fixtures.runs.training import Training
from fixtures.specification.torch_range import TorchRange

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
TABLE = "the record in fixtures/catalogue/torch_optimizers.py"
# What torch keeps in the groups besides the arguments of the constructor.
FOUND_BESIDES = {"AdamW": {"decoupled_weight_decay": "2.7"}}


def stepped(case, device, dtype=torch.float32):
    """Return a training that has taken a step."""
    training = Training(case, device, dtype=dtype)
    training.run(1)
    return training


def described(training):
    """Return dtype, shape and device of every entry in the state_dict, by the parameter's place."""
    state = training.optimizer.state_dict()["state"]
    return [
        {key: states.describe(entry) for key, entry in state.get(index, {}).items()}
        for index in range(len(training.parameters))
    ]


@claim("state-dict.entries-of-each-optimizer")
@optimizers.each(but="keeps_one_state")
def test_the_entries_are_those_of_the_table(case, device):
    trainings = {
        f"{preset} {name}": stepped(with_preset, device, dtype)
        for preset, with_preset in every_preset(case).items()
        for name, dtype in DTYPES.items()
    }
    check.same(
        seen={name: described(training) for name, training in trainings.items()},
        expected={
            name: [t.case.state_of(parameter) for parameter in t.parameters]
            for name, t in trainings.items()
        },
        source=TABLE,
    )


@claim("state-dict.entries-at-construction")
@optimizers.each(but="keeps_one_state")
def test_adagrad_alone_has_entries_before_the_first_step(case, device):
    trainings = {name: Training(case, device, dtype=dtype) for name, dtype in DTYPES.items()}
    check.same(
        seen={name: described(training) for name, training in trainings.items()},
        expected={
            name: [case.state_of(parameter, stepped=False) for parameter in t.parameters]
            for name, t in trainings.items()
        },
        source=TABLE,
    )


@claim("state-dict.lbfgs-keeps-one-history")
@optimizers.each(only=("LBFGS",))
def test_the_entries_of_lbfgs_stand_under_its_first_parameter(case, device):
    # Three iterations give two differences of gradients; history_size has room for four.
    training = Training(case, device, max_iter=3, max_eval=9, history_size=4)
    training.run(1)
    check.same(
        seen=described(training),
        expected=[states.of_lbfgs(size=8, pairs=2, history=4, device=device), {}],
        source=TABLE,
    )


@claim("state-dict.groups-hold-every-option")
@optimizers.each()
def test_a_group_holds_the_options_of_the_constructor(case):
    group = fresh(case).optimizer.state_dict()["param_groups"][0]
    known = {**case.optimizer.options, **FOUND_BESIDES.get(case.optimizer.name, {})}
    expected = [o for o, since in known.items() if torch.__version__ in TorchRange(f">={since}")]
    check.same(
        seen=sorted(group),
        expected=sorted([*expected, "params"]),
        source="the constructor's arguments",
    )


@claim("state-dict.scalars-are-float32")
@optimizers.each(which="counts_in_tensors")
def test_the_counter_is_float32_unless_float64_is_the_default(case):
    check.same(
        seen=dtypes_of_the_counter(case),
        expected=["torch.float32", "torch.float32", "torch.float64"],
        source="float32, or the default dtype if it is float64",
    )


@claim("state-dict.later-scalars-are-float32")
@optimizers.each(which="counts_in_tensors_since_2_4")
def test_the_counter_of_three_more_is_float32_unless_float64_is_the_default(case):
    check.same(
        seen=dtypes_of_the_counter(case),
        expected=["torch.float32", "torch.float32", "torch.float64"],
        source="float32, or the default dtype if it is float64",
    )


@claim("state-dict.scalars-were-always-float32")
@optimizers.each(which="counts_in_tensors")
def test_the_counter_is_float32_whatever_the_default(case):
    check.same(
        seen=dtypes_of_the_counter(case),
        expected=["torch.float32"] * 3,
        source="float32, whatever the default dtype",
    )


@claim("state-dict.scalars-had-the-default-dtype")
@optimizers.each(which="counts_in_tensors")
def test_the_counter_has_the_default_dtype(case):
    check.same(
        seen=dtypes_of_the_counter(case),
        expected=["torch.bfloat16", "torch.float32", "torch.float64"],
        source="the default dtype",
    )


@claim("state-dict.fused-counters-are-float32")
@optimizers.each(which="counts_steps", taking=("fused",))
def test_the_counter_of_fused_steps_is_float32_whatever_the_default(case):
    check.same(
        seen=dtypes_of_the_counter(case),
        expected=["torch.float32"] * 3,
        source="float32, whatever the default dtype",
    )


def dtypes_of_the_counter(case):
    """Return the dtype of `step` where the default is bfloat16, float32, float64; parameters are float32."""
    dtypes = []
    for default in (torch.bfloat16, torch.float32, torch.float64):
        with default_dtype(default):
            training = stepped(case, CPU)
        dtypes.append(str(training.optimizer.state[training.parameters[0]]["step"].dtype))
    return dtypes


@claim("state-dict.step-ignores-default-device")
@optimizers.each(only=("Adam", "AdamW"))
def test_the_default_device_does_not_draw_the_counter(case):
    training = fresh(case)
    training.backward()
    with torch.device("meta"):
        training.step()
    step = training.optimizer.state[training.parameters[0]]["step"]
    check.same(
        seen=[step, step.device.type],
        expected=[torch.tensor(1.0), "cpu"],
        source="a count of one step, on the CPU",
    )
