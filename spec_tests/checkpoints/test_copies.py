"""Whole optimizers, copied in memory or through a file, with their parameters or without."""

import pickle
from copy import copy, deepcopy
from io import BytesIO

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import OF_EACH_KIND, everything, fresh, trained

HOOKS = (
    "register_step_pre_hook",
    "register_step_post_hook",
    "register_state_dict_pre_hook",
    "register_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_load_state_dict_post_hook",
)

OF_EACH_THAT_STEPS = optimizers.each(only=optimizers.SAMPLES, but="keeps_a_parameter_list")
OF_EACH_OF_GROUPS = optimizers.each(only=optimizers.SAMPLES, but="takes_one_group")

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")


def through_pickle(pair):
    """Pickle and unpickle."""
    return pickle.loads(pickle.dumps(pair))  # noqa: S301 - what it has just pickled


def through_a_file(pair):
    """Save and load as torch does, whatever it finds there."""
    file = BytesIO()
    torch.save(pair, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS = {"deepcopy": deepcopy, "pickle": through_pickle, "file": through_a_file}
# Options that torch 1 did not have, at least not from the beginning; Adafactor and Muon are younger.
LATER_OPTIONS = {
    "capturable",
    "differentiable",
    "foreach",
    "fused",
    "maximize",
    "decoupled_weight_decay",
}
EACH_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def copied(training, way):
    """Return a copy of a training, made from the pair of its optimizer and its parameters."""
    other = copy(training)
    other.optimizer, other.parameters = way((training.optimizer, training.parameters))
    return other


@claim("copies.continue-with-their-parameters")
@optimizers.each()
def test_a_copy_goes_on_as_the_original(case, device):
    training = trained(case, device)
    training.optimizer.param_groups[0]["lr"] /= 2
    copies = {name: copied(training, way) for name, way in WAYS.items()}
    for either in (training, *copies.values()):
        either.run(2)
    check.same(
        seen={name: everything(other) for name, other in copies.items()},
        expected=dict.fromkeys(WAYS, everything(training)),
        source="the original, trained as long",
    )


@claim("copies.refer-to-the-copied-parameters")
@OF_EACH_KIND
def test_the_groups_of_a_copy_hold_the_parameters_copied_with_it(case):
    training = trained(case)
    check.same(
        seen={name: holds(training, copied(training, way)) for name, way in WAYS.items()},
        expected={
            name: [[True, True], [False, False], [True] * len(training.optimizer.state)]
            for name in WAYS
        },
        source="the parameters that were copied together with the optimizer",
    )


def holds(training, other):
    """Whether a copy's groups hold its own parameters, the original's, and what its state is kept for."""
    held = other.optimizer.param_groups[0]["params"]
    return [
        [p is q for p, q in zip(held, other.parameters, strict=True)],
        [p is q for p, q in zip(held, training.parameters, strict=True)],
        [any(p is q for q in held) for p in other.optimizer.state],
    ]


@claim("copies.leave-the-original-alone")
@OF_EACH_THAT_STEPS
def test_steps_of_a_copy_leave_the_original_as_it_was(case, device):
    training = trained(case, device)
    before = everything(training)
    for way in WAYS.values():
        copied(training, way).run(1)
    check.same(seen=everything(training), expected=before, source="the original before the copies")


@claim("copies.made-alone-own-their-parameters")
@OF_EACH_THAT_STEPS
def test_an_optimizer_that_is_copied_without_its_model_never_moves_the_model(case):
    training = trained(case)
    before = training.values()
    training.optimizer = deepcopy(training.optimizer)
    training.run(2)
    check.same(seen=training.values(), expected=before, source="the model before the steps")


@claim("copies.shallow-ones-share-everything")
@OF_EACH_KIND
def test_a_shallow_copy_is_another_handle_on_the_same_groups_and_state(case):
    optimizer = trained(case).optimizer
    other = copy(optimizer)
    seen = [
        getattr(other, n) is getattr(optimizer, n) for n in ("param_groups", "state", "defaults")
    ]
    check.same(seen=seen, expected=[True, True, True], source="the very objects of the original")


@claim("copies.forget-hooks")
@EACH_WAY
@OF_EACH_THAT_STEPS
def test_a_copy_calls_no_hook_of_the_original(case, way):
    training = trained(case)
    for register in HOOKS:
        getattr(training.optimizer, register)(raise_an_alarm)
    other = copied(training, way)
    other.run(1)
    other.optimizer.load_state_dict(other.optimizer.state_dict())
    with pytest.raises(AssertionError, match="the original's hook"):
        training.run(1)


def raise_an_alarm(*_):
    """Fail: a hook that can be copied and pickled, and would be the same function in the copy."""
    raise AssertionError("the original's hook was called")


@claim("copies.accept-hooks")
@EACH_WAY
@OF_EACH_THAT_STEPS
def test_a_copy_takes_hooks_of_every_kind(case, way):
    other, called = copied(trained(case), way), []
    for register in HOOKS:
        getattr(other.optimizer, register)(lambda *_, name=register: called.append(name))
    other.run(1)
    other.optimizer.load_state_dict(other.optimizer.state_dict())
    check.same(seen=called, expected=list(HOOKS), source="step, save, load")


@claim("copies.step-without-later-options")
@optimizers.each(which="was_in_torch_1", but="keeps_a_parameter_list")
def test_a_copy_of_an_optimizer_that_lacks_later_options_goes_on_without_them(case):
    training = trained(case)
    older = copy(training)
    older.optimizer, older.parameters = deepcopy((training.optimizer, training.parameters))
    for options in (older.optimizer.defaults, *older.optimizer.param_groups):
        for option in LATER_OPTIONS & options.keys():
            del options[option]
    copies = {name: copied(older, way) for name, way in WAYS.items()}
    for either in (training, *copies.values()):
        either.run(2)
    check.same(
        seen={name: other.values() for name, other in copies.items()},
        expected=dict.fromkeys(WAYS, training.values()),
        source="the original, which has them all, and off",
    )


@claim("copies.take-more-groups")
@EACH_WAY
@OF_EACH_OF_GROUPS
def test_a_copy_gives_a_new_group_the_options_of_the_constructor(case, way):
    training = fresh(case, lr=0.75)
    defaults = dict(training.optimizer.defaults)
    training.optimizer.param_groups[0]["lr"] = 0.5
    other = copied(training, way).optimizer
    other.add_param_group({"params": fresh(case).parameters})
    added = other.param_groups[1]
    check.same(
        seen={option: added[option] for option in defaults},
        expected=defaults,
        source="the arguments of the constructor",
    )


@claim("copies.are-refused-as-weights")
@OF_EACH_KIND
def test_a_file_with_a_whole_optimizer_is_refused_with_weights_only(case, tmp_path):
    torch.save(fresh(case).optimizer, tmp_path / "optimizer.pt")
    with pytest.raises(pickle.UnpicklingError, match=f"{case.optimizer.name}|defaultdict"):
        torch.load(tmp_path / "optimizer.pt", weights_only=True)
