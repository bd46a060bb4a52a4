"""What a comparison takes for a change of the surface, and for a movement of a result beyond noise."""

import math
from copy import deepcopy
from typing import Any

import pytest
import torch

from fixtures.assertions.packed_results import ENTRIES_OF_A_CASE, Account
from fixtures.compare import surfaces
from fixtures.compare.drift import Movement, Results, movement, noise

SURFACE: dict[str, dict[str, Any]] = {
    "torch.optim.A": {
        "kind": "class",
        "signature": [{"name": "lr", "kind": "keyword-only", "default": "0.1"}, {"name": "eps"}],
        "group": {"lr": "0.1"},
        "state": {"default": ["step", "sum"]},
    },
    "torch.optim.A.step": {"kind": "method", "signature": []},
}


def changed(*edits: tuple[list[Any], Any]) -> dict[str, Any]:
    """Return the surface with a value at each path; None takes it away."""
    new = deepcopy(SURFACE)
    for path, value in edits:
        where: Any = new
        for key in path[:-1]:
            where = where[key]
        if value is None:
            del where[path[-1]]
        else:
            where[path[-1]] = value
    return new


@pytest.mark.parametrize(
    "edit, told",
    [
        pytest.param((["torch.optim.B"], {"kind": "class", "signature": [{"name": "lr", "default": "1"}]}),
                     "new: torch.optim.B: class (lr=1)", id="name"),
        pytest.param((["torch.optim.A.step"], None), "gone: torch.optim.A.step: method", id="method"),
        pytest.param((["torch.optim.A", "signature", 0, "default"], "0.2"),
                     "changed: torch.optim.A: signature: default of lr: 0.1 became 0.2", id="default"),
        pytest.param((["torch.optim.A", "signature", 0, "kind"], "positional"),
                     "changed: torch.optim.A: signature: lr: keyword-only became positional", id="kind"),
        pytest.param((["torch.optim.A", "signature", 1], None),
                     "changed: torch.optim.A: signature: parameter eps is gone", id="parameter"),
        pytest.param((["torch.optim.A", "signature"], SURFACE["torch.optim.A"]["signature"][::-1]),
                     "changed: torch.optim.A: signature: another order: lr, eps became eps, lr", id="order"),
        pytest.param((["torch.optim.A", "group", "fused"], "None"),
                     "changed: torch.optim.A: group: fused = None is new", id="group"),
        pytest.param((["torch.optim.A", "state", "default"], ["step"]),
                     "changed: torch.optim.A: state default: sum is gone", id="state"),
    ],
)  # fmt: skip
def test_every_change_of_the_surface_is_told(edit: tuple[list[Any], Any], told: str) -> None:
    assert [str(change) for change in surfaces.changes(SURFACE, changed(edit))] == [told]


def test_members_come_with_their_class() -> None:
    assert [c.name for c in surfaces.changes({}, SURFACE)] == ["torch.optim.A"]


def test_a_change_that_classes_share_is_told_once() -> None:
    names = ["torch.optim.A", "torch.optim.B", "torch.optim.C"]
    old = dict.fromkeys(names, SURFACE["torch.optim.A"])
    new = old | {f"{name}.step": {"kind": "method"} for name in names}
    assert [str(c) for c in surfaces.changes(old, new)] == [
        "new: .step of 3 classes (A, B, C): method"
    ]


def leaves_of(value: Any) -> Any:
    """Return the leaves of a result as they come back from a report."""
    account = Account()
    account.add(value)
    packed = account.take()
    assert packed
    report = {"layouts": [packed["layout"]], "results": [{**packed, "layout": 0}]}
    return Results(report).leaves(0)


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "bfloat16", "complex64", "complex128"]
)
def test_one_ulp_is_one_ulp_in_every_dtype(dtype: str) -> None:
    kind = getattr(torch, dtype)
    eps = torch.finfo(kind).eps
    old, new = torch.tensor([1.0, 0.5], dtype=kind), torch.tensor([1.0, 0.5 - eps], dtype=kind)
    assert movement(leaves_of(old), leaves_of(new)) == Movement(1.0, "0", "")


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8", "bool"])
def test_another_integer_is_no_rounding(dtype: str) -> None:
    kind = getattr(torch, dtype)
    old, new = torch.tensor([1, 1]).to(kind), torch.tensor([1, 0]).to(kind)
    assert movement(leaves_of(old), leaves_of(new)).ulps == math.inf


@pytest.mark.parametrize(
    "old, new, ulps",
    [
        pytest.param([1.0, math.nan], [1.0, math.nan], 0.0, id="nan_stays_nan"),
        pytest.param([1.0], [math.nan], math.inf, id="nan"),
        pytest.param([1.0], [math.inf], math.inf, id="inf"),
        pytest.param([0.0], [-0.0], 0.0, id="zeros"),
        pytest.param({"a": [1.0]}, {"a": [1.0], "b": [1.0]}, 0.0, id="another_key"),
        pytest.param([1.0], [1.0, 2.0], math.inf, id="longer_list"),
        pytest.param([1.0, 2.0], [1.0], math.inf, id="shorter_list"),
    ],
)
def test_what_moves(old: Any, new: Any, ulps: float) -> None:
    assert movement(leaves_of(old), leaves_of(new)).ulps == ulps


def test_what_a_report_has_no_room_for_has_not_come_or_gone() -> None:
    many = [1.0] * (ENTRIES_OF_A_CASE + 5)
    account = Account()
    account.add({"a": 1.0, "b": many})
    packed = account.take()
    assert packed
    assert packed["cut"]
    shorter = leaves_of({"b": many[1:]})
    assert movement(leaves_of({"a": 1.0, "b": many}), shorter, cut=True).ulps == 0


def test_noise_is_two_ulps_or_a_quarter_of_the_tolerance() -> None:
    assert [noise(tolerance) for tolerance in (0, 8, 512)] == [2, 2, 128]
