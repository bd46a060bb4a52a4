"""Every implementation of every optimizer, beside the oracle."""

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.optimizer_record import DENSE, SPARSE
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

SOURCE = "the oracle in fixtures/oracles"
FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])


def check_steps(run, tolerance=TEN_STEPS):
    __tracebackhide__ = True
    check.close(seen=run.by_torch(), expected=run.by_oracle(), source=SOURCE, tolerance=tolerance)


@claim("for-loop.takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"foreach": False})
def test_a_loop_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device))


@claim("foreach.takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"foreach": True})
def test_foreach_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device))


@claim("foreach.takes-sparse-gradients")
@FOREACH
@optimizers.each(only=("SGD", "Adagrad"), every_preset=True, without="weight_decay")
def test_foreach_takes_sparse_gradients(case, foreach, device):
    run = OptimizerRun(case, device, table=gradient_tables.SPARSE)
    check.close(
        seen=run.by_torch(foreach=foreach),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=TEN_STEPS,
    )


@claim("fused.takes-the-documented-steps-on-the-cpu")
@optimizers.each(every_preset=True, adding={"fused": True}, but=("SGD",))
def test_fused_on_the_cpu_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device))


@claim("fused.takes-the-documented-steps-on-the-cpu")
@optimizers.each(every_preset=True, adding={"fused": True}, only=("SGD",))
def test_fused_sgd_on_the_cpu_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device, table=gradient_tables.IN_STEP))


@claim("fused.takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"fused": True}, but=("Adagrad", "SGD"))
def test_fused_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device))


@claim("fused.takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"fused": True}, only=("SGD",))
def test_fused_sgd_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device, table=gradient_tables.IN_STEP))


@claim("fused.adagrad-takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"fused": True}, only=("Adagrad",))
def test_fused_adagrad_takes_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device))


@claim("capturable.takes-the-documented-steps")
@FOREACH
@optimizers.each(every_preset=True, adding={"capturable": True})
def test_capturable_takes_the_oracle_s_steps(case, foreach, device):
    run = OptimizerRun(case, device)
    check.close(
        seen=run.by_torch(foreach=foreach),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=run.rounding,
    )


@claim("capturable.takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"capturable": True, "differentiable": True})
def test_capturable_and_differentiable_takes_the_oracle_s_steps(case, device):
    run = OptimizerRun(case, device)
    check_steps(run, run.rounding)


@claim("differentiable.takes-the-documented-steps")
@optimizers.each(every_preset=True, adding={"differentiable": True})
def test_differentiable_takes_the_oracle_s_steps(case, device):
    run = OptimizerRun(case, device)
    check_steps(run, run.rounding)


@claim("maximize.climbs")
@optimizers.each(having="maximize", but=("LBFGS",))
def test_maximizing_is_minimizing_over_negated_gradients(case, device):
    tables = {DENSE: gradient_tables.DENSE, SPARSE: gradient_tables.SPARSE}
    table = gradient_tables.negated(tables[case.optimizer.parameters])
    check.same(
        seen=OptimizerRun(case, device).by_torch(),
        expected=OptimizerRun(case, device, table=table).by_torch(maximize=False),
        source="the steps over the negated gradients",
    )
