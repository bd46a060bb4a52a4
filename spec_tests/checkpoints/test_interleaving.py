"""Saving and copying at any time, in any order, between anything else that an optimizer does."""

import pytest

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs import save_and_resume_machine
from fixtures.runs.save_and_resume_machine import Interleaving

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")


@claim("checkpoints.resume-at-any-time")
@optimizers.each()
def test_a_training_that_is_saved_at_any_time_goes_on_as_if_it_were_not(case, device):
    save_and_resume_machine.run(Interleaving, examples=10, length=6, case=case, device=device)
