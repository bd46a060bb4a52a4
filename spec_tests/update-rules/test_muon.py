"""Muon: momentum, orthogonalized in bfloat16."""

import pytest
import torch

from fixtures import check
from fixtures.catalogue import gradients, optimizers
from fixtures.claims import claim
from fixtures.oracles.muon import Muon
from fixtures.tolerances import BFLOAT16_DIRECTION, BFLOAT16_PRODUCTS, STEPS
from fixtures.walk import Walk

WIDE, TALL = (group[0] for group in gradients.MATRICES.groups)
SHAPES = pytest.mark.parametrize("column", [WIDE, TALL], ids=["wide", "tall"])
# 1 - 0.5 is a power of two, so that a sum of gradients and an average of them round alike.
HALF = 0.5


def moves(values, start, lr):
    """Return each step over the rate, in bfloat16, which is all the precision that it has."""
    steps = zip([start, *values], values, strict=False)
    return [((after - before) / lr).cpu().to(torch.bfloat16) for before, after in steps]


def side_by_side(column, device, **options):
    """Return the moves of torch and of the oracle over a column."""
    slopes = [slope for slope in column.gradients if slope is not None]
    walk = Walk("Muon", device, start=column.start, options=options)
    start = walk.parameter.detach().clone()
    seen = moves(walk.over(slopes).values, start, options["lr"])
    oracle, theta, values = Muon(**options), [list(row) for row in column.start], []
    for slope in slopes:
        oracle.step([theta], [slope])
        values.append(walk.tensor(theta))
    return {"seen": seen, "expected": moves(values, start, options["lr"])}


@claim("muon.update-rule")
@SHAPES
@optimizers.each(only=("Muon",), every_preset=True)
def test_every_move_is_that_of_the_oracle(case, column, device):
    momentum = min(HALF, case.preset.options.get("momentum", HALF))
    options = {**case.preset.options, "lr": 0.125, "momentum": momentum}
    check.close(
        **side_by_side(column, device, **options),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_PRODUCTS,
    )


@claim("muon.update-rule")
@SHAPES
@pytest.mark.parametrize("nesterov", [False, True], ids=["plain", "nesterov"])
def test_long_momentum_gives_the_moves_of_the_oracle(nesterov, column, device):
    check.close(
        **side_by_side(column, device, lr=0.125, momentum=0.95, nesterov=nesterov),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_DIRECTION,
    )


@claim("muon.buffer-sums-the-gradients")
def test_the_buffer_is_the_documented_sum(device):
    walk = Walk("Muon", device, start=[[1.0, 2.0]], options={"momentum": 0.5})
    walk.over([[[1.0, -2.0]], [[4.0, 2.0]]])
    expected = walk.tensor([[4.5, 1.0]])
    check.same(seen=walk.state("momentum_buffer"), expected=expected, source="B = g + B/2")


@claim("muon.size-of-the-gradient-does-not-matter")
@pytest.mark.parametrize("scale", [2.0**-10, 2.0**10], ids=["small", "large"])
def test_gradients_a_thousand_times_as_large_give_the_same_steps(scale, device):
    slopes = [walked for walked in WIDE.gradients if walked is not None]
    scaled = [[[scale * g for g in row] for row in slope] for slope in slopes]
    check.same(
        seen=Walk("Muon", device, start=WIDE.start).over(scaled).values,
        expected=Walk("Muon", device, start=WIDE.start).over(slopes).values,
        source="the steps over the gradients as they are",
    )


@claim("muon.decay-is-multiplied-by-the-rate")
def test_without_a_slope_muon_shrinks_by_the_rate_before_adjustment(device):
    options = {"lr": 0.5, "weight_decay": 0.5, "adjust_lr_fn": "match_rms_adamw"}
    walk = Walk("Muon", device, start=[[1.0, -2.0]], options=options).over([[[0.0, 0.0]]] * 3)
    expected = [walk.tensor([[0.75**t, -2 * 0.75**t]]) for t in (1, 2, 3)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)


@claim("muon.takes-matrices-only")
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)], ids=["scalar", "vector", "three.d"])
def test_a_parameter_that_is_no_matrix_is_an_error(shape, device):
    parameter = torch.ones(shape, device=device, requires_grad=True)
    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([parameter])
