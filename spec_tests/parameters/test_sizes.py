"""Parameters of no dimension, and of more elements than a kernel takes at a time."""

import pytest
import torch

from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

# The elements are many, so that few steps are enough, and fewer still for tens of thousands.
TABLE = gradient_tables.begun(gradient_tables.ORDINARY, 4)
SHORT_TABLE = gradient_tables.begun(gradient_tables.ORDINARY, 2)
# Each of six elements so often: beyond a vector register and its rest, and beyond 65536 in all,
# the number that a kernel over lists of tensors takes at a time.
BEYOND_A_REGISTER, BEYOND_A_CHUNK = 17, 11003


@claim("sizes.large-parameters")
@optimizers.each(which="elementwise")
def test_a_large_parameter_takes_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, table=TABLE, repeats=BEYOND_A_REGISTER).check()


@claim("sizes.large-parameters")
@optimizers.each(which="elementwise", by=("foreach", "fused"))
def test_a_parameter_beyond_a_chunk_of_a_kernel_over_lists_does_so(case, device):
    OptimizerRun(case, device, table=SHORT_TABLE, repeats=BEYOND_A_CHUNK).check()


HALF = pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"]
)

# At the usual rates, a few steps are shorter than what rounding is allowed.
FAST = {"lr": 0.5}


def check_in_half_precision(case, dtype, device):
    __tracebackhide__ = True
    run = OptimizerRun(case, device, dtype=dtype, table=TABLE, repeats=BEYOND_A_REGISTER)
    run.check(tolerance=EVERY_STEP_ROUNDED)


@claim("sizes.large-parameters-in-half-precision")
@HALF
@optimizers.each(which="elementwise", but="divides_by_eps", adding=FAST)
def test_a_large_parameter_in_half_precision_takes_the_oracle_s_steps(case, dtype, device):
    check_in_half_precision(case, dtype, device)


@claim("sizes.large-parameters-in-half-precision")
@HALF
@optimizers.each(which="divides_by_eps", adding={**FAST, "eps": 2.0**-10})
def test_a_large_parameter_does_so_with_an_eps_that_is_held(case, dtype, device):
    check_in_half_precision(case, dtype, device)


@claim("sizes.scalar-parameters")
@optimizers.each(which=("has_oracle", "accepts_vectors"))
def test_a_scalar_takes_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, table=gradient_tables.SMALL).check()
