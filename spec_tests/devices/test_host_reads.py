"""How often a step waits for an accelerator, because the host reads what is there."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import host_reads
from fixtures.runs.training import Training

READ_NOTHING = (
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD",
)  # fmt: skip
READS_FOR_EACH_PARAMETER = {"ASGD": 1, "Adafactor": 2}
EITHER_WAY = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])


def reads_of_a_step(case, device, **options):
    """Return by which operators the third step reads."""
    training = Training(case, device, **options)
    training.run(2)
    training.closure()
    return host_reads(training.step)


@claim("reads.capturable-reads-nothing")
@EITHER_WAY
@optimizers.each(every_preset=True, adding={"capturable": True})
def test_a_capturable_step_never_waits(case, foreach, device):
    check.same(
        seen=reads_of_a_step(case, device, foreach=foreach),
        expected=[],
        source="a step that is captured cannot wait",
    )


@claim("reads.capturable-reads-no-rate")
@EITHER_WAY
@optimizers.each(every_preset=True, adding={"capturable": True})
def test_a_capturable_step_does_not_wait_for_its_rate(case, foreach, device):
    rate = torch.tensor(0.01, device=device)
    check.same(
        seen=reads_of_a_step(case, device, foreach=foreach, lr=rate),
        expected=[],
        source="a step that is captured cannot wait",
    )


@claim("reads.fused-reads-nothing")
@optimizers.each(every_preset=True, only=("Adam", "AdamW", "SGD"), adding={"fused": True})
def test_a_fused_step_never_waits(case, device):
    check.same(seen=reads_of_a_step(case, device), expected=[], source="one kernel for all")


@claim("reads.most-read-nothing")
@optimizers.each(every_preset=True, only=READ_NOTHING)
def test_a_step_with_its_counter_on_the_cpu_never_waits(case, device):
    check.same(
        seen=reads_of_a_step(case, device),
        expected=[],
        source="what the host computes with is on the host",
    )


@claim("reads.asgd-and-adafactor-read")
@optimizers.each(only=tuple(READS_FOR_EACH_PARAMETER))
def test_two_optimizers_wait_for_each_parameter(case, device):
    check.same(
        seen=len(reads_of_a_step(case, device)),
        expected=2 * READS_FOR_EACH_PARAMETER[case.optimizer.name],
        source="the counter of ASGD, and two norms of Adafactor, of each of two parameters",
    )
