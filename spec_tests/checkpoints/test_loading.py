"""What load_state_dict() replaces, what it leaves alone, and how it finds out what belongs where."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import (
    OF_EACH_KIND,
    every_preset,
    everything,
    fresh,
    saved_by,
    trained,
)

SAVED = "the state_dict that was loaded"
FOR_EACH_PARAMETER = optimizers.each(which="keeps_state", but="keeps_one_state")


@claim("loading.brings-everything-back")
@optimizers.each()
def test_a_fresh_optimizer_has_the_state_dict_that_it_loads(case, device):
    saved = {name: saved_by(preset, device) for name, preset in every_preset(case).items()}
    loaded = {name: fresh(case, device, lr=0.75).optimizer for name in saved}
    for name, optimizer in loaded.items():
        optimizer.load_state_dict(saved[name])
    check.same(
        seen={name: optimizer.state_dict() for name, optimizer in loaded.items()},
        expected=saved,
        source=SAVED,
    )


@claim("loading.options-come-from-the-checkpoint")
@optimizers.each()
def test_every_option_is_that_of_the_checkpoint(case):
    state_dict = fresh(case).optimizer.state_dict()
    group = state_dict["param_groups"][0]
    # AdamW puts its own decoupled_weight_decay in the place of any other.
    options = group.keys() - {"params", "decoupled_weight_decay"}
    group.update({option: f"{option} of the checkpoint" for option in options})
    training = fresh(case)
    training.optimizer.load_state_dict(state_dict)
    loaded = training.optimizer.param_groups[0]
    check.same(
        seen={option: loaded[option] for option in options},
        expected={option: f"{option} of the checkpoint" for option in options},
        source="the group in the checkpoint",
    )


@claim("loading.keeps-the-parameters")
@OF_EACH_KIND
def test_the_groups_hold_the_same_parameters_with_the_same_values(case, device):
    training = fresh(case, device)
    before = training.values()
    training.optimizer.load_state_dict(saved_by(case, device))
    held = training.optimizer.param_groups[0]["params"]
    check.same(
        seen=[[a is b for a, b in zip(held, training.parameters, strict=True)], training.values()],
        expected=[[True, True], before],
        source="the parameters before loading",
    )


@claim("loading.replaces-the-state")
@optimizers.each()
def test_a_checkpoint_from_before_the_first_step_leaves_no_other_state(case):
    training, unstarted = trained(case), fresh(case).optimizer.state_dict()
    training.optimizer.load_state_dict(deepcopy(unstarted))
    check.same(seen=training.optimizer.state_dict(), expected=unstarted, source=SAVED)


@claim("loading.reaches-frozen-parameters")
@optimizers.each(which="keeps_state")
def test_a_parameter_that_is_frozen_while_loading_goes_on_when_it_is_thawed(case, device):
    saved = saved_by(case, device)
    thawed, never_frozen = fresh(case, device), fresh(case, device)
    thawed.parameters[0].requires_grad_(False)
    for training in (thawed, never_frozen):
        training.optimizer.load_state_dict(deepcopy(saved))
    thawed.parameters[0].requires_grad_(True)
    for training in (thawed, never_frozen):
        training.run(2)
    check.same(
        seen=everything(thawed),
        expected=everything(never_frozen),
        source="a training that was not frozen while it loaded",
    )


@claim("loading.own-state-dict-changes-nothing")
@optimizers.each()
def test_an_optimizer_that_loads_its_own_state_dict_goes_on_as_before(case, device):
    training, other = trained(case, device), trained(case, device)
    training.optimizer.load_state_dict(training.optimizer.state_dict())
    training.run(1)
    other.run(1)
    check.same(
        seen=everything(training), expected=everything(other), source="one that loaded nothing"
    )


@claim("loading.leaves-the-dict-alone")
@optimizers.each()
def test_the_dict_that_is_passed_is_as_before(case, device):
    state_dict = saved_by(case, device)
    before = deepcopy(state_dict)
    for dtype in (torch.float32, torch.bfloat16):
        fresh(case, device, dtype=dtype).optimizer.load_state_dict(state_dict)
    check.same(seen=state_dict, expected=before, source="a deepcopy made before loading")


@claim("loading.shares-the-tensors")
@FOR_EACH_PARAMETER
def test_the_state_holds_the_tensors_of_the_dict_that_was_loaded(case, device):
    state_dict = saved_by(case, device)
    training = fresh(case, device)
    training.optimizer.load_state_dict(state_dict)
    owned = training.optimizer.state[training.parameters[0]]
    tensors = {k: v for k, v in state_dict["state"][0].items() if isinstance(v, torch.Tensor)}
    check.same(
        seen={key: owned[key] is tensor for key, tensor in tensors.items()},
        # NAdam keeps `mu_product` on the CPU, and loading brings it to the parameter's device.
        expected={k: k == "step" or v.device.type == device.type for k, v in tensors.items()},
        source="the tensors of the dict, whose dtype and device fit",
    )


@claim("loading.copied-the-tensors")
@FOR_EACH_PARAMETER
def test_a_step_leaves_the_dict_that_was_loaded_alone(case, device):
    state_dict = saved_by(case, device)
    before = deepcopy(state_dict)
    training = fresh(case, device)
    training.optimizer.load_state_dict(state_dict)
    training.run(2)
    check.same(seen=state_dict, expected=before, source="a deepcopy made before loading")


@claim("loading.copies-the-groups")
@OF_EACH_KIND
def test_options_changed_after_loading_do_not_meet(case):
    state_dict = saved_by(case)
    training = fresh(case)
    training.optimizer.load_state_dict(state_dict)
    state_dict["param_groups"][0]["lr"] = 0.125
    training.optimizer.param_groups[0]["eps"] = 0.25
    seen = [training.optimizer.param_groups[0]["lr"]]
    seen.append(state_dict["param_groups"][0].get("eps") == 0.25)
    check.same(seen=seen, expected=[case.optimizer.lr, False], source="what each held at loading")


@claim("loading.copies-the-groups")
@OF_EACH_KIND
def test_a_rate_in_a_tensor_is_copied(case):
    state_dict = fresh(case, lr=torch.tensor(0.25)).optimizer.state_dict()
    optimizer = fresh(case).optimizer
    optimizer.load_state_dict(state_dict)
    optimizer.param_groups[0]["lr"].fill_(0.5)
    seen = [state_dict["param_groups"][0]["lr"], optimizer.param_groups[0]["lr"]]
    check.same(
        seen=seen,
        expected=[torch.tensor(0.25), torch.tensor(0.5)],
        source="what was saved, and what was written into the group later",
    )


@claim("loading.leaves-a-tensor-rate-alone")
@pytest.mark.parametrize("kind", [float, torch.tensor], ids=["by_number", "by_tensor"])
@OF_EACH_KIND
def test_a_rate_in_a_tensor_is_replaced_and_not_overwritten(case, kind):
    rate, saved = torch.tensor(0.5), fresh(case, lr=kind(0.25)).optimizer.state_dict()
    optimizer = fresh(case, lr=rate).optimizer
    optimizer.load_state_dict(saved)
    check.same(
        seen=[rate, optimizer.param_groups[0]["lr"]],
        expected=[torch.tensor(0.5), kind(0.25)],
        source="the rate given to the constructor, and that of the checkpoint",
    )


@claim("loading.leaves-the-defaults-alone")
@OF_EACH_KIND
def test_the_defaults_are_those_of_the_constructor(case):
    optimizer = fresh(case).optimizer
    before = deepcopy(optimizer.defaults)
    optimizer.load_state_dict(optimizer.state_dict())
    # Loading may add defaults of options that the optimizer does not have.
    seen = {option: optimizer.defaults[option] for option in before}
    check.same(seen=seen, expected=before, source="the defaults before loading")


@claim("loading.goes-by-the-order-of-the-numbers")
@OF_EACH_KIND
def test_the_numbers_of_the_parameters_may_be_any(case):
    state_dict = saved_by(case)
    renamed = {0: 17, 1: -3}
    other = {
        "state": {renamed[number]: entry for number, entry in state_dict["state"].items()},
        "param_groups": [{**state_dict["param_groups"][0], "params": [17, -3]}],
    }
    training = fresh(case)
    training.optimizer.load_state_dict(other)
    check.same(
        seen=training.optimizer.state_dict(), expected=state_dict, source="the same by order"
    )


@claim("loading.verifies-no-shapes")
@FOR_EACH_PARAMETER
def test_parameters_in_another_order_get_each_other_s_state(case):
    state_dict = saved_by(case)
    training = fresh(case)
    optimizer = case.build(training.parameters[::-1])
    optimizer.load_state_dict(state_dict)
    check.same(
        seen=[dict(optimizer.state[p]) for p in training.parameters[::-1]],
        expected=[state_dict["state"][0], state_dict["state"][1]],
        source="the state in the order of the checkpoint",
    )


@claim("loading.wrong-shape-fails-at-the-step")
@optimizers.each(which="keeps_entries_of_its_shape")
def test_a_step_with_the_state_of_another_parameter_is_an_error(case):
    training = fresh(case)
    training.optimizer = case.build(training.parameters[::-1])
    training.optimizer.load_state_dict(saved_by(case))
    with pytest.raises(RuntimeError, match="size"):
        training.run(1)
