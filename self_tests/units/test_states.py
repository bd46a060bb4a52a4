"""What is kept for a parameter, told from records: the entries of a state by dtype, shape and device."""

from typing import Any

import pytest
import torch

from fixtures.catalogue.optimizer_record import (
    Case,
    Preset,
)
from fixtures.catalogue.states import (
    COLUMNS,
    COUNT,
    NONE,
    ROWS,
    SCALAR,
    SCALAR_BESIDE,
    Entry,
    describe,
    of_lbfgs,
)
from self_tests.units.made_up_records import entry_of

STATES = entry_of(
    states=(
        Entry("step", SCALAR, from_construction=True),
        Entry("beside", SCALAR_BESIDE),
        Entry("count", COUNT),
        Entry("average"),
        Entry("rows", ROWS, dimensions="matrix"),
        Entry("columns", COLUMNS, dimensions="matrix"),
        Entry("vector", dimensions="vector"),
        Entry("buffer", option="momentum"),
        Entry("none", NONE, option="no_momentum"),
        Entry("old", releases="<2.0"),
    )
)
ALWAYS = {
    "step": "float32 [] on cpu",
    "beside": "float32 [] on meta",
    "count": "int",
}


@pytest.mark.parametrize(
    "shape, options, kept",
    [
        pytest.param((3,), {}, {"average": "float64 [3] on meta", "vector": "float64 [3] on meta",
                                "none": "NoneType"}, id="a vector"),
        pytest.param((2, 3), {"momentum": 0.5},
                     {"average": "float64 [2, 3] on meta", "rows": "float64 [2, 1] on meta",
                      "columns": "float64 [1, 3] on meta", "buffer": "float64 [2, 3] on meta"},
                     id="a matrix, with an option"),
        pytest.param((4, 2, 3), {"momentum": 0.0},
                     {"average": "float64 [4, 2, 3] on meta", "rows": "float64 [4, 2, 1] on meta",
                      "columns": "float64 [4, 1, 3] on meta", "none": "NoneType"},
                     id="a stack of matrices, with an option of zero"),
        pytest.param((), {"momentum": 1},
                     {"average": "float64 [] on meta", "vector": "float64 [] on meta",
                      "buffer": "float64 [] on meta"}, id="a number"),
    ],
)  # fmt: skip
def test_the_state_that_is_kept_for_a_parameter(
    shape: tuple[int, ...], options: dict[str, Any], kept: dict[str, str]
) -> None:
    parameter = torch.empty(shape, dtype=torch.float64, device="meta")
    case = Case(STATES, Preset("made", options))
    assert case.state_of(parameter) == ALWAYS | kept
    assert case.state_of(parameter, stepped=False) == {"step": "float32 [] on cpu"}


def test_a_state_is_described_by_dtype_shape_and_device() -> None:
    state = [torch.ones(2, 1), [torch.tensor(1)], 3, None]
    assert describe(state) == ["float32 [2, 1] on cpu", ["int64 [] on cpu"], "int", "NoneType"]


def test_a_vector_has_one_number_for_its_row() -> None:
    assert Entry("r", ROWS).described(torch.ones(3)) == "float32 [] on cpu"


def test_the_state_of_lbfgs_holds_its_pairs_and_room_for_more() -> None:
    vector, number = "float32 [6] on meta", "float32 [] on meta"
    assert of_lbfgs(size=6, pairs=2, history=3, device=torch.device("meta")) == {
        "func_evals": "int",
        "n_iter": "int",
        "d": vector,
        "t": "float",
        "old_dirs": [vector, vector],
        "old_stps": [vector, vector],
        "ro": [number, number],
        "al": [number, number, "NoneType"],
        "H_diag": number,
        "prev_flat_grad": vector,
        "prev_loss": "float",
    }
