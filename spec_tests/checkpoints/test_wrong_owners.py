"""Checkpoints that are loaded by an optimizer of another class, and states of something else."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import SPARSE, Case, Preset
from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh

PLAIN = [Case(entry, Preset("default")) for entry in OPTIMIZERS if entry.has("is_torch_s_own")]
# Which checkpoints have all the options and entries that a step reads: that of a class, by which classes.
OF_MOMENTS = ("Adam", "AdamW", "NAdam", "RAdam")
SIMILAR = {
    "Adam": ("AdamW", "NAdam", "RAdam"),
    "AdamW": ("Adam", "NAdam", "RAdam"),
    "RAdam": ("Adam", "AdamW", "NAdam"),
    "SparseAdam": OF_MOMENTS,
}
# From these Adafactor takes one number for its two.
WITH_EPS_AND_STEP = (*OF_MOMENTS, "Adadelta", "Adagrad", "Adamax", "RMSprop", "SparseAdam")


def others(case):
    """Return the cases of the other classes that this torch has."""
    return [c for c in PLAIN if c.optimizer is not case.optimizer and not c.why_not_applicable()]


def over_matrices(case, **options):
    """Return an optimizer over two matrices, which every class accepts, and the matrices."""
    parameters = [torch.full((2, 3), size, requires_grad=True) for size in (0.5, 1.0)]
    return case.build(parameters, **options), parameters


def step(case, optimizer, parameters):
    """Take one step on gradients of ones, with the values of the parameters as they are."""
    for parameter in parameters:
        gradient = torch.ones(2, 3)
        parameter.grad = gradient.to_sparse(1) if case.optimizer.parameters == SPARSE else gradient
    optimizer.step(lambda: 1.0)


def saved_by(case, **options):
    """Return the state_dict after two steps."""
    optimizer, parameters = over_matrices(case, **options)
    for _ in range(2):
        step(case, optimizer, parameters)
    return deepcopy(optimizer.state_dict())


def outcome(case, state_dict):
    """Load and step; return what happens."""
    optimizer, parameters = over_matrices(case)
    before = [parameter.detach().clone() for parameter in parameters]
    try:
        optimizer.load_state_dict(state_dict)
        step(case, optimizer, parameters)
    except (KeyError, TypeError) as error:
        moved = "" if all(map(torch.equal, parameters, before)) else ", and parameters moved"
        saved = {*state_dict["param_groups"][0], *state_dict["state"].get(0, {})}
        read = {*case.optimizer.options, *(entry.key for entry in case.optimizer.states)}
        missing = isinstance(error, KeyError) and error.args[0] in read - saved
        return ("KeyError for what is missing" if missing else repr(error)) + moved
    return "steps"


@claim("loading.another-class-fails-by-the-next-step")
@optimizers.each(which="is_torch_s_own")
def test_a_checkpoint_of_another_class_fails_by_the_next_step(case):
    seen, expected = {}, {}
    for other in others(case):
        name, saved = other.optimizer.name, saved_by(other)
        seen[name] = outcome(case, saved)
        expected[name] = "KeyError for what is missing"
        if name in SIMILAR.get(case.optimizer.name, ()):
            expected[name] = "steps"
        if case.optimizer.name == "Adafactor" and name in WITH_EPS_AND_STEP:
            expected[name] = "TypeError('cannot unpack non-iterable float object')"
    check.same(seen=seen, expected=expected, source="the options and entries that a step reads")


@claim("loading.similar-class-steps")
@optimizers.each(only=tuple(SIMILAR))
def test_a_checkpoint_of_a_similar_class_is_stepped_by_the_rule_of_the_own_one(case):
    seen, expected = {}, {}
    for other in [other for other in others(case) if other.optimizer.name in OF_MOMENTS]:
        saved = saved_by(other, weight_decay=0.0)
        by_loading, by_hand = over_matrices(case), over_matrices(case)
        by_loading[0].load_state_dict(deepcopy(saved))
        (group,) = by_hand[0].param_groups
        options = saved["param_groups"][0]
        group.update({k: v for k, v in options.items() if k in group and k != "params"})
        for number, parameter in enumerate(by_hand[1]):
            by_hand[0].state[parameter] = saved["state"][number]
        for optimizer, parameters in (by_loading, by_hand):
            step(case, optimizer, parameters)
        seen[other.optimizer.name] = [p.detach() for p in by_loading[1]]
        expected[other.optimizer.name] = [p.detach() for p in by_hand[1]]
    check.same(seen=seen, expected=expected, source="the options and entries, put there by hand")


@claim("loading.adamw-stays-decoupled")
@optimizers.each(only=("AdamW",))
def test_adamw_decouples_the_decay_after_it_loaded_a_checkpoint_of_adam(case):
    (adam,) = (other for other in others(case) if other.optimizer.name == "Adam")
    saved = saved_by(adam, weight_decay=0.5)
    by_loading, by_hand = over_matrices(case), over_matrices(case, weight_decay=0.5)
    by_loading[0].load_state_dict(deepcopy(saved))
    for number, parameter in enumerate(by_hand[1]):
        by_hand[0].state[parameter] = saved["state"][number]
    for optimizer, parameters in (by_loading, by_hand):
        step(case, optimizer, parameters)
    check.same(
        seen=[p.detach() for p in by_loading[1]],
        expected=[p.detach() for p in by_hand[1]],
        source="AdamW with this decay and these moments",
    )


@claim("loading.refuses-other-objects")
@pytest.mark.parametrize("other", ["scheduler", "averaged_model", "module", "scaler"])
@optimizers.each(only=optimizers.SAMPLES)
def test_the_state_of_something_else_is_refused(case, other):
    optimizer = fresh(case).optimizer
    layer = torch.nn.Linear(2, 1)
    states = {
        "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 2).state_dict(),
        "averaged_model": torch.optim.swa_utils.AveragedModel(layer).state_dict(),
        "module": layer.state_dict(),
        "scaler": {"scale": 2.0, "growth_factor": 2.0},
    }
    before = deepcopy(optimizer.state_dict())
    with pytest.raises(KeyError, match="param_groups"):
        optimizer.load_state_dict(states[other])
    check.same(seen=optimizer.state_dict(), expected=before, source="the optimizer before")
