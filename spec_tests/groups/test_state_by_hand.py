"""State entries that are added, removed and replaced by hand, in Optimizer.state."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import every_preset, everything, fresh, trained


@claim("state-by-hand.removed-begins-anew")
@optimizers.each(which="keeps_state", but="keeps_one_state")
def test_a_parameter_whose_state_was_removed_is_stepped_as_a_new_one(case, device):
    training, new = trained(case, device), trained(case, device)
    del training.optimizer.state[training.parameters[0]]
    new.optimizer = case.build(new.parameters)
    training.run(2)
    new.run(2)
    check.same(
        seen=training.values()[0], expected=new.values()[0], source="a new optimizer from there"
    )


@claim("state-by-hand.cleared-begins-anew")
@optimizers.each()
def test_an_optimizer_whose_state_was_cleared_goes_on_as_a_new_one(case, device):
    training, new = trained(case, device), trained(case, device)
    training.optimizer.state.clear()
    options = training.optimizer.defaults.keys() & case.optimizer.options.keys()
    new.optimizer = case.build(new.parameters, **{k: new.optimizer.defaults[k] for k in options})
    training.run(2)
    new.run(2)
    check.same(
        seen=everything(training), expected=everything(new), source="a new optimizer from there"
    )


def keeps(case, entry):
    """Whether a preset has its optimizer keep an entry."""
    return bool(case.preset.options.get(entry.option)) or not entry.option


def missing(case, key):
    """Return what becomes of a step after an entry was removed: the error and what moved, or ``steps``."""
    training = trained(case)
    del training.optimizer.state[training.parameters[0]][key]
    before = training.values()
    try:
        training.run(1)
    except KeyError as error:
        unchanged = all(map(torch.equal, training.values(), before))
        return f"{type(error).__name__}: {error}, {'unchanged' if unchanged else 'moved'}"
    return "steps"


@claim("state-by-hand.removed-entry-raises")
@optimizers.each(which="elementwise", but="begins_late_state")
def test_a_step_misses_by_name_an_entry_that_was_removed(case):
    seen, expected = {}, {}
    for entry in case.optimizer.states:
        preset = next(p for p in every_preset(case).values() if keeps(p, entry))
        seen[entry.key] = missing(preset, entry.key)
        expected[entry.key] = f"KeyError: '{entry.key}', unchanged"
    check.same(seen=seen, expected=expected, source="the entries that a step reads")


OF_COUNTS = optimizers.each(which="counts_steps", but="counts_in_python")


def trained_with_integer_counts(case, device):
    """Return a training of two steps, the counts of which were replaced by integer tensors."""
    training = trained(case, device)
    for state in training.optimizer.state.values():
        count = state["step"]
        where = count.device if isinstance(count, torch.Tensor) else None
        state["step"] = torch.tensor(int(count), device=where)
    return training


@claim("state-by-hand.integer-count-continues")
@OF_COUNTS
def test_a_loop_counts_on_from_an_integer(case, device):
    replaced, plain = trained_with_integer_counts(case, device), trained(case, device)
    replaced.run(2)
    plain.run(2)
    check.same(seen=replaced.values(), expected=plain.values(), source="the counts of torch")


@claim("state-by-hand.integer-count-refused")
@OF_COUNTS
def test_other_steps_refuse_a_count_that_is_an_integer(case, device):
    training = trained_with_integer_counts(case, device)
    before = training.values()
    with pytest.raises(RuntimeError, match=r"same index must be .* the same dtype"):
        training.run(1)
    check.same(seen=training.values(), expected=before, source="the parameters before")


@claim("state-by-hand.note-before-the-first-step")
@optimizers.each()
def test_a_note_beside_a_parameter_does_not_disturb_its_first_step(case, device):
    noted, plain = fresh(case, device), fresh(case, device)
    for parameter in noted.parameters:
        noted.optimizer.state[parameter]["note"] = 3
    noted.run(2)
    plain.run(2)
    check.same(seen=noted.values(), expected=plain.values(), source="the same without a note")


@claim("state-by-hand.note-after-a-step")
@optimizers.each(which="keeps_state")
def test_a_note_beside_the_state_is_saved_and_does_not_disturb_the_steps(case, device):
    noted, plain = trained(case, device), trained(case, device)
    noted.optimizer.state[noted.parameters[0]]["note"] = 3
    noted.run(2)
    plain.run(2)
    expected = everything(plain)
    expected[1]["state"][0]["note"] = 3
    check.same(seen=everything(noted), expected=expected, source="the same, and the note")


@claim("state-by-hand.number-is-no-parameter")
@optimizers.each(which="keeps_state")
def test_what_is_stored_under_a_number_leaves_the_state_of_the_parameter_there(case):
    training = trained(case)
    state = deepcopy(training.optimizer.state_dict()["state"][0])
    training.optimizer.state[0]["note"] = 1
    seen = training.optimizer.state_dict()["state"][0]
    check.same(
        seen={key: seen.get(key) for key in state},
        expected=state,
        source="the state of the first parameter before",
    )


@claim("state-by-hand.other-keys-come-back")
@pytest.mark.parametrize("key", ["text", 99, ("a", 1)], ids=["text", "number", "tuple"])
@optimizers.each(only=optimizers.SAMPLES)
def test_what_is_stored_under_no_parameter_is_saved_and_loaded(case, key):
    training, other = trained(case), fresh(case)
    training.optimizer.state[key] = {"note": 1}
    other.optimizer.load_state_dict(training.optimizer.state_dict())
    check.same(
        seen=[dict(o.state[key]) for o in (training.optimizer, other.optimizer)],
        expected=[{"note": 1}, {"note": 1}],
        source="what was stored",
    )
