"""swap_in_optimizer_params_and_state(): other parameters and another state for a while."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import (
    OF_EACH_KIND,
    OF_EACH_WITH_STATE,
    everything,
    fresh,
    trained,
)

# LBFGS steps parameters of its own.
OF_EACH_THAT_SWAPS = optimizers.each(
    only=optimizers.SAMPLES, which="keeps_state", but="keeps_a_parameter_list"
)


def as_dict(training):
    """Return the parameters of a training by name."""
    return {f"parameter {i}": p for i, p in enumerate(training.parameters)}


def swapped_in(training, guest, state_dict=None):
    """Have the optimizer of a training work on the parameters and the state of a guest."""
    return torch.optim.swap_in_optimizer_params_and_state(
        training.optimizer,
        as_dict(guest),
        guest.optimizer.state_dict() if state_dict is None else state_dict,
    )


def step_on(guest, training):
    """Take a step on the guest's loss, with the optimizer of a training."""
    own, guest.optimizer = guest.optimizer, training.optimizer
    guest.run(1)
    guest.optimizer = own


@claim("swapping-in.steps-given-parameters")
@optimizers.each(which="keeps_state")
def test_a_step_moves_the_parameters_that_were_swapped_in(case, device):
    training, guest, alone = (trained(case, device, steps=n) for n in (1, 3, 4))
    with swapped_in(training, guest):
        step_on(guest, training)
    check.same(seen=guest.values(), expected=alone.values(), source="a step of the guest's own")


@claim("swapping-in.restores-everything")
@optimizers.each(which="keeps_state", but="keeps_a_parameter_list")
def test_afterwards_the_optimizer_is_as_before(case, device):
    training, guest = trained(case, device, steps=1), trained(case, device, steps=3)
    before, group = everything(training), training.optimizer.param_groups[0]
    with swapped_in(training, guest):
        step_on(guest, training)
        training.optimizer.param_groups[0].update(lr=0.125, unheard_of=1)
    same = [p is q for p, q in zip(group["params"], training.parameters, strict=True)]
    check.same(
        seen=[everything(training), same],
        expected=[before, [True, True]],
        source="the optimizer before the swap",
    )


@claim("swapping-in.drops-added-groups")
@OF_EACH_THAT_SWAPS
def test_afterwards_a_group_that_was_added_is_gone(case, device):
    training, guest = trained(case, device, steps=1), trained(case, device, steps=3)
    before, added = everything(training), torch.ones(1, device=device, requires_grad=True)
    with swapped_in(training, guest):
        training.optimizer.add_param_group({"params": [added]})
    check.same(seen=everything(training), expected=before, source="the optimizer before the swap")


@claim("swapping-in.goes-by-the-order")
@optimizers.each(which="keeps_state", but="takes_one_group")
def test_the_guests_are_given_to_the_groups_in_their_order(case, device):
    training, guest, alone = (in_two_groups(case, device, steps) for steps in (1, 3, 4))
    with swapped_in(training, guest):
        step_on(guest, training)
    check.same(seen=guest.values(), expected=alone.values(), source="a step of the guest's own")


def in_two_groups(case, device, steps):
    """Return a training whose parameters have a group each, after so many steps."""
    training = fresh(case, device)
    training.optimizer = case.build([{"params": [p]} for p in training.parameters])
    training.run(steps)
    return training


@claim("swapping-in.hooks-see-given-parameters")
@OF_EACH_THAT_SWAPS
def test_a_hook_sees_the_parameters_that_were_swapped_in(case, device):
    training, guest = trained(case, device, steps=1), trained(case, device, steps=3)
    seen = []
    training.optimizer.register_step_post_hook(
        lambda optimizer, *_: seen.extend(optimizer.param_groups[0]["params"])
    )
    with swapped_in(training, guest):
        step_on(guest, training)
    same = [p is q for p, q in zip(seen, guest.parameters, strict=True)]
    check.same(seen=same, expected=[True, True], source="the parameters of the guest")


@claim("swapping-in.restores-after-an-error")
@OF_EACH_THAT_SWAPS
def test_afterwards_the_optimizer_is_as_before_also_if_an_error_ends_it(case):
    training, guest = trained(case, steps=1), trained(case, steps=3)
    before = everything(training)

    def swap_and_fail():
        with swapped_in(training, guest):
            step_on(guest, training)
            raise LookupError("on the way")

    with pytest.raises(LookupError, match="on the way"):
        swap_and_fail()
    check.same(seen=everything(training), expected=before, source="the optimizer before the swap")


@claim("swapping-in.changes-only-tensors")
@optimizers.each(which="keeps_state", but=("keeps_one_state", "counts_in_python"))
def test_of_the_guest_s_state_dict_the_tensors_change_and_nothing_else(case):
    training, guest, alone = (trained(case, steps=n) for n in (1, 3, 4))
    state_dict = guest.optimizer.state_dict()
    with swapped_in(training, guest, state_dict):
        step_on(guest, training)
        training.optimizer.state[guest.parameters[0]]["new"] = 1
        training.optimizer.param_groups[0]["lr"] = 0.125
    expected = alone.optimizer.state_dict()
    check.same(seen=state_dict, expected=expected, source="the state after a step of its own")


@claim("swapping-in.uses-given-options")
@optimizers.each(which="keeps_state")
def test_the_options_are_those_of_the_guest(case):
    training, guest = trained(case, steps=1), trained(case, steps=1)
    state_dict = deepcopy(guest.optimizer.state_dict())
    state_dict["param_groups"][0]["lr"] = 0.125
    with swapped_in(training, guest, state_dict):
        during = training.optimizer.param_groups[0]["lr"]
    check.same(seen=during, expected=0.125, source="the group that was swapped in")


@claim("swapping-in.needs-a-state")
@OF_EACH_KIND
def test_an_optimizer_before_its_first_step_is_refused(case):
    training, guest = fresh(case), trained(case, steps=1)
    with (
        pytest.raises(RuntimeError, match="requires initialized optimizer state"),
        swapped_in(training, guest),
    ):
        guest.run(1)


# How to spoil a state_dict, and what the error says of it.
SPOILED = {
    "no_dict": (lambda saved: [saved], "DCP-style"),
    "no_state": (lambda saved: {**saved, "state": None}, "got NoneType"),
    "state_by_parameter": (
        lambda saved: {**saved, "state": {torch.ones(1): {}}},
        "state keyed by packed parameter ids",
    ),
    "state_of_numbers": (lambda saved: {**saved, "state": {0: 1}}, "entries to be dictionaries"),
    "state_of_a_stranger": (lambda saved: {**saved, "state": {99: {}}}, r"extra keys \[99\]"),
    "no_groups": (lambda saved: {**saved, "param_groups": ()}, "got tuple"),
    "another_group": (
        lambda saved: {**saved, "param_groups": saved["param_groups"] * 2},
        "different number of parameter groups",
    ),
    "group_of_no_options": (lambda saved: {**saved, "param_groups": [0]}, "to be a dictionary"),
    "params_by_name": (lambda saved: with_group(saved, params=["w", "b"]), "packed parameter ids"),
    "params_in_a_tuple": (lambda saved: with_group(saved, params=(0, 1)), "packed parameter ids"),
    "fewer_params": (lambda saved: with_group(saved, params=[0]), "different number of params"),
    "another_option": (lambda saved: with_group(saved, unheard_of=1), r"in swap-in: \['unheard_of"),
    "an_option_less": (lambda saved: without_rate(saved), r"in live: \['lr'\]"),
}


def with_group(saved, **changes):
    """Return a state_dict of which the only group has these changes."""
    return {**saved, "param_groups": [{**saved["param_groups"][0], **changes}]}


def without_rate(saved):
    """Return a state_dict of which the only group has no rate."""
    group = {key: value for key, value in saved["param_groups"][0].items() if key != "lr"}
    return {**saved, "param_groups": [group]}


@claim("swapping-in.refuses-what-does-not-fit")
@pytest.mark.parametrize("spoil, words", SPOILED.values(), ids=SPOILED)
@OF_EACH_WITH_STATE
def test_a_state_dict_that_does_not_fit_is_refused(case, spoil, words):
    training, guest = trained(case, steps=1), trained(case, steps=1)
    spoiled = spoil(guest.optimizer.state_dict())
    with pytest.raises(RuntimeError, match=words), swapped_in(training, guest, spoiled):
        guest.run(1)


@claim("swapping-in.refuses-what-does-not-fit")
@OF_EACH_WITH_STATE
def test_too_few_parameters_are_refused(case):
    training, guest = trained(case, steps=1), trained(case, steps=1)
    state_dict, guest.parameters = guest.optimizer.state_dict(), guest.parameters[:1]
    with (
        pytest.raises(RuntimeError, match="ordering"),
        swapped_in(training, guest, state_dict),
    ):
        guest.run(1)


@claim("swapping-in.refused-changes-nothing")
@OF_EACH_WITH_STATE
def test_a_refused_state_dict_leaves_the_optimizer_as_it_was(case):
    training, guest = trained(case, steps=1), trained(case, steps=3)
    before = everything(training)
    for spoil, words in SPOILED.values():
        spoiled = spoil(guest.optimizer.state_dict())
        with pytest.raises(RuntimeError, match=words), swapped_in(training, guest, spoiled):
            guest.run(1)
    check.same(seen=everything(training), expected=before, source="the optimizer before the swap")
