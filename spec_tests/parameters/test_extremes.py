"""Gradients that are no numbers, or hardly any."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.runs.optimizer_run import OptimizerRun

OF_EACH_ELEMENT = (
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop",
    "SGD",
)  # fmt: skip
WITHOUT_EPS = ("ASGD", "Adafactor", "Rprop", "SGD")
HALF = pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"]
)
FOREACH = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
SPOILED = pytest.mark.parametrize(
    "spoiled", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "minus_inf"]
)


def trained(case, device, spoiled, **options):
    """Return a parameter after four steps, of which the second has this gradient in the middle."""
    parameter = torch.tensor([0.5, -1.0, 1.5], dtype=finest(device), device=device)
    parameter.requires_grad_()
    optimizer = case.build([parameter], **options)
    for step in range(4):
        gradient = [0.25, spoiled if step == 1 else 0.5, -0.75]
        parameter.grad = torch.tensor(gradient, dtype=parameter.dtype, device=device)
        optimizer.step()
    return parameter.detach()


@claim("extremes.stay-in-their-element")
@SPOILED
@FOREACH
@optimizers.each(only=OF_EACH_ELEMENT)
def test_the_other_elements_step_on(case, foreach, spoiled, device):
    check.same(
        seen=trained(case, device, spoiled, foreach=foreach)[::2],
        expected=trained(case, device, 0.5, foreach=foreach)[::2],
        source="the same steps over finite gradients",
    )


@claim("extremes.nan-stays-in-the-state")
@FOREACH
@optimizers.each(only=OF_EACH_ELEMENT, but=("ASGD", "Rprop"), every_preset=True)
def test_what_follows_the_gradients_is_nan_where_they_were(case, foreach, device):
    parameter = torch.tensor([0.5, -1.0, 1.5], device=device, requires_grad=True)
    optimizer = case.build([parameter], foreach=foreach)
    for slope in (0.5, math.nan, 0.25):
        parameter.grad = torch.tensor([0.25, slope, -0.75], device=device)
        optimizer.step()
    entries = {k: v for k, v in optimizer.state[parameter].items() if torch.is_tensor(v)}
    seen = {k: v.isnan().tolist() for k, v in entries.items() if v.shape == parameter.shape}
    expected = {key: [False, True, False] for key in seen}
    check.same(seen=seen, expected=expected, source="the gradients that there were")


@claim("extremes.large-values-in-half-precision")
@HALF
@optimizers.each(only=WITHOUT_EPS)
def test_parameters_whose_squares_are_too_large_take_the_oracle_s_steps(case, dtype, device):
    check_far_away(case, dtype, device)


@claim("extremes.large-values-in-half-precision")
@HALF
@optimizers.each(only=OF_EACH_ELEMENT, but=WITHOUT_EPS, adding={"eps": 2.0**-10})
def test_parameters_whose_squares_are_too_large_do_so_with_an_eps_that_is_held(case, dtype, device):
    check_far_away(case, dtype, device)


def check_far_away(case, dtype, device):
    __tracebackhide__ = True
    table = {"Adafactor": gradient_tables.MATRICES}.get(
        case.optimizer.name, gradient_tables.ORDINARY
    )
    run = OptimizerRun(
        case, device, dtype=dtype, table=gradient_tables.from_further_away(table, 1024.0)
    )
    check.close(
        seen=[run.by_torch(foreach=foreach) for foreach in (False, True)],
        expected=[run.by_oracle()] * 2,
        source="the oracle in fixtures/oracles",
        tolerance=EVERY_STEP_ROUNDED,
    )


@claim("extremes.nan-is-not-forgotten")
@FOREACH
@optimizers.each(only=OF_EACH_ELEMENT, but=("Rprop",))
def test_a_nan_makes_its_element_one(case, foreach, device):
    seen = trained(case, device, math.nan, foreach=foreach)[1]
    assert seen.isnan(), f"{seen.item()!r} after a gradient of nan"
