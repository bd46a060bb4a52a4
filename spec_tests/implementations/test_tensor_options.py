"""Options that are tensors of one element, in every implementation that takes them."""

import pytest
import torch

from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.training import Training

BESIDE = pytest.mark.parametrize("beside", [False, True], ids=["on_the_cpu", "beside"])
RATE, BETAS = ("lr",), ("lr", "betas")


def out_of_step(case, device, **given):
    return OptimizerRun(case, device, table=gradient_tables.OUT_OF_STEP, **given)


@claim("tensor-lr.takes-the-documented-steps")
@optimizers.each(
    which="elementwise", but="takes_tensor_betas", every_preset=True, not_by=("fused", "capturable")
)
def test_a_tensor_for_a_rate_gives_the_oracle_s_steps(case, device):
    out_of_step(case, device, tensors=RATE).check()


@claim("tensor-lr.takes-the-documented-steps")
@optimizers.each(only=("Adafactor",), every_preset=True, not_by=("fused", "capturable"))
def test_a_tensor_for_a_rate_of_adafactor_gives_the_oracle_s_steps(case, device):
    out_of_step(case, device, tensors=RATE).check()


@claim("tensor-lr.takes-the-documented-steps")
@optimizers.each(which="elementwise", every_preset=True, by=("fused",))
def test_a_tensor_for_a_rate_gives_the_oracle_s_fused_steps(case, device):
    OptimizerRun(case, device, tensors=RATE, table=gradient_tables.IN_STEP).check()


@claim("tensor-lr.takes-the-documented-steps")
@BESIDE
@optimizers.each(which="elementwise", every_option=True, by=("capturable",))
def test_a_tensor_for_a_rate_gives_the_oracle_s_capturable_steps(case, beside, device):
    out_of_step(case, device, tensors=RATE, beside=beside).check()


@claim("tensor-lr.of-adam")
@optimizers.each(which="takes_tensor_betas", every_preset=True)
def test_a_tensor_for_adam_s_rate_gives_the_oracle_s_steps(case, device):
    out_of_step(case, device, tensors=RATE).check()


@claim("tensor-lr.of-adam-by-default")
@optimizers.each(which="takes_tensor_betas")
def test_a_tensor_for_adam_s_rate_gives_the_oracle_s_steps_by_default(case, device):
    out_of_step(case, device, tensors=RATE).check()


@claim("tensor-lr.may-be-a-vector")
@optimizers.each(which="has_oracle", but="takes_tensor_betas", taking=("foreach",))
def test_a_rate_in_a_vector_gives_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, tensors=RATE, size=(1,), table=gradient_tables.SMALL).check()


@claim("tensor-lr.may-be-a-vector")
@optimizers.each(which="takes_tensor_betas", by=("loop",))
def test_a_rate_of_adam_in_a_vector_gives_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, tensors=RATE, size=(1,), table=gradient_tables.SMALL).check()


@claim("tensor-lr.is-kept-as-given")
@optimizers.each()
def test_every_group_holds_the_tensor_itself(case, device):
    rate = torch.tensor(case.optimizer.lr)
    optimizer = Training(case, device, lr=rate).optimizer
    assert optimizer.param_groups[0]["lr"] is rate, "the group holds another rate"


@claim("tensor-betas.may-have-another-dtype")
@optimizers.each(which="takes_tensor_betas", adding={"foreach": False})
@pytest.mark.needs(torch.float64)
def test_betas_in_float64_give_steps_in_float32(case, device):
    OptimizerRun(case, device, dtype=torch.float32, tensors=BETAS, size=(1,)).check()


@claim("tensor-betas.take-the-documented-steps")
@optimizers.each(which="takes_tensor_betas", every_preset=True, by=("loop",))
def test_tensors_for_betas_give_the_oracle_s_steps(case, device):
    out_of_step(case, device, tensors=BETAS).check()


@claim("tensor-betas.take-the-documented-steps")
@optimizers.each(which="takes_tensor_betas", by=("fused",))
def test_tensors_for_betas_give_the_oracle_s_fused_steps(case, device):
    out_of_step(case, device, tensors=("betas",)).check()


@claim("tensor-betas.take-the-documented-steps")
@BESIDE
@optimizers.each(which="takes_tensor_betas", every_preset=True, by=("capturable",))
def test_tensors_for_betas_give_the_oracle_s_capturable_steps(case, beside, device):
    out_of_step(case, device, tensors=BETAS, beside=beside).check()


@claim("tensor-betas.by-default")
@optimizers.each(which="takes_tensor_betas")
def test_tensors_for_betas_give_the_oracle_s_steps_by_default(case, device):
    out_of_step(case, device, tensors=("betas",)).check()


@claim("tensor-betas.may-be-vectors")
@optimizers.each(which="takes_tensor_betas")
def test_betas_in_vectors_give_the_oracle_s_steps(case, device):
    OptimizerRun(case, device, tensors=("betas",), size=(1,)).check()


@claim("tensor-options.when-differentiable")
@optimizers.each(which="takes_tensor_betas", adding={"differentiable": True}, every_preset=True)
def test_tensors_that_need_no_grad_give_the_oracle_s_steps(case, device):
    tensors = ("lr", "betas", "weight_decay")
    out_of_step(case, device, tensors=tensors).check()


@claim("tensor-options.when-differentiable")
@optimizers.each(only=("SGD",), adding={"differentiable": True}, every_preset=True)
def test_tensors_that_need_no_grad_give_the_oracle_s_steps_of_sgd(case, device):
    out_of_step(case, device, tensors=("lr", "weight_decay")).check()
