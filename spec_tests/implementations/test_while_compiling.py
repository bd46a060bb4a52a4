"""The branches of a step that torch keeps for its compiler, taken without one, beside the oracle."""

import pytest
import torch

from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

SOURCE = "the oracle in fixtures/oracles"


@pytest.fixture(autouse=True)
def _as_if_compiling(monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)


def run_of(case, device, **given):
    # Adagrad counts in what was the default dtype when it was built, and computes in that here.
    dtype = torch.float32 if case.optimizer.has("keeps_state_from_construction") else None
    return OptimizerRun(case, device, dtype=dtype, **given)


@claim("while-compiling.follows-the-update-rule")
@optimizers.each(which=("has_oracle", "accepts_vectors"), every_preset=True, by=("loop",))
def test_a_loop_takes_the_oracle_s_steps(case, device):
    run_of(case, device, table=gradient_tables.OUT_OF_STEP).check(tolerance=TEN_STEPS)


@claim("while-compiling.follows-the-update-rule")
@optimizers.each(
    which=("has_oracle", "accepts_vectors"),
    but="gives_numbers_to_kernels",
    every_preset=True,
    by=("foreach",),
)
def test_foreach_takes_the_oracle_s_steps(case, device):
    run_of(case, device, table=gradient_tables.OUT_OF_STEP).check(tolerance=TEN_STEPS)


@claim("while-compiling.tensor-lr-of-sgd")
@optimizers.each(only=("SGD",), every_preset=True)
def test_a_tensor_for_sgd_s_rate_gives_the_oracle_s_steps(case, device):
    run_of(case, device, tensors=("lr",), table=gradient_tables.ORDINARY).check(tolerance=TEN_STEPS)
