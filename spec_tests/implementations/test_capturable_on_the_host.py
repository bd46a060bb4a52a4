"""Capturable steps with the CPU in the place of an accelerator, beside the oracle."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers, states
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.training import Training

SOURCE = "the oracle in fixtures/oracles"
FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
DEFAULTS = {torch.bfloat16: "float32", torch.float64: "float64"}
CAPTURABLE = {"capturable": True}
HOST = torch.device("cpu")
SCALARS = ("step", "eta", "mu", "mu_product")

pytestmark = pytest.mark.usefixtures("the_cpu_as_accelerator")


def check_steps(run, **options):
    __tracebackhide__ = True
    check.close(
        seen=run.by_torch(**options), expected=run.by_oracle(), source=SOURCE, tolerance=TEN_STEPS
    )


@claim("capturable-on-the-host.takes-the-documented-steps")
@FOREACH
@optimizers.each(adding=CAPTURABLE, every_preset=True)
def test_capturable_steps_are_the_oracle_s(case, foreach):
    check_steps(OptimizerRun(case, HOST), foreach=foreach)


@claim("capturable-on-the-host.takes-the-documented-steps")
@optimizers.each(adding={**CAPTURABLE, "differentiable": True}, every_preset=True)
def test_capturable_and_differentiable_steps_are_the_oracle_s(case):
    check_steps(OptimizerRun(case, HOST))


@claim("capturable-on-the-host.takes-a-tensor-as-rate")
@FOREACH
@optimizers.each(adding=CAPTURABLE, every_preset=True)
def test_a_tensor_for_a_rate_gives_the_oracle_s_steps(case, foreach):
    check_steps(
        OptimizerRun(case, HOST, tensors=("lr",), table=gradient_tables.OUT_OF_STEP),
        foreach=foreach,
    )


@claim("capturable-on-the-host.takes-tensors-as-betas")
@FOREACH
@optimizers.each(only=("Adam", "AdamW"), adding=CAPTURABLE, every_preset=True)
def test_tensors_for_betas_give_the_oracle_s_steps(case, foreach):
    check_steps(
        OptimizerRun(case, HOST, tensors=("lr", "betas"), table=gradient_tables.OUT_OF_STEP),
        foreach=foreach,
    )


@claim("capturable-on-the-host.steps-the-parts-of-complex-numbers")
@FOREACH
@optimizers.each(adding=CAPTURABLE)
def test_a_complex_parameter_moves_as_its_real_view(case, foreach):
    check_steps(OptimizerRun(case, HOST, dtype=torch.complex128), foreach=foreach)


@claim("capturable-on-the-host.keeps-its-scalars-fine")
@FOREACH
@pytest.mark.parametrize("default", DEFAULTS, ids=["bfloat16", "float64"])
@optimizers.each(adding=CAPTURABLE)
def test_scalars_are_in_float32_or_float64(case, default, foreach):
    training = Training(case, HOST, foreach=foreach)
    training.backward()
    with default_dtype(default):
        training.step()
    state = training.optimizer.state[training.parameters[0]]
    keys = [entry.key for entry in case.optimizer.states if entry.key in SCALARS]
    check.same(
        seen={key: states.describe(state[key]) for key in keys},
        expected=dict.fromkeys(keys, f"{DEFAULTS[default]} [] on cpu"),
        source="float32, or the default dtype if it is float64",
    )
