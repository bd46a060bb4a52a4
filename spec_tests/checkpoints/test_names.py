"""The names of parameters, in optimizers that were built from named_parameters()."""

from copy import deepcopy

import torch

from fixtures.assertions import check
from fixtures.claims import claim
from fixtures.runs.saved_training import OF_EACH_KIND, fresh

ONES, OTHERS = ("weight", "bias"), ("scale", "shift")


def named(case, names):
    """Return a training whose optimizer was given names with its parameters."""
    training = fresh(case)
    parameters = training.parameters
    training.optimizer = case.build(
        list(zip(names, parameters, strict=True)) if names else parameters
    )
    return training


def loaded(case, *, of_the_checkpoint, of_the_optimizer):
    """Return a training of some names that has loaded a checkpoint of some names."""
    saved = named(case, of_the_checkpoint)
    saved.run(2)
    training = named(case, of_the_optimizer)
    training.optimizer.load_state_dict(deepcopy(saved.optimizer.state_dict()))
    return training


@claim("param-names.are-saved")
@OF_EACH_KIND
def test_a_group_of_the_state_dict_has_the_names_in_order(case):
    group = named(case, ONES).optimizer.state_dict()["param_groups"][0]
    check.same(
        seen=[group["param_names"], group["params"]],
        expected=[list(ONES), [0, 1]],
        source="the names that the optimizer was built with",
    )


@claim("param-names.come-from-the-checkpoint")
@OF_EACH_KIND
def test_the_names_of_the_checkpoint_take_the_place_of_others(case):
    training = loaded(case, of_the_checkpoint=ONES, of_the_optimizer=OTHERS)
    seen = training.optimizer.param_groups[0]["param_names"]
    check.same(seen=seen, expected=list(ONES), source="the names in the checkpoint")


@claim("param-names.reach-an-unnamed-optimizer")
@OF_EACH_KIND
def test_an_optimizer_without_names_has_those_of_the_checkpoint(case):
    training = loaded(case, of_the_checkpoint=ONES, of_the_optimizer=())
    seen = training.optimizer.param_groups[0]["param_names"]
    check.same(seen=seen, expected=list(ONES), source="the names in the checkpoint")


@claim("param-names.survive-unnamed-checkpoint")
@OF_EACH_KIND
def test_an_optimizer_keeps_its_names(case):
    training = loaded(case, of_the_checkpoint=(), of_the_optimizer=OTHERS)
    seen = training.optimizer.param_groups[0]["param_names"]
    check.same(seen=seen, expected=list(OTHERS), source="the names before loading")


@claim("param-names.do-not-match-state")
@OF_EACH_KIND
def test_state_goes_by_order_whatever_the_names(case):
    training = loaded(case, of_the_checkpoint=ONES, of_the_optimizer=ONES[::-1])
    plain = loaded(case, of_the_checkpoint=(), of_the_optimizer=())
    check.same(
        seen=training.optimizer.state_dict()["state"],
        expected=plain.optimizer.state_dict()["state"],
        source="the same parameters without names",
    )


@claim("param-names.can-be-matched-by-a-hook")
@OF_EACH_KIND
def test_a_hook_can_bring_the_state_of_each_name_to_its_parameter(case):
    saved = named(case, ONES)
    saved.run(2)
    reversed_ = fresh(case)
    names, parameters = ONES[::-1], reversed_.parameters[::-1]
    optimizer = case.build(list(zip(names, parameters, strict=True)))

    def by_name(optimizer, state_dict):
        group = state_dict["param_groups"][0]
        number = dict(zip(group["param_names"], group["params"], strict=True))
        here = optimizer.param_groups[0]["param_names"]
        adapted = {**group, "params": [number[name] for name in here], "param_names": here}
        return {**state_dict, "param_groups": [adapted]}

    optimizer.register_load_state_dict_pre_hook(by_name)
    optimizer.load_state_dict(deepcopy(saved.optimizer.state_dict()))
    check.same(
        seen=[dict(optimizer.state[p]) for p in reversed_.parameters],
        expected=[dict(saved.optimizer.state[p]) for p in saved.parameters],
        source="the state of the parameter of the same name",
    )


@claim("param-names.survive-a-file")
@OF_EACH_KIND
def test_names_come_back_from_a_file(case, tmp_path):
    torch.save(named(case, ONES).optimizer.state_dict(), tmp_path / "named.pt")
    group = torch.load(tmp_path / "named.pt", weights_only=True)["param_groups"][0]
    check.same(seen=group["param_names"], expected=list(ONES), source="the names that were saved")
