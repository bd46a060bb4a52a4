"""Gradients that are no numbers, or hardly any."""

import math

import pytest
import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.side_by_side import finest

OF_EACH_ELEMENT = (
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop",
    "SGD",
)  # fmt: skip
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


@claim("extremes.nan-is-not-forgotten")
@FOREACH
@optimizers.each(only=OF_EACH_ELEMENT, but=("Rprop",))
def test_a_nan_makes_its_element_one(case, foreach, device):
    seen = trained(case, device, math.nan, foreach=foreach)[1]
    assert seen.isnan(), f"{seen.item()!r} after a gradient of nan"
