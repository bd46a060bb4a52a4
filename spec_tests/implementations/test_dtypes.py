"""The update rules in coarser dtypes, and on complex parameters."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED, TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.devices import capabilities
from fixtures.runs.optimizer_run import OptimizerRun

DTYPES = pytest.mark.parametrize(
    "dtype",
    [torch.float32, torch.bfloat16, torch.float16],
    ids=["float32", "bfloat16", "float16"],
)
COARSE = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
SOURCE = "the oracle in fixtures/oracles"
WITHOUT_EPS = ("ASGD", "Adafactor", "Rprop", "SGD")
HELD = {"eps": 2.0**-10}


@claim("dtypes.take-the-documented-steps")
@DTYPES
@optimizers.each(only=WITHOUT_EPS)
def test_a_coarse_dtype_takes_the_oracle_s_steps(case, dtype, device):
    check_coarse(case, dtype, device)


@claim("dtypes.take-the-documented-steps")
@DTYPES
@optimizers.each(but=("Adafactor", "Muon", "SparseAdam"), adding=HELD)
def test_a_coarse_dtype_takes_the_oracle_s_steps_with_an_eps_it_can_hold(case, dtype, device):
    check_coarse(case, dtype, device)


@claim("dtypes.take-the-documented-steps")
@optimizers.each(only=WITHOUT_EPS, every_preset=True)
def test_bfloat16_takes_the_oracle_s_steps_with_every_option(case, device):
    check_coarse(case, torch.bfloat16, device)


@claim("dtypes.take-the-documented-steps")
@optimizers.each(but=("Adafactor", "Muon", "SparseAdam"), adding=HELD, every_preset=True)
def test_bfloat16_takes_the_oracle_s_steps_with_every_option_and_an_eps_it_can_hold(case, device):
    check_coarse(case, torch.bfloat16, device)


def check_coarse(case, dtype, device):
    """Compare every implementation with one course of the oracle."""
    __tracebackhide__ = True
    run = OptimizerRun(case, device, dtype=dtype, table=gradient_tables.ORDINARY)
    seen = [run.by_torch(**options) for options in implementations(case, device)]
    check.close(
        seen=seen,
        expected=[run.by_oracle()] * len(seen),
        source=SOURCE,
        tolerance=EVERY_STEP_ROUNDED,
    )


def implementations(case, device):
    """Return the options that ask for each implementation that the device has."""
    has_capturable = "capturable" in case.optimizer.options and device.type != "cpu"
    has_fused = "fused" in case.optimizer.options and not capabilities.lacks(device, "fused")
    return [
        {"foreach": False},
        {"foreach": True},
        *([{"fused": True}] if has_fused else []),
        *([{"capturable": True, "foreach": f} for f in (False, True)] if has_capturable else []),
    ]


@claim("dtypes.float16-loses-a-small-eps")
@pytest.mark.parametrize("eps", [1e-8, 1e-3], ids=["lost", "held"])
@optimizers.each(only=("Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RMSprop"))
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
@COARSE
@optimizers.each(but=("LBFGS", "Muon", "SparseAdam"))
def test_float64_steps_are_in_float64(case, foreach, device):
    run = OptimizerRun(case, device, dtype=torch.float64, scalars=torch.float32)
    check.close(
        seen=run.by_torch(foreach=foreach)["parameters"],
        expected=run.by_oracle()["parameters"],
        source=SOURCE,
        tolerance=TEN_STEPS,
    )


@claim("differentiable.float64-is-kept-throughout")
@pytest.mark.needs(torch.float64)
@optimizers.each(adding={"differentiable": True})
def test_float64_steps_that_are_differentiated_are_in_float64(case, device):
    run = OptimizerRun(case, device, dtype=torch.float64, scalars=torch.float32)
    check.close(
        seen=run.by_torch()["parameters"],
        expected=run.by_oracle()["parameters"],
        source=SOURCE,
        tolerance=TEN_STEPS,
    )


@claim("complex.is-the-step-on-the-real-view")
@COARSE
@optimizers.each(but=("LBFGS", "Muon", "SparseAdam", "Adafactor"), every_preset=True)
@pytest.mark.needs(torch.complex128)
def test_a_complex_parameter_moves_as_its_real_view(case, foreach, device):
    check_complex(finely(case, device), foreach=foreach)


@claim("complex.is-the-step-on-the-real-view")
@COARSE
@optimizers.each(but=("LBFGS", "Muon", "SparseAdam", "Adafactor"))
@pytest.mark.needs(torch.complex128)
def test_a_coarser_complex_parameter_moves_as_its_real_view(case, foreach, device):
    run = OptimizerRun(case, device, dtype=torch.complex64, table=gradient_tables.ORDINARY)
    check_complex(run, foreach=foreach)


@claim("complex.is-the-step-on-the-real-view-when-capturable")
@COARSE
@optimizers.each(adding={"capturable": True}, every_preset=True)
@pytest.mark.needs(torch.complex128)
def test_a_complex_parameter_moves_as_its_real_view_when_capturable(case, foreach, device):
    check_complex(finely(case, device), foreach=foreach)


@claim("complex.is-the-step-on-the-real-view-when-differentiable")
@optimizers.each(adding={"differentiable": True}, every_preset=True)
@pytest.mark.needs(torch.complex128)
def test_a_complex_parameter_moves_as_its_real_view_when_differentiable(case, device):
    check_complex(finely(case, device))


def finely(case, device):
    return OptimizerRun(case, device, dtype=torch.complex128, table=gradient_tables.OUT_OF_STEP)


def check_complex(run, **options):
    __tracebackhide__ = True
    check.close(
        seen=run.by_torch(**options),
        expected=run.by_oracle(),
        source=SOURCE + ", on real and imaginary parts",
        tolerance=TEN_STEPS,
    )
