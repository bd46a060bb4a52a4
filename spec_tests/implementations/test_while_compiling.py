"""The branches of a step that torch keeps for its compiler, taken without one, beside the oracle."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

SOURCE = "the oracle in fixtures/oracles"
# Under a compiler the numbers of Adamax' lists are traced; the kernel that takes them wants numbers.
NUMBERS_FOR_THE_KERNEL = ("Adamax",)


@pytest.fixture(autouse=True)
def _as_if_compiling(monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)


def check_steps(case, device, tensors=(), table=gradient_tables.OUT_OF_STEP, **options):
    __tracebackhide__ = True
    # Adagrad counts in what was the default dtype when it was built, and computes in that here.
    dtype = torch.float32 if case.optimizer.name == "Adagrad" else None
    run = OptimizerRun(case, device, dtype=dtype, tensors=tensors, table=table)
    check.close(
        seen=run.by_torch(**options), expected=run.by_oracle(), source=SOURCE, tolerance=TEN_STEPS
    )


@claim("while-compiling.a-loop-takes-the-documented-steps")
@optimizers.each(adding={"foreach": False}, every_preset=True)
def test_a_loop_takes_the_oracle_s_steps(case, device):
    check_steps(case, device)


@claim("while-compiling.foreach-takes-the-documented-steps")
@optimizers.each(but=NUMBERS_FOR_THE_KERNEL, adding={"foreach": True}, every_preset=True)
def test_foreach_takes_the_oracle_s_steps(case, device):
    check_steps(case, device)


@claim("while-compiling.a-tensor-is-a-rate")
@pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
@optimizers.each(only=("SGD",), every_preset=True)
def test_a_tensor_for_sgd_s_rate_gives_the_oracle_s_steps(case, foreach, device):
    check_steps(case, device, tensors=("lr",), table=gradient_tables.ORDINARY, foreach=foreach)
