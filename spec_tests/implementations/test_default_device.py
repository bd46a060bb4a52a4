"""What a step has to do with the default device: nothing."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# A device without values: what a step makes there by mistake cannot be used.
ELSEWHERE = torch.device("meta")
IN_A_LOOP_OR_BY_LISTS = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])


def check_elsewhere(case, device, **options):
    """Compare steps under another default device with the same steps under none."""
    __tracebackhide__ = True
    here, elsewhere = Training(case, device, **options), Training(case, device, **options)
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


def everything(training):
    """Return the parameters and what is kept for them."""
    return [training.values(), list(training.optimizer.state.values())]


@claim("invariants.default-device-has-no-part")
@IN_A_LOOP_OR_BY_LISTS
@optimizers.each(adding={"foreach": None})
def test_a_step_makes_nothing_on_the_default_device(case, foreach, device):
    check_elsewhere(case, device, foreach=foreach)


@claim("invariants.default-device-has-no-part-when-fused")
@optimizers.each(adding={"fused": True})
def test_a_fused_step_makes_nothing_on_the_default_device(case, device):
    check_elsewhere(case, device)


@claim("invariants.default-device-has-no-part-when-capturable")
@IN_A_LOOP_OR_BY_LISTS
@optimizers.each(adding={"capturable": True})
def test_a_capturable_step_makes_nothing_on_the_default_device(case, foreach, device):
    check_elsewhere(case, device, foreach=foreach)
