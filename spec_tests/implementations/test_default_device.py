"""What a step has to do with the default device: nothing."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# A device without values: what a step makes there by mistake cannot be used.
ELSEWHERE = torch.device("meta")


def everything(training):
    """Return the parameters and what is kept for them."""
    return [training.values(), list(training.optimizer.state.values())]


@claim("invariants.ignore-the-default-device")
@optimizers.each(taking=("foreach",))
def test_a_step_makes_nothing_on_the_default_device(case, device):
    here, elsewhere = Training(case, device), Training(case, device)
    for training in (here, elsewhere):
        training.run(1)
        training.closure()
    here.step()
    with ELSEWHERE:
        elsewhere.step()
    check.same(
        seen=everything(elsewhere),
        expected=everything(here),
        source="the step without a default device",
    )
