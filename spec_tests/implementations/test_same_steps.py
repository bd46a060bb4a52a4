"""Every implementation of every optimizer, beside the oracle."""

from fixtures.assertions import check
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.optimizer_record import DENSE, SPARSE
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun


@claim("implementations.follow-the-update-rule")
@optimizers.each(which="has_oracle", every_preset=True)
def test_every_implementation_takes_the_oracle_s_steps(case, device):
    OptimizerRun(case, device).check()


@claim("fused.sgd-started-together")
@optimizers.each(only=("SGD",), every_preset=True)
def test_fused_sgd_takes_the_oracle_s_steps_where_all_parameters_start_together(case, device):
    OptimizerRun(case, device, table=gradient_tables.IN_STEP).check()


@claim("implementations.take-sparse-gradients")
@optimizers.each(
    which=("takes_sparse_gradients", "accepts_vectors"), every_preset=True, without="weight_decay"
)
def test_sparse_gradients_give_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, table=gradient_tables.SPARSE).check()


@claim("maximize.climbs")
@optimizers.each(which="has_oracle", having="maximize")
def test_maximizing_is_minimizing_over_negated_gradients(case, device):
    tables = {DENSE: gradient_tables.DENSE, SPARSE: gradient_tables.SPARSE}
    table = gradient_tables.negated(tables[case.optimizer.parameters])
    check.same(
        seen=OptimizerRun(case, device).by_torch(),
        expected=OptimizerRun(case, device, table=table).by_torch(maximize=False),
        source="the steps over the negated gradients",
    )
