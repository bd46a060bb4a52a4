"""The update rules in coarser dtypes, and on complex parameters."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED, TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun, check_in_each

DTYPES = pytest.mark.parametrize(
    "dtype",
    [torch.float32, torch.bfloat16, torch.float16],
    ids=["float32", "bfloat16", "float16"],
)
SOURCE = "the oracle in fixtures/oracles"
HELD = {"eps": 2.0**-10}


@claim("dtypes.take-the-documented-steps")
@DTYPES
@optimizers.each(which=("has_oracle", "accepts_vectors"), but="divides_by_eps")
def test_a_coarse_dtype_takes_the_oracle_s_steps(case, dtype, implementations, device):
    check_coarse(case, dtype, implementations, device)


@claim("dtypes.take-the-documented-steps")
@DTYPES
@optimizers.each(which="divides_by_eps", adding=HELD)
def test_a_coarse_dtype_takes_the_oracle_s_steps_with_an_eps_it_can_hold(
    case, dtype, implementations, device
):
    check_coarse(case, dtype, implementations, device)


@claim("dtypes.take-the-documented-steps")
@optimizers.each(which=("has_oracle", "accepts_vectors"), but="divides_by_eps", every_preset=True)
def test_bfloat16_takes_the_oracle_s_steps_with_every_option(case, implementations, device):
    check_coarse(case, torch.bfloat16, implementations, device)


@claim("dtypes.take-the-documented-steps")
@optimizers.each(which="divides_by_eps", adding=HELD, every_preset=True)
def test_bfloat16_takes_the_oracle_s_steps_with_every_option_and_an_eps_it_can_hold(
    case, implementations, device
):
    check_coarse(case, torch.bfloat16, implementations, device)


def check_coarse(case, dtype, implementations, device):
    """Compare every implementation with one course of the oracle."""
    __tracebackhide__ = True

    def run(case):
        return OptimizerRun(case, device, dtype=dtype, table=gradient_tables.ORDINARY)

    check_in_each(case, implementations, device, run, source=SOURCE, tolerance=EVERY_STEP_ROUNDED)


@claim("dtypes.float16-loses-a-small-eps")
@pytest.mark.parametrize("eps", [1e-8, 1e-3], ids=["lost", "held"])
@optimizers.each(which="adds_eps_to_the_divisor")
def test_float16_has_no_eps_of_1e_8(case, eps, device):
    w = torch.ones(1, dtype=torch.float16, device=device, requires_grad=True)
    optimizer = case.build([w], eps=eps, foreach=False)
    w.grad = torch.zeros_like(w)
    optimizer.step()
    # 0 / (0 + eps), where 1e-8 is less than half the smallest number above 0, 6e-8
    seen, expected = bool(w.isnan().any()), eps < 3e-8
    assert seen is expected, f"{'nan' if seen else 'a number'}: {w.tolist()}"


@claim("dtypes.float64-is-kept-throughout")
@pytest.mark.needs(torch.float64)
@optimizers.each(which=("has_oracle", "accepts_vectors"))
def test_float64_steps_are_in_float64(case, device):
    run = OptimizerRun(case, device, dtype=torch.float64, scalars=torch.float32)
    check.close(
        seen=run.by_torch()["parameters"],
        expected=run.by_oracle()["parameters"],
        source=SOURCE,
        tolerance=TEN_STEPS,
    )


@claim("complex.is-the-step-on-the-real-view")
@pytest.mark.needs(torch.complex128)
@optimizers.each(which=("has_oracle", "takes_complex_parameters"), every_option=True)
def test_a_complex_parameter_moves_as_its_real_view(case, device):
    table = gradient_tables.OUT_OF_STEP
    OptimizerRun(case, device, dtype=torch.complex128, table=table).check()


@claim("complex.is-the-step-on-the-real-view")
@pytest.mark.needs(torch.complex128)
@optimizers.each(
    which=("has_oracle", "takes_complex_parameters"), not_by=("capturable", "differentiable")
)
def test_a_coarser_complex_parameter_moves_as_its_real_view(case, device):
    OptimizerRun(case, device, dtype=torch.complex64, table=gradient_tables.ORDINARY).check(
        tolerance=TEN_STEPS
    )
