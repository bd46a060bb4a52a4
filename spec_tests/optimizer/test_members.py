"""What every optimizer is made of: groups, parameters in them, and state by parameter."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training


@claim("optimizer.has-param-groups-and-state")
@optimizers.each()
def test_an_optimizer_has_groups_and_state(case, device):
    training = Training(case, device)
    training.run(1)
    optimizer = training.optimizer
    seen = {
        "an Optimizer": isinstance(optimizer, torch.optim.Optimizer),
        "groups": [isinstance(group, dict) for group in optimizer.param_groups],
        "state": all(isinstance(entries, dict) for entries in optimizer.state.values()),
    }
    expected = {"an Optimizer": True, "groups": [True], "state": True}
    check.same(seen=seen, expected=expected, source="the documentation of Optimizer")


@claim("optimizer.parameters-live-in-groups")
@optimizers.each()
def test_parameters_are_found_in_the_groups_only(case, device):
    optimizer = Training(case, device).optimizer
    seen = {
        "in the groups": ["params" in group for group in optimizer.param_groups],
        "on the optimizer": hasattr(optimizer, "params"),
    }
    expected = {"in the groups": [True], "on the optimizer": False}
    check.same(seen=seen, expected=expected, source="the documentation of Optimizer")


@claim("state.is-kept-per-parameter")
@optimizers.each()
def test_every_key_of_the_state_is_a_parameter(case, device):
    training = Training(case, device)
    training.run(1)
    parameters = {id(parameter) for parameter in training.parameters}
    strangers = [key for key in training.optimizer.state if id(key) not in parameters]
    assert not strangers, f"the state has keys that are no parameters: {strangers}"


@claim("param-groups.one-for-a-plain-list")
@optimizers.each()
def test_a_list_of_parameters_makes_one_group_with_every_option(case, device):
    optimizer = Training(case, device).optimizer
    expected = ["params", *optimizer.defaults]
    seen = [sorted(group) for group in optimizer.param_groups]
    check.same(seen=seen, expected=[sorted(expected)], source="the options of the constructor")
