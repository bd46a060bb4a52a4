"""Saving and copying at any time, in any order, between anything else that an optimizer does."""

import pytest

from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs import save_and_resume_machine
from fixtures.runs.changes_by_hand import ChangedByHand
from fixtures.runs.save_and_resume_machine import Interleaving

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
# One of each kind of state: late, from construction, from the first step, of sparse gradients.
KINDS = [
    Case(optimizers.by_name("SGD"), Preset("momentum", {"momentum": 0.9})),
    *(
        Case(optimizers.by_name(name), Preset("default"))
        for name in ("Adagrad", "Adam", "SparseAdam")
    ),
]


@claim("checkpoints.resume-at-any-time")
@optimizers.each()
def test_a_training_that_is_saved_at_any_time_goes_on_as_if_it_were_not(case, device):
    save_and_resume_machine.run(Interleaving, examples=10, length=6, case=case, device=device)


@claim("checkpoints.changed-by-hand")
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # the rules are drawn
@pytest.mark.filterwarnings("ignore:Seems like `optimizer.step")  # a copy is warned of wrongly
@optimizers.each_of(KINDS)
def test_a_parameter_goes_by_its_own_state_whatever_is_done_to_the_groups(case, device):
    save_and_resume_machine.run(ChangedByHand, examples=5, length=10, case=case, device=device)
