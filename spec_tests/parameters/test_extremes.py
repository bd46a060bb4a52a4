"""Gradients that are no numbers, or hardly any."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.runs.each_implementation import in_each
from fixtures.runs.optimizer_run import OptimizerRun

HALF = pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"]
)
SPOILED = pytest.mark.parametrize(
    "spoiled", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "minus_inf"]
)


def trained(case, device, spoiled):
    """Return a parameter after four steps, of which the second has this gradient in the middle."""
    parameter = torch.tensor([0.5, -1.0, 1.5], dtype=finest(device), device=device)
    parameter.requires_grad_()
    optimizer = case.build([parameter])
    for step in range(4):
        gradient = [0.25, spoiled if step == 1 else 0.5, -0.75]
        parameter.grad = torch.tensor(gradient, dtype=parameter.dtype, device=device)
        optimizer.step()
    return parameter.detach()


@claim("extremes.stay-in-their-element")
@SPOILED
@optimizers.each(which="elementwise")
def test_the_other_elements_step_on(case, spoiled, device):
    check.same(
        seen=trained(case, device, spoiled)[::2],
        expected=trained(case, device, 0.5)[::2],
        source="the same steps over finite gradients",
    )


@claim("extremes.nan-stays-in-the-state")
@optimizers.each(which="elementwise", but="reads_signs_alone", every_preset=True)
def test_what_follows_the_gradients_is_nan_where_they_were(case, implementations, device):
    seen = in_each(case, implementations, device, lambda case: nan_in_state(case, device))
    expected = {
        name: {key: [False, True, False] for key in entries} for name, entries in seen.items()
    }
    check.same(seen=seen, expected=expected, source="the gradients that there were")


def nan_in_state(case, device):
    """Return where each entry of a parameter's shape is nan after a gradient of nan in the middle."""
    parameter = torch.tensor([0.5, -1.0, 1.5], device=device, requires_grad=True)
    optimizer = case.build([parameter])
    for slope in (0.5, math.nan, 0.25):
        parameter.grad = torch.tensor([0.25, slope, -0.75], device=device)
        optimizer.step()
    entries = {k: v for k, v in optimizer.state[parameter].items() if torch.is_tensor(v)}
    return {k: v.isnan().tolist() for k, v in entries.items() if v.shape == parameter.shape}


@claim("extremes.large-values-in-half-precision")
@HALF
@optimizers.each(which="elementwise", but="divides_by_eps")
def test_parameters_whose_squares_are_too_large_take_the_oracle_s_steps(case, dtype, device):
    check_far_away(case, dtype, gradient_tables.ORDINARY, device)


@claim("extremes.large-values-in-half-precision")
@HALF
@optimizers.each(which=("has_oracle", "accepts_vectors"), but="elementwise")
def test_matrices_whose_squares_are_too_large_take_the_oracle_s_steps(case, dtype, device):
    check_far_away(case, dtype, gradient_tables.MATRICES, device)


@claim("extremes.large-values-in-half-precision")
@HALF
@optimizers.each(which="divides_by_eps", adding={"eps": 2.0**-10})
def test_parameters_whose_squares_are_too_large_do_so_with_an_eps_that_is_held(case, dtype, device):
    check_far_away(case, dtype, gradient_tables.ORDINARY, device)


def check_far_away(case, dtype, table, device):
    __tracebackhide__ = True
    far = gradient_tables.from_further_away(table, 1024.0)
    OptimizerRun(case, device, dtype=dtype, table=far).check(tolerance=EVERY_STEP_ROUNDED)


@claim("extremes.nan-is-not-forgotten")
@optimizers.each(which="elementwise", but="reads_signs_alone")
def test_a_nan_makes_its_element_one(case, device):
    seen = trained(case, device, math.nan)[1]
    assert seen.isnan(), f"{seen.item()!r} after a gradient of nan"
