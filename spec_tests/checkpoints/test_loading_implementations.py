"""Checkpoints that go from one implementation of an optimizer to another."""

from copy import deepcopy

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.implementations import IMPLEMENTATIONS
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh, restore, trained

LOOP = IMPLEMENTATIONS["loop"]


def goes_on(training, device, options):
    """Return where a training gets to from its checkpoint, with these options in its groups."""
    state_dict = deepcopy(training.optimizer.state_dict())
    for group in state_dict["param_groups"]:
        group.update(options)
    resumed = fresh(training.case, device)
    restore(resumed, training.values())
    resumed.optimizer.load_state_dict(state_dict)
    resumed.run(3)
    return resumed.values()


@claim("loading.continues-from-the-loop")
@optimizers.each(taking=("foreach",))
def test_any_implementation_goes_on_from_a_checkpoint_of_the_loop(case, device):
    training = trained(case.by(LOOP), device)
    seen = goes_on(training, device, case.options)
    training.run(3)
    check.close(
        seen=seen,
        expected=training.values(),
        source="the loop, which did not stop",
        tolerance=STEPS,
    )


@claim("loading.continues-in-the-loop")
@optimizers.each(taking=("foreach",))
def test_the_loop_goes_on_from_a_checkpoint_of_any_implementation(case, device):
    training = trained(case, device)
    declined = dict.fromkeys(("foreach", *case.implementation.options), False)
    seen = goes_on(training, device, declined)
    training.run(3)
    check.close(
        seen=seen,
        expected=training.values(),
        source="the implementation, which did not stop",
        tolerance=STEPS,
    )
