"""Parameters of no dimension, and of more elements than a kernel takes at a time."""

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

SOURCE = "the oracle in fixtures/oracles"
# The elements are many, so that few steps are enough.
TABLE = gradient_tables.begun(gradient_tables.ORDINARY, 4)
# Each of six elements so often: beyond a vector register and its rest, and beyond 65536 in all,
# the number that a kernel over lists of tensors takes at a time.
REPEATS = pytest.mark.parametrize("repeats", [17, 11003], ids=["102", "66018"])
FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
OF_EACH_ELEMENT = (
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop",
    "SGD",
)  # fmt: skip


def check_steps(run):
    __tracebackhide__ = True
    check.close(seen=run.by_torch(), expected=run.by_oracle(), source=SOURCE, tolerance=TEN_STEPS)


@claim("sizes.large-parameters")
@REPEATS
@FOREACH
@optimizers.each(only=OF_EACH_ELEMENT)
def test_a_large_parameter_takes_the_oracle_s_steps(case, foreach, repeats, device):
    run = OptimizerRun(case, device, table=TABLE, repeats=repeats)
    check.close(
        seen=run.by_torch(foreach=foreach),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=TEN_STEPS,
    )


@claim("sizes.large-parameters-when-fused-on-the-cpu")
@REPEATS
@optimizers.each(only=("Adagrad", "Adam", "AdamW", "SGD"), adding={"fused": True})
def test_a_large_parameter_when_fused_on_the_cpu(case, repeats, device):
    check_steps(OptimizerRun(case, device, table=TABLE, repeats=repeats))


@claim("sizes.large-parameters-when-fused")
@REPEATS
@optimizers.each(only=("Adam", "AdamW", "SGD"), adding={"fused": True})
def test_a_large_parameter_when_fused(case, repeats, device):
    check_steps(OptimizerRun(case, device, table=TABLE, repeats=repeats))


@claim("sizes.scalar-parameters")
@FOREACH
@optimizers.each(but=("LBFGS", "Muon", "SparseAdam"))
def test_a_scalar_takes_the_oracle_s_steps(case, foreach, device):
    run = OptimizerRun(case, device, table=gradient_tables.SMALL)
    check.close(
        seen=run.by_torch(foreach=foreach),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=TEN_STEPS,
    )
