"""swap_in_optimizer_params_and_state(): other parameters and another state for a while."""

from copy import deepcopy

import pytest
import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.checkpoints.trainings import OF_EACH_KIND, everything, fresh, trained
from fixtures.claims import claim

KEEP_STATE = ("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam",
              "RAdam", "RMSprop", "Rprop", "SparseAdam")  # fmt: skip


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


@claim("swapping-in.steps-the-guests")
@optimizers.each(only=(*KEEP_STATE, "LBFGS"))
def test_a_step_moves_the_parameters_that_were_swapped_in(case, device):
    training, guest, alone = (trained(case, device, steps=n) for n in (1, 3, 4))
    with swapped_in(training, guest):
        step_on(guest, training)
    check.same(seen=guest.values(), expected=alone.values(), source="a step of the guest's own")


@claim("swapping-in.comes-back")
@optimizers.each(only=("Adam", "Muon", "SparseAdam"))
def test_afterwards_the_optimizer_is_as_before(case, device):
    training, guest = trained(case, device, steps=1), trained(case, device, steps=3)
    before, group = everything(training), training.optimizer.param_groups[0]
    with swapped_in(training, guest):
        step_on(guest, training)
        training.optimizer.param_groups[0]["lr"] = 0.125
    same = [p is q for p, q in zip(group["params"], training.parameters, strict=True)]
    check.same(
        seen=[everything(training), same], expected=[before, [True, True]], source="before swapping"
    )


@claim("swapping-in.comes-back-after-an-error")
@optimizers.each(only=("Adam",))
def test_afterwards_the_optimizer_is_as_before_also_if_an_error_ends_it(case):
    training, guest = trained(case, steps=1), trained(case, steps=3)
    before = everything(training)

    def swap_and_fail():
        with swapped_in(training, guest):
            step_on(guest, training)
            raise LookupError("on the way")

    with pytest.raises(LookupError, match="on the way"):
        swap_and_fail()
    check.same(seen=everything(training), expected=before, source="before swapping")


@claim("swapping-in.changes-tensors-alone")
@optimizers.each(only=("Adam", "RMSprop", "Adagrad"))
def test_of_the_guest_s_state_dict_the_tensors_change_and_nothing_else(case):
    training, guest, alone = (trained(case, steps=n) for n in (1, 3, 4))
    state_dict = guest.optimizer.state_dict()
    with swapped_in(training, guest, state_dict):
        step_on(guest, training)
        training.optimizer.state[guest.parameters[0]]["new"] = 1
        training.optimizer.param_groups[0]["lr"] = 0.125
    expected = alone.optimizer.state_dict()
    check.same(seen=state_dict, expected=expected, source="the state after a step of its own")


@claim("swapping-in.hyperparameters-too")
@optimizers.each(only=("Adam", "Muon"))
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
