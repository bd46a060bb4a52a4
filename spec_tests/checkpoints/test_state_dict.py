"""How a state_dict is made up, and what it shares with its optimizer."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import SPARSE
from fixtures.claims import claim
from fixtures.runs.saved_training import (
    CPU,
    OF_EACH_KIND,
    OF_EACH_WITH_STATE,
    every_preset,
    everything,
    fresh,
    tensors_in,
    trained,
)
from fixtures.runs.training import start

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

OF_EACH_OF_GROUPS = optimizers.each(only=optimizers.SAMPLES, but="takes_one_group")
# Groups of two parameters and of one.
SIZES = (2, 1)
PLAIN = {dict, list, tuple, torch.Tensor, int, float, bool, str, type(None)}


def in_two_groups(case):
    """Return an optimizer over a group of two parameters and one of one, and the parameters."""
    parameters = [*start(case, CPU), start(case, CPU)[0]]
    groups = [{"params": parameters[: SIZES[0]]}, {"params": parameters[SIZES[0] :], "lr": 0.5}]
    return case.build(groups), parameters


def step_with(case, optimizer, parameters):
    """Give these parameters gradients of ones, twos, and so on, sparse where it has to be; take a step."""
    sparse = case.optimizer.parameters == SPARSE
    for number, parameter in enumerate(parameters, start=1):
        gradient = torch.full_like(parameter.detach(), number)
        parameter.grad = gradient.to_sparse(1) if sparse else gradient
    optimizer.step(*([lambda: 1.0] if case.optimizer.needs_closure else []))


def kinds_in(value):
    """Return the types of everything in nested dicts and lists, the keys of dicts included."""
    if isinstance(value, dict):
        return {type(value)}.union(*map(kinds_in, value.keys()), *map(kinds_in, value.values()))
    if isinstance(value, list | tuple):
        return {type(value)}.union(*map(kinds_in, value))
    return {type(value)}


@claim("state-dict.state-and-groups")
@OF_EACH_KIND
def test_the_two_entries_are_state_and_param_groups(case):
    seen = list(trained(case).optimizer.state_dict())
    check.same(
        seen=seen,
        expected=["state", "param_groups"],
        source="the documentation of Optimizer.state_dict",
    )


@claim("state-dict.plain-containers")
@optimizers.each()
def test_nothing_but_plain_containers_numbers_and_tensors(case):
    saved = {
        name: trained(preset).optimizer.state_dict() for name, preset in every_preset(case).items()
    }
    seen = {
        name: sorted(k.__name__ for k in kinds_in(entry) - PLAIN) for name, entry in saved.items()
    }
    check.same(
        seen=seen, expected={name: [] for name in saved}, source="what weights_only lets pass"
    )


@claim("state-dict.parameters-are-numbered")
@OF_EACH_OF_GROUPS
def test_the_numbers_go_on_from_group_to_group(case):
    optimizer, parameters = in_two_groups(case)
    step_with(case, optimizer, parameters)
    groups = optimizer.state_dict()["param_groups"]
    check.same(
        seen=[group["params"] for group in groups] + [group["lr"] for group in groups],
        expected=[[0, 1], [2], case.optimizer.lr, 0.5],
        source="two parameters in the first group, one in the second",
    )


@claim("state-dict.state-is-keyed-by-number")
@optimizers.each(which="keeps_state", but="keeps_one_state")
def test_each_number_leads_to_the_state_of_its_parameter(case):
    optimizer, parameters = in_two_groups(case)
    step_with(case, optimizer, parameters)
    check.same(
        seen=optimizer.state_dict()["state"],
        expected={number: optimizer.state[p] for number, p in enumerate(parameters)},
        source="optimizer.state, in the order of the groups",
    )


@claim("state-dict.duplicates-share-one-number")
@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate")
@OF_EACH_OF_GROUPS
def test_a_parameter_that_stands_twice_has_one_number_of_its_own(case):
    twice, last = start(case, CPU)
    optimizer = case.build([{"params": [twice, twice]}, {"params": [last]}])
    step_with(case, optimizer, [twice, last])
    saved = optimizer.state_dict()
    (one, other), (behind,) = (group["params"] for group in saved["param_groups"])
    check.same(
        seen=[one == other, one != behind, [saved["state"].get(n) for n in (one, behind)]],
        expected=[True, True, [optimizer.state.get(p) for p in (twice, last)]],
        source="two parameters, one of which stands twice, and the state of each",
    )


@claim("state-dict.only-parameters-that-stepped")
@optimizers.each(which="keeps_state", but=("keeps_one_state", "keeps_state_from_construction"))
def test_a_parameter_that_never_had_a_gradient_has_no_entry(case):
    optimizer, parameters = in_two_groups(case)
    step_with(case, optimizer, [parameters[0], parameters[2]])
    seen = list(optimizer.state_dict()["state"])
    check.same(seen=seen, expected=[0, 2], source="the second of three has no gradient")


@claim("state-dict.holds-no-parameter")
@optimizers.each()
def test_no_tensor_lies_in_the_memory_of_a_parameter(case, device):
    training = trained(case, device)
    memory = {p.untyped_storage().data_ptr() for p in training.parameters}
    saved = tensors_in(training.optimizer.state_dict())
    seen = [t for t in saved if t.untyped_storage().data_ptr() in memory]
    check.same(seen=seen, expected=[], source="parameters are not part of a state_dict")


@claim("state-dict.reading-changes-nothing")
@OF_EACH_KIND
def test_a_training_that_is_saved_goes_on_as_one_that_is_not(case, device):
    saved, unsaved = trained(case, device), trained(case, device)
    saved.optimizer.state_dict()
    saved.run(1)
    unsaved.run(1)
    check.same(
        seen=everything(saved),
        expected=everything(unsaved),
        source="the training that was not saved",
    )


@claim("state-dict.refers-to-the-state")
@OF_EACH_WITH_STATE
def test_the_dicts_of_the_state_are_the_optimizer_s_own(case):
    training = trained(case)
    own = training.optimizer.state
    saved = training.optimizer.state_dict()["state"]
    seen = [saved[number] is own[p] for number, p in enumerate(training.parameters) if p in own]
    check.same(
        seen=seen,
        expected=[True] * len(own),
        source="the documentation of state_dict: it returns references",
    )


@claim("state-dict.changes-with-later-steps")
@pytest.mark.parametrize(
    "kept, changes", [(dict, True), (deepcopy, False)], ids=["as_it_is", "deepcopy"]
)
@optimizers.each(which="keeps_state", but=("keeps_one_state", "waits_to_average"))
def test_a_step_changes_a_state_dict_that_was_not_copied(case, kept, changes, device):
    training = trained(case, device)
    state_dict = kept(training.optimizer.state_dict())
    before = [tensor.clone() for tensor in tensors_in(state_dict["state"])]
    training.run(1)
    after = tensors_in(state_dict["state"])
    seen = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    check.same(
        seen=seen, expected=[changes] * len(before), source="whether each tensor has changed"
    )


@claim("state-dict.groups-are-copies")
@OF_EACH_KIND
def test_the_groups_of_the_state_dict_are_dicts_of_their_own(case):
    optimizer = fresh(case).optimizer
    saved = optimizer.state_dict()["param_groups"][0]
    optimizer.param_groups[0]["lr"] = 0.125
    saved["params"].append(7)
    saved["eps"] = "changed"
    own = optimizer.param_groups[0]
    check.same(
        seen=[saved["lr"], len(own["params"]), own.get("eps") == "changed"],
        expected=[case.optimizer.lr, 2, False],
        source="what each held before the other was changed",
    )


@claim("state-dict.a-tensor-rate-is-shared")
@optimizers.each(only=("Adam", "AdamW"))
def test_a_rate_that_is_a_tensor_is_the_group_s_own(case):
    rate = torch.tensor(0.125)
    optimizer = fresh(case, lr=rate, foreach=False).optimizer
    saved = optimizer.state_dict()["param_groups"][0]["lr"]
    assert saved is rate, f"{saved!r} is another tensor"


@claim("state-dict.a-file-shares-nothing")
@optimizers.each()
def test_what_comes_from_a_file_shares_no_memory(case, device, tmp_path):
    training = trained(case, device)
    torch.save(training.optimizer.state_dict(), tmp_path / "state.pt")
    read = torch.load(tmp_path / "state.pt", weights_only=True)
    before = deepcopy(training.optimizer.state_dict())
    training.run(1)
    check.same(seen=read, expected=before, source="a deepcopy made when it was saved")
