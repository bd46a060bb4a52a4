"""Parameters of no dimension, and of more elements than a kernel takes at a time."""

import pytest

from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

# The elements are many, so that few steps are enough.
TABLE = gradient_tables.begun(gradient_tables.ORDINARY, 4)
# Each of six elements so often: beyond a vector register and its rest, and beyond 65536 in all,
# the number that a kernel over lists of tensors takes at a time.
REPEATS = pytest.mark.parametrize("repeats", [17, 11003], ids=["102", "66018"])


@claim("sizes.large-parameters")
@REPEATS
@optimizers.each(which="elementwise")
def test_a_large_parameter_takes_the_oracle_s_steps(case, repeats, device):
    OptimizerRun(case, device, table=TABLE, repeats=repeats).check()


@claim("sizes.scalar-parameters")
@optimizers.each(which=("has_oracle", "accepts_vectors"))
def test_a_scalar_takes_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, table=gradient_tables.SMALL).check()
