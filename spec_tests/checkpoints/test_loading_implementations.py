"""Checkpoints that go from one implementation of an optimizer to another."""

from copy import deepcopy

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh, restore, trained


def goes_on(training, device, **implementation):
    """Return where a training gets to from its checkpoint, by the implementation that is asked for."""
    state_dict = deepcopy(training.optimizer.state_dict())
    for group in state_dict["param_groups"]:
        group.update(implementation)
    resumed = fresh(training.case, device)
    restore(resumed, training.values())
    resumed.optimizer.load_state_dict(state_dict)
    resumed.run(3)
    return resumed.values()


@claim("loading.continues-with-foreach")
@optimizers.each(adding={"foreach": False})
def test_foreach_goes_on_from_a_checkpoint_of_the_for_loop(case, device):
    training = trained(case, device)
    seen = goes_on(training, device, foreach=True)
    training.run(3)
    check.close(
        seen=seen,
        expected=training.values(),
        source="the for-loop, which did not stop",
        tolerance=STEPS,
    )


@claim("loading.continues-with-fused")
@optimizers.each(adding={"fused": False}, but=("Adagrad",))
@pytest.mark.needs("fused")
def test_fused_goes_on_from_a_checkpoint_of_the_for_loop(case, device):
    training = trained(case, device, foreach=False)
    seen = goes_on(training, device, foreach=False, fused=True)
    training.run(3)
    check.close(
        seen=seen,
        expected=training.values(),
        source="the for-loop, which did not stop",
        tolerance=STEPS,
    )


@claim("loading.continues-without-fused")
@optimizers.each(adding={"fused": True}, but=("Adagrad",))
def test_the_for_loop_goes_on_from_a_checkpoint_of_fused(case, device):
    training = trained(case, device)
    seen = goes_on(training, device, foreach=False, fused=False)
    training.run(3)
    check.close(
        seen=seen,
        expected=training.values(),
        source="the fused kernels, which did not stop",
        tolerance=STEPS,
    )
