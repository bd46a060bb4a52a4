"""Adagrad: the sum of squares, its start, sparse gradients."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("adagrad.update-rule")
@optimizers.each(only=("Adagrad",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("adagrad.sparse-gradients")
@optimizers.each(only=("Adagrad",), every_preset=True)
def test_a_sparse_gradient_moves_what_it_holds(case, device):
    run = OptimizerRun(case, device, table=gradient_tables.SPARSE)
    check.close(
        seen=run.by_torch(weight_decay=0),
        expected=run.by_oracle(weight_decay=0),
        source="fixtures/oracles/adagrad.py, over the dense gradients",
        tolerance=STEPS,
    )


@claim("adagrad.decay-refuses-sparse-gradients")
@pytest.mark.needs("sparse")
def test_decay_of_a_sparse_gradient_is_an_error(device):
    walk = SingleParameter("Adagrad", device, start=[[1.0], [2.0]], options={"weight_decay": 0.1})
    with pytest.raises(RuntimeError, match=r"weight_decay.*sparse"):
        walk.over([walk.tensor([[1.0], [0.0]]).to_sparse()])


@claim("adagrad.empty-gradient-moves-nothing")
def test_a_sparse_gradient_that_holds_nothing_moves_nothing(device):
    walk = SingleParameter("Adagrad", device, start=[[1.0, 1.5], [2.0, 0.5]], options={"lr": 0.5})
    walk.over([torch.sparse_coo_tensor((2, 2), dtype=walk.parameter.dtype, device=device)])
    check.same(
        seen=walk.values,
        expected=[walk.tensor([[1.0, 1.5], [2.0, 0.5]])],
        source="the parameter before the step",
    )
