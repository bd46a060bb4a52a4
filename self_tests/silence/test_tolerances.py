"""The tolerances that random rounding bounds: twice what it does, and no wider than that has to be."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from fixtures.assertions.distance import largest_difference
from fixtures.assertions.tolerances import BFLOAT16_DIRECTION, BFLOAT16_PRODUCTS, Tolerance
from fixtures.catalogue import optimizers, torch_optimizers
from fixtures.catalogue.gradient_tables import MATRICES, Column
from fixtures.oracles.muon import Muon, astray, bfloat16

SEEDS = range(24)
RATE = 0.125
CONVERGING = {"ns_coefficients": torch_optimizers.CONVERGING}
Rounding = Callable[[float], float]


def moves(column: Column, options: dict[str, Any], outer: Rounding, inner: Rounding) -> list[Any]:
    """Return each move of the oracle over the rate, in bfloat16."""
    oracle = Muon(**{**options, "lr": RATE}, rounding=outer, inner_rounding=inner)
    theta, found = [list(row) for row in column.start], []
    for gradient in column.gradients:
        before = torch.tensor(theta, dtype=torch.float64)
        oracle.step([theta], [gradient])
        move = torch.tensor(theta, dtype=torch.float64) - before
        found.append((move / RATE).to(torch.bfloat16))
    return found


def spread(column: Column, options: dict[str, Any]) -> float:
    """Return how far the oracle goes astray if each of its roundings may fall either way, in ulps."""
    exact = moves(column, options, bfloat16, float)
    courses = (moves(column, options, either, either) for either in map(astray, SEEDS))
    found = (largest_difference(course, exact) for course in courses)
    return max(difference.ulps if difference else 0.0 for difference in found)


def all_options() -> Sequence[dict[str, Any]]:
    presets = [dict(preset.options) for preset in optimizers.by_name("Muon").presets]
    return [{**options, "momentum": m} for options in presets for m in (0.5, 0.95)]


@pytest.mark.parametrize(
    "tolerance, more",
    [
        pytest.param(BFLOAT16_PRODUCTS, CONVERGING, id="converging"),
        pytest.param(BFLOAT16_DIRECTION, {}, id="as the document has it"),
    ],
)
def test_muon_has_twice_what_its_oracle_needs(tolerance: Tolerance, more: dict[str, Any]) -> None:
    needed = max(
        spread(group[0], {**options, **more})
        for group in MATRICES.groups
        for options in all_options()
    )
    assert 1.5 * needed < tolerance.ulps < 3 * needed, f"{needed} ulps are needed"
