"""How often a step waits for an accelerator, because the host reads what is there."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import host_reads
from fixtures.runs.training import Training

READS_FOR_EACH_PARAMETER = {"ASGD": 1, "Adafactor": 2}


def reads_of_a_step(case, device, **options):
    """Return by which operators the third step reads."""
    training = Training(case, device, **options)
    training.run(2)
    training.closure()
    return host_reads(training.step)


@claim("reads.nothing-if-capturable-or-fused")
@optimizers.each(which="accepts_vectors", but="needs_closure", every_preset=True)
def test_a_step_that_keeps_all_on_the_device_never_waits(case, device):
    check.same(
        seen=reads_of_a_step(case, device),
        expected=[],
        source="a step that is captured cannot wait, and a fused one is a kernel",
    )


@claim("reads.capturable-reads-no-rate")
@optimizers.each(taking=("capturable",), every_preset=True)
def test_a_capturable_step_does_not_wait_for_its_rate(case, device):
    rate = torch.tensor(0.01, device=device)
    check.same(
        seen=reads_of_a_step(case, device, lr=rate),
        expected=[],
        source="a step that is captured cannot wait",
    )


@claim("reads.most-read-nothing")
@optimizers.each(but="waits_for_the_device", every_preset=True)
def test_a_step_with_its_counter_on_the_cpu_never_waits(case, device):
    check.same(
        seen=reads_of_a_step(case, device),
        expected=[],
        source="what the host computes with is on the host",
    )


@claim("reads.asgd-and-adafactor-read")
@optimizers.each(only=("ASGD", "Adafactor"))
def test_two_optimizers_wait_for_each_parameter(case, device):
    check.same(
        seen=len(reads_of_a_step(case, device)),
        expected=2 * READS_FOR_EACH_PARAMETER[case.optimizer.name],
        source="the counter of ASGD, and two norms of Adafactor, of each of two parameters",
    )
