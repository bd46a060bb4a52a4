"""Checkpoints that hold more, or less, than the optimizer that loads them."""

from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.claims import claim
from fixtures.runs.saved_training import (
    OF_EACH_KIND,
    OF_EACH_WITH_STATE,
    everything,
    fresh,
    saved_by,
    trained,
)
from fixtures.specification.torch_range import TorchRange

SCALARS = ("eta", "mu", "mu_product")
# Options that no argument of the constructor stands for.
LATER_BESIDES = {"AdamW": {"decoupled_weight_decay": "2.7"}}
DECAYING, PLAIN = Preset("decay", {"weight_decay": 0.1}), Preset("default")
AS_BEFORE = "the optimizer before loading"


def without(state_dict, option):
    """Return a state_dict whose groups lack an option."""
    groups = [{k: v for k, v in g.items() if k != option} for g in state_dict["param_groups"]]
    return {**state_dict, "param_groups": groups}


def without_entry(state_dict, key):
    """Return a state_dict in which the state of the first parameter lacks an entry."""
    first = {k: v for k, v in state_dict["state"][0].items() if k != key}
    return {**state_dict, "state": {**state_dict["state"], 0: first}}


@dataclass(frozen=True)
class LaterOption:
    """An option that is younger than its optimizer, so that older checkpoints lack it."""

    case: Case
    option: str
    since: str

    def why_not_applicable(self):
        """Return what the installed torch lacks for this case, or None."""
        known = torch.__version__ in TorchRange(f">={self.since}")
        return None if known else f"{self.option} came with torch {self.since}"


LATER = [
    LaterOption(Case(entry, DECAYING if "weight_decay" in entry.options else PLAIN), option, since)
    for entry in OPTIMIZERS
    for option, since in {**entry.options, **LATER_BESIDES.get(entry.name, {})}.items()
    if since != entry.since
]


@claim("loading.keeps-unknown-entries")
@OF_EACH_WITH_STATE
def test_unknown_entries_options_and_parameters_are_kept_and_saved_again(case):
    state_dict = saved_by(case)
    state_dict["state"][0]["unheard of"] = 3
    state_dict["state"][99] = {"nobody": 4}
    state_dict["param_groups"][0]["unheard of"] = 5
    optimizer = fresh(case).optimizer
    optimizer.load_state_dict({**state_dict, "unheard of": 6})
    check.same(
        seen=optimizer.state_dict(),
        expected=state_dict,
        source="the checkpoint, less its top level",
    )


@claim("loading.unknown-entries-have-no-effect")
@optimizers.each(which="keeps_state")
def test_unknown_entries_and_options_do_not_disturb_the_steps(case):
    state_dict, trainings = saved_by(case), []
    for unknown in ({}, {"unheard of": 3}):
        training = fresh(case)
        changed = deepcopy(state_dict)
        changed["state"][0].update(unknown)
        changed["param_groups"][0].update(unknown)
        training.optimizer.load_state_dict(changed)
        training.run(2)
        trainings.append(training)
    check.same(
        seen=trainings[1].values(),
        expected=trainings[0].values(),
        source="the checkpoint without the unknown",
    )


@claim("loading.missing-state-starts-fresh")
@optimizers.each(which="keeps_state", but="keeps_one_state")
def test_parameters_without_state_start_as_in_a_fresh_optimizer(case):
    whole, partly, new = (fresh(case) for _ in range(3))
    state_dict = saved_by(case)
    whole.optimizer.load_state_dict(deepcopy(state_dict))
    state_dict["state"].pop(1, None)
    partly.optimizer.load_state_dict(state_dict)
    for training in (whole, partly, new):
        training.run(2)
    check.same(
        seen=partly.values(),
        expected=[whole.values()[0], new.values()[1]],
        source="the first from the whole checkpoint, the second from none",
    )


@claim("loading.steps-without-later-options")
@pytest.mark.parametrize(
    "later", LATER, ids=[f"{e.case.optimizer.name.lower()}.{e.option}" for e in LATER]
)
def test_a_checkpoint_from_before_an_option_goes_on_as_if_it_were_off(later):
    whole, older = fresh(later.case), fresh(later.case)
    state_dict = saved_by(later.case)
    whole.optimizer.load_state_dict(deepcopy(state_dict))
    older.optimizer.load_state_dict(without(state_dict, later.option))
    whole.run(2)
    older.run(2)
    check.same(
        seen=older.values(), expected=whole.values(), source="the checkpoint that has the option"
    )


@claim("loading.python-counters-continue")
@optimizers.each(which="counts_steps")
def test_a_checkpoint_that_counts_in_python_goes_on_as_one_that_counts_in_tensors(case, device):
    state_dict = saved_by(case, device)
    counted = {n: in_python(entries) for n, entries in deepcopy(state_dict)["state"].items()}
    trainings = [fresh(case, device) for _ in range(2)]
    trainings[0].optimizer.load_state_dict({**state_dict, "state": counted})
    trainings[1].optimizer.load_state_dict(state_dict)
    for training in trainings:
        training.run(2)
    check.same(
        seen=everything(trainings[0]),
        expected=everything(trainings[1]),
        source="the checkpoint that counts in tensors",
    )


def in_python(entries):
    """Return the state of a parameter with its scalars as numbers of Python, the counter as an int."""
    return {
        key: int(entry) if key == "step" else float(entry) if key in SCALARS else entry
        for key, entry in entries.items()
    }


@claim("loading.missing-rate-fails-at-the-step")
@optimizers.each(but="reads_rate_once")
def test_a_checkpoint_without_the_rate_loads_and_does_not_step(case):
    training = fresh(case)
    training.optimizer.load_state_dict(without(saved_by(case), "lr"))
    with pytest.raises(KeyError, match="lr"):
        training.run(1)


@claim("loading.missing-counter-raises")
@optimizers.each(which="counts_steps")
def test_a_state_without_its_counter_is_an_error_by_the_next_step(case):
    training = fresh(case)
    state_dict = without_entry(saved_by(case), "step")

    def load_and_step():
        training.optimizer.load_state_dict(state_dict)
        training.run(1)

    with pytest.raises(KeyError, match="step"):
        load_and_step()


@claim("loading.missing-counter-fails-half-way")
@optimizers.each(which="counts_in_tensors")
def test_loading_a_state_without_its_counter_fails_half_way(case):
    training = fresh(case)
    state_dict = without_entry(saved_by(case), "step")
    state_dict["param_groups"][0]["lr"] = 0.125
    with pytest.raises(KeyError, match="step"):
        training.optimizer.load_state_dict(state_dict)
    optimizer = training.optimizer
    check.same(
        seen=[optimizer.param_groups[0]["lr"], "step" in optimizer.state[training.parameters[0]]],
        expected=[0.125, False],
        source="the checkpoint that was refused",
    )


WRONG = {
    "another_group": (
        lambda saved: {**saved, "param_groups": saved["param_groups"] * 2},
        ValueError,
        "number of parameter groups",
    ),
    "no_group": (lambda saved: {**saved, "param_groups": []}, ValueError, "parameter groups"),
    "another_parameter": (
        lambda saved: {
            **saved,
            "param_groups": [{**saved["param_groups"][0], "params": [0, 1, 2]}],
        },
        ValueError,
        "size of optimizer's group",
    ),
    "no_groups_at_all": (lambda saved: {"state": saved["state"]}, KeyError, "param_groups"),
    "no_state_at_all": (lambda saved: {"param_groups": saved["param_groups"]}, KeyError, "state"),
    "no_params": (
        lambda saved: without(saved, "params"),
        KeyError,
        "params",
    ),
}


@claim("loading.refuses-what-does-not-fit")
@pytest.mark.parametrize("change, error, words", WRONG.values(), ids=WRONG)
@OF_EACH_KIND
def test_what_does_not_fit_is_refused_by_name(case, change, error, words):
    optimizer = fresh(case).optimizer
    with pytest.raises(error, match=words):
        optimizer.load_state_dict(change(saved_by(case)))


@claim("loading.refused-changes-nothing")
@OF_EACH_KIND
def test_a_refused_checkpoint_leaves_the_optimizer_as_it_was(case):
    training, saved = trained(case, lr=0.125), saved_by(case)
    before = deepcopy(training.optimizer.state_dict())
    for change, error, words in WRONG.values():
        with pytest.raises(error, match=words):
            training.optimizer.load_state_dict(change(saved))
    check.same(seen=training.optimizer.state_dict(), expected=before, source=AS_BEFORE)


@claim("loading.refuses-other-group-sizes")
@optimizers.each(only=optimizers.SAMPLES, but="takes_one_group")
def test_the_same_parameters_in_other_groups_are_refused(case):
    parameters = [*fresh(case).parameters, *fresh(case).parameters[:1]]
    saved = case.build([{"params": parameters[:2]}, {"params": parameters[2:]}]).state_dict()
    optimizer = case.build([{"params": parameters[:1]}, {"params": parameters[1:]}])
    with pytest.raises(ValueError, match="size of optimizer's group"):
        optimizer.load_state_dict(saved)
