"""Param groups: options by group, and groups that are added later."""

from dataclasses import replace

import pytest

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Preset
from fixtures.claims import claim
from fixtures.runs.training import Training


def train_apart(training, *apart, steps):
    for _ in range(steps):
        training.closure()
        for optimizer in apart:
            optimizer.step()


@claim("param-groups.fall-back-to-the-defaults")
@optimizers.each(every_preset=True, but="takes_one_group")
def test_a_group_takes_what_it_is_not_given_from_the_constructor(case, device):
    first, second = Training(case, device).parameters
    optimizer = case.build([{"params": [first], "lr": 0.25}, {"params": [second]}], lr=0.5)
    common = {**optimizer.defaults, **case.preset.options}
    check.same(
        seen=[{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups],
        expected=[{**common, "lr": 0.25}, {**common, "lr": 0.5}],
        source="the options of the group, and behind them those of the constructor",
    )


@claim("param-groups.act-as-separate-optimizers")
@optimizers.each(every_option=True, but="takes_one_group")
def test_groups_train_as_separate_optimizers_would(case, device):
    plain, rate = replace(case, preset=Preset("default")), case.optimizer.lr / 4
    grouped, apart = Training(plain, device), Training(plain, device)
    first, second = grouped.parameters
    options = {**case.preset.options, "lr": rate}
    grouped.optimizer = plain.build([{"params": [first]}, {"params": [second], **options}])
    grouped.run(3)
    one, other = plain.build(apart.parameters[:1]), case.build(apart.parameters[1:], lr=rate)
    train_apart(apart, one, other, steps=3)
    check.same(seen=grouped.values(), expected=apart.values(), source="an optimizer for each group")


@claim("param-groups.keep-unknown-keys")
@optimizers.each()
def test_a_misspelt_option_in_a_group_is_stored_and_does_nothing(case, device):
    usual, misspelt = Training(case, device), Training(case, device)
    group = {"params": misspelt.parameters, "learning_rate": 7.0}
    misspelt.optimizer = case.build([group])
    usual.run(2)
    misspelt.run(2)
    check.same(
        seen=[misspelt.optimizer.param_groups[0].get("learning_rate"), misspelt.values()],
        expected=[7.0, usual.values()],
        source="the group, and the parameters trained without the key",
    )


@claim("param-groups.added-group-trains")
@optimizers.each(every_option=True, but="takes_one_group")
def test_an_added_group_trains_as_a_new_optimizer_would(case, device):
    grown, apart = Training(case, device), Training(case, device)
    first, second = grown.parameters
    grown.optimizer = case.build([first])
    train_apart(grown, grown.optimizer, steps=1)
    grown.optimizer.add_param_group({"params": [second]})
    grown.run(2)
    old = case.build(apart.parameters[:1])
    train_apart(apart, old, steps=1)
    train_apart(apart, old, case.build(apart.parameters[1:]), steps=2)
    check.same(seen=grown.values(), expected=apart.values(), source="an optimizer for each group")


@claim("param-groups.lbfgs-takes-one")
@optimizers.each(only=("LBFGS",))
def test_lbfgs_refuses_two_groups(case, device):
    first, second = Training(case, device).parameters
    with pytest.raises(ValueError, match="parameter groups"):
        case.build([{"params": [first]}, {"params": [second]}])


@claim("param-groups.lbfgs-refuses-to-step-two")
@optimizers.each(only=("LBFGS",))
def test_lbfgs_does_not_step_with_an_added_group(case, device):
    training = Training(case, device)
    first, second = training.parameters
    training.optimizer = case.build([first])
    training.optimizer.add_param_group({"params": [second]})
    with pytest.raises(AssertionError):
        training.optimizer.step(training.closure)


@claim("param-groups.keep-names")
@optimizers.each()
def test_named_parameters_train_as_parameters_do_and_keep_their_names(case, device):
    nameless, named = Training(case, device), Training(case, device)
    pairs = zip(("weight", "bias"), named.parameters, strict=True)
    named.optimizer = case.build(list(pairs))
    nameless.run(2)
    named.run(2)
    check.same(
        seen=[named.optimizer.param_groups[0]["param_names"], named.values()],
        expected=[["weight", "bias"], nameless.values()],
        source="the names given, and the parameters trained without names",
    )
