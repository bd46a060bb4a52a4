"""Options that are tensors of one element, in every implementation that takes them."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.training import Training

SOURCE = "the oracle in fixtures/oracles"
FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
BESIDE = pytest.mark.parametrize("beside", [False, True], ids=["on_the_cpu", "beside"])
RATE, BETAS = ("lr",), ("lr", "betas")
ADAM = ("Adam", "AdamW")


def out_of_step(case, device, **given):
    return OptimizerRun(case, device, table=gradient_tables.OUT_OF_STEP, **given)


def check_steps(run, **options):
    __tracebackhide__ = True
    check.close(
        seen=run.by_torch(**options),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=run.rounding,
    )


@claim("tensor-lr.takes-the-documented-steps")
@optimizers.each(adding={"foreach": False}, but=("Rprop", *ADAM), every_preset=True)
def test_a_tensor_for_a_rate_gives_the_oracle_s_steps(case, device):
    check_steps(out_of_step(case, device, tensors=RATE))


@claim("tensor-lr.of-adam")
@optimizers.each(adding={"foreach": False}, only=ADAM, every_preset=True)
def test_a_tensor_for_adam_s_rate_gives_the_oracle_s_steps(case, device):
    check_steps(out_of_step(case, device, tensors=RATE))


@claim("tensor-lr.of-adam")
@optimizers.each(only=ADAM)
def test_a_tensor_for_adam_s_rate_gives_the_oracle_s_steps_by_default(case, device):
    check_steps(out_of_step(case, device, tensors=RATE))


@claim("tensor-lr.with-foreach")
@optimizers.each(adding={"foreach": True}, but=ADAM, every_preset=True)
def test_a_tensor_for_a_rate_gives_the_oracle_s_steps_with_foreach(case, device):
    check_steps(out_of_step(case, device, tensors=RATE))


@claim("tensor-lr.of-rprop")
@optimizers.each(adding={"foreach": False}, only=("Rprop",), every_preset=True)
def test_a_tensor_for_rprop_s_rate_gives_the_oracle_s_steps(case, device):
    check_steps(out_of_step(case, device, tensors=RATE))


@claim("tensor-lr.may-be-a-vector-of-one-element")
@optimizers.each(adding={"foreach": False})
def test_a_rate_in_a_vector_gives_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device, tensors=RATE, size=(1,), table=gradient_tables.SMALL))


@claim("tensor-lr.may-be-a-vector-of-one-element")
@optimizers.each(adding={"foreach": True}, but=ADAM)
def test_a_rate_in_a_vector_gives_the_oracle_s_steps_with_foreach(case, device):
    check_steps(OptimizerRun(case, device, tensors=RATE, size=(1,), table=gradient_tables.SMALL))


@claim("tensor-lr.when-fused-on-the-cpu")
@optimizers.each(adding={"fused": True}, every_preset=True)
def test_a_tensor_for_a_rate_gives_the_oracle_s_steps_when_fused(case, device):
    check_steps(OptimizerRun(case, device, tensors=RATE, table=gradient_tables.IN_STEP))


@claim("tensor-lr.when-capturable")
@BESIDE
@FOREACH
@optimizers.each(adding={"capturable": True}, every_preset=True)
def test_a_tensor_for_a_rate_gives_the_oracle_s_steps_when_capturable(
    case, foreach, beside, device
):
    check_steps(
        out_of_step(case, device, tensors=RATE, beside=beside),
        foreach=foreach,
    )


@claim("tensor-lr.stays-the-tensor-that-was-given")
@optimizers.each()
def test_every_group_holds_the_tensor_itself(case, device):
    rate = torch.tensor(case.optimizer.lr)
    optimizer = Training(case, device, lr=rate).optimizer
    assert optimizer.param_groups[0]["lr"] is rate, "the group holds another rate"


@claim("tensor-betas.meet-parameters-of-another-dtype")
@optimizers.each(adding={"foreach": False}, only=ADAM)
@pytest.mark.needs(torch.float64)
def test_betas_in_float64_give_steps_in_float32(case, device):
    check_steps(OptimizerRun(case, device, dtype=torch.float32, tensors=BETAS, size=(1,)))


@claim("tensor-betas.take-the-documented-steps")
@optimizers.each(adding={"foreach": False}, only=ADAM, every_preset=True)
def test_tensors_for_betas_give_the_oracle_s_steps(case, device):
    check_steps(out_of_step(case, device, tensors=BETAS))


@claim("tensor-betas.by-default")
@optimizers.each(only=ADAM)
def test_tensors_for_betas_give_the_oracle_s_steps_by_default(case, device):
    check_steps(out_of_step(case, device, tensors=("betas",)))


@claim("tensor-betas.when-fused-on-the-cpu")
@optimizers.each(adding={"fused": True}, only=ADAM)
def test_tensors_for_betas_give_the_oracle_s_steps_when_fused(case, device):
    check_steps(out_of_step(case, device, tensors=("betas",)))


@claim("tensor-betas.may-be-vectors-of-one-element")
@optimizers.each(adding={"foreach": False}, only=ADAM)
def test_betas_in_vectors_give_the_oracle_s_steps(case, device):
    check_steps(OptimizerRun(case, device, tensors=("betas",), size=(1,)))


@claim("tensor-betas.may-be-vectors-of-one-element")
@optimizers.each(adding={"fused": True}, only=ADAM)
def test_betas_in_vectors_give_the_oracle_s_steps_when_fused(case, device):
    check_steps(OptimizerRun(case, device, tensors=("betas",), size=(1,)))


@claim("tensor-betas.when-capturable")
@BESIDE
@FOREACH
@optimizers.each(adding={"capturable": True}, only=ADAM, every_preset=True)
def test_tensors_for_betas_give_the_oracle_s_steps_when_capturable(case, foreach, beside, device):
    check_steps(
        out_of_step(case, device, tensors=BETAS, beside=beside),
        foreach=foreach,
    )


@claim("tensor-options.when-differentiable")
@optimizers.each(adding={"differentiable": True}, only=ADAM, every_preset=True)
def test_tensors_that_need_no_grad_give_the_oracle_s_steps(case, device):
    tensors = ("lr", "betas", "weight_decay")
    check_steps(out_of_step(case, device, tensors=tensors))


@claim("tensor-options.when-differentiable")
@optimizers.each(adding={"differentiable": True}, only=("SGD",), every_preset=True)
def test_tensors_that_need_no_grad_give_the_oracle_s_steps_of_sgd(case, device):
    check_steps(out_of_step(case, device, tensors=("lr", "weight_decay")))
