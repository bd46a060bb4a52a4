"""Distances: what counts as equal, where the largest difference is, and how many ulps it has."""

import math
from typing import Any

import pytest
import torch

from fixtures.assertions.distance import Difference, largest_difference

EPS32, EPS64 = 2.0**-23, 2.0**-52
NAN, INF = math.nan, math.inf
ONES = torch.ones(2)


def floats(*values: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


def sparse(indices: list[int], values: list[float]) -> torch.Tensor:
    return torch.sparse_coo_tensor(
        torch.tensor([indices]), torch.tensor(values), (9,), check_invariants=True
    )


@pytest.mark.parametrize(
    "seen, expected",
    [
        pytest.param(floats(1.0, -0.0), floats(1.0, -0.0), id="tensors"),
        pytest.param(floats(1.0, NAN), floats(1.0, NAN), id="NaN in tensors"),
        pytest.param(floats(INF, -INF, 1.0), floats(INF, -INF, 1.0), id="infinities in tensors"),
        pytest.param(torch.empty(0, 3), torch.empty(0, 3), id="tensors without entries"),
        pytest.param(torch.tensor(2 + 1j), torch.tensor(2 + 1j), id="complex numbers"),
        pytest.param(torch.tensor([True, False]), torch.tensor([True, False]), id="truth values"),
        pytest.param(torch.ones(2, requires_grad=True), ONES, id="a tensor of a graph"),
        pytest.param(torch.ones(2, 2).t()[0], ONES, id="a view"),
        pytest.param(
            sparse([5, 1], [2.0, 1.0]), sparse([1, 5], [1.0, 2.0]), id="sparse, any order"
        ),
        pytest.param(sparse([1, 1], [1.0, 2.0]), sparse([1], [3.0]), id="sparse, summed"),
        pytest.param(NAN, NAN, id="NaN"),
        pytest.param(-NAN, NAN, id="NaN of either sign"),
        pytest.param(INF, INF, id="infinity"),
        pytest.param("a", "a", id="texts"),
        pytest.param(None, None, id="None"),
        pytest.param((1, [2.0, "b"]), [1, (2.0, "b")], id="lists and tuples"),
        pytest.param({"a": ONES, "b": 1}, {"b": 1, "a": ONES}, id="dicts of any order"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_what_is_equal_has_no_difference(seen: Any, expected: Any) -> None:
    assert largest_difference(seen, expected) is None


@pytest.mark.parametrize(
    "seen, expected, difference",
    [
        pytest.param(floats(1.0), floats(1.0, dtype=torch.float64),
                     Difference("", "torch.float64", "torch.float32", INF, "dtype"), id="dtype"),
        pytest.param(floats(1.0), sparse([0], [1.0]),
                     Difference("", "torch.sparse_coo", "torch.strided", INF, "layout"), id="layout"),
        pytest.param(torch.ones(1, 2), torch.ones(2),
                     Difference("", [2], [1, 2], INF, "shape"), id="shape"),
        pytest.param({"a": 1, "b": 1}, {"c": 1, "a": 1},
                     Difference("", ["a", "c"], ["a", "b"], INF, "keys"), id="keys"),
        pytest.param([1, 2], [1], Difference("", 1, 2, INF, "entries"), id="a longer list"),
        pytest.param([], [1], Difference("", 1, 0, INF, "entries"), id="an empty list"),
        pytest.param(1, 1.0, Difference("", "float", "int", INF, "type"), id="int for float"),
        pytest.param(True, 1, Difference("", "int", "bool", INF, "type"), id="bool for int"),
        pytest.param([1.0], floats(1.0), Difference("", "Tensor", "list", INF, "type"),
                     id="list for tensor"),
        pytest.param(floats(1.0), [1.0], Difference("", "list", "Tensor", INF, "type"),
                     id="tensor for list"),
        pytest.param("ab", ["a", "b"], Difference("", "list", "str", INF, "type"),
                     id="text for list"),
        pytest.param({}, [], Difference("", "list", "dict", INF, "type"), id="dict for list"),
        pytest.param([], {}, Difference("", "dict", "list", INF, "type"), id="list for dict"),
        pytest.param("a", "b", Difference("", "b", "a", INF), id="texts"),
        pytest.param(3, 4, Difference("", 4, 3, INF), id="whole numbers"),
        pytest.param(False, True, Difference("", True, False, INF), id="truth values"),
    ],
)  # fmt: skip
def test_what_no_number_of_ulps_describes(seen: Any, expected: Any, difference: Difference) -> None:
    assert largest_difference(seen, expected) == difference


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str
)
def test_a_distance_is_counted_in_eps_of_the_dtype(dtype: torch.dtype) -> None:
    eps = torch.finfo(dtype).eps
    found = largest_difference(
        floats(1.0, 0.5 - 2 * eps, dtype=dtype), floats(1.0, 0.5, dtype=dtype)
    )
    assert found == Difference("[1]", 0.5, 0.5 - 2 * eps, 2.0)


def test_a_distance_is_on_the_scale_of_the_largest_expected_entry() -> None:
    found = largest_difference(floats(3.0, -8.0, 0.0), floats(1.0, -8.0, 0.0))
    assert found == Difference("[0]", 1.0, 3.0, 2 / (8 * EPS32))


def test_the_largest_entry_seen_is_no_scale() -> None:
    found = largest_difference(floats(1.0, 9.0), floats(1.0, 1.0))
    assert found == Difference("[1]", 1.0, 9.0, 8 / EPS32)


@pytest.mark.parametrize(
    "seen, expected, ulps",
    [
        pytest.param(2.0 + 4 * EPS64, 2.0, 2.0, id="above"),
        pytest.param(-2.0 + 4 * EPS64, -2.0, 2.0, id="below zero"),
        pytest.param(1e-300, 0.0, INF, id="zero expected"),
        pytest.param(0.0, 4.0, 1 / EPS64, id="zero seen"),
        pytest.param(NAN, 1.0, INF, id="NaN seen"),
        pytest.param(1.0, NAN, INF, id="NaN expected"),
        pytest.param(INF, 1.0, INF, id="infinity seen"),
        pytest.param(INF, -INF, INF, id="the other infinity"),
    ],
)
def test_the_distance_of_two_floats(seen: float, expected: float, ulps: float) -> None:
    found = largest_difference(seen, expected)
    assert found
    assert (found.path, found.ulps, found.note) == ("", ulps, "")


@pytest.mark.parametrize(
    "seen, expected, path, ulps",
    [
        pytest.param(floats(NAN, 1.0), floats(1.0, 1.0), "[0]", INF, id="NaN seen"),
        pytest.param(floats(1.0, 1.0), floats(1.0, NAN), "[1]", INF, id="NaN expected"),
        pytest.param(floats(5.0, INF), floats(1.0, -INF), "[1]", INF, id="the other infinity"),
        pytest.param(floats(5.0, 1.0), floats(1.0, INF), "[1]", INF, id="infinity expected"),
        pytest.param(floats(INF, NAN, 1.0, 2 + 4 * EPS32), floats(INF, NAN, 1.0, 2.0), "[3]", 2.0,
                     id="a distance beside infinity and NaN"),
        pytest.param(floats(0.0, 1.0), floats(0.0, 0.0), "[1]", INF, id="only zeros expected"),
    ],
)  # fmt: skip
def test_entries_that_are_no_finite_numbers(
    seen: torch.Tensor, expected: torch.Tensor, path: str, ulps: float
) -> None:
    found = largest_difference(seen, expected)
    assert found
    assert (found.path, found.ulps, found.note) == (path, ulps, "")


@pytest.mark.parametrize(
    "seen, expected, path",
    [
        pytest.param(-0.0, 0.0, "", id="a float"),
        pytest.param(0.0, -0.0, "", id="the other float"),
        pytest.param(floats(1.0, 0.0), floats(1.0, -0.0), "[1]", id="a tensor"),
        pytest.param(floats(5.0, 0.0), floats(1.0, -0.0), "[1]", id="beside another difference"),
        pytest.param(torch.tensor(complex(1, -0.0)), torch.tensor(complex(1, 0.0)), "[1]",
                     id="a complex number"),
    ],
)  # fmt: skip
def test_a_zero_has_a_sign(seen: Any, expected: Any, path: str) -> None:
    found = largest_difference(seen, expected)
    assert found
    assert (found.path, found.ulps, found.note) == (path, INF, "sign of zero")
    assert math.copysign(1, found.seen) == -math.copysign(1, found.expected)


@pytest.mark.parametrize(
    "seen, expected, path",
    [
        pytest.param(torch.tensor(2.0), torch.tensor(1.0), "", id="a tensor without dimensions"),
        pytest.param(torch.eye(3), torch.eye(3) - torch.tensor([0, 0, 1.0]) * torch.eye(3)[:, 2:],
                     "[2, 2]", id="a matrix"),
        pytest.param(floats(0, 0, 0, 0, 1, 0).reshape(2, 3), torch.zeros(2, 3), "[1, 1]",
                     id="an oblong matrix"),
        pytest.param(torch.tensor([0j, 1 + 2j]), torch.tensor([0j, 1 + 1j]), "[1, 1]",
                     id="an imaginary part"),
        pytest.param(sparse([1, 5], [1.0, 3.0]), sparse([1, 5], [1.0, 2.0]), ".values()[1]",
                     id="a value of a sparse tensor"),
        pytest.param([1, [2, 3]], [1, [2, 4]], "[1][1]", id="a list of a list"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b", id="a dict of a dict"),
        pytest.param({0: 1}, {0: 2}, "0", id="a key that is no text"),
        pytest.param([{"m": floats(1.0, 2.0)}], [{"m": floats(1.0, 1.0)}], "[0].m[1]",
                     id="a tensor in a dict in a list"),
    ],
)  # fmt: skip
def test_a_path_says_where(seen: Any, expected: Any, path: str) -> None:
    found = largest_difference(seen, expected)
    assert found
    assert found.path == path


def test_indices_of_a_sparse_tensor_are_compared_before_its_values() -> None:
    found = largest_difference(sparse([1, 8], [1.0, 9.0]), sparse([1, 7], [1.0, 2.0]))
    assert found
    assert (found.path, found.expected, found.seen) == (".indices()[0, 1]", 7, 8)


@pytest.mark.parametrize(
    "seen, expected, difference",
    [
        pytest.param(torch.tensor([[4, 7, 9]]), torch.tensor([[4, 8, 8]]),
                     Difference("[0, 1]", 8, 7, INF), id="whole numbers"),
        pytest.param(torch.tensor(3), torch.tensor(4), Difference("", 4, 3, INF),
                     id="a whole number"),
        pytest.param(torch.tensor([False]), torch.tensor([True]),
                     Difference("[0]", True, False, INF), id="truth values"),
        pytest.param(torch.tensor([2**60 + 1]), torch.tensor([2**60]),
                     Difference("[0]", 2**60, 2**60 + 1, INF), id="numbers beyond float64"),
        pytest.param(sparse([8], [1.0]), sparse([7], [1.0]),
                     Difference(".indices()[0, 0]", 7, 8, INF), id="indices of a sparse tensor"),
    ],
)  # fmt: skip
def test_no_tolerance_covers_another_whole_number(
    seen: torch.Tensor, expected: torch.Tensor, difference: Difference
) -> None:
    assert largest_difference(seen, expected) == difference


def test_of_several_differences_the_largest_is_returned() -> None:
    expected = {"a": floats(1.0), "b": 1.0, "c": floats(1.0)}
    seen = {"a": floats(1 + EPS32), "b": 1 + 8 * EPS64, "c": floats(1 + 4 * EPS32)}
    assert largest_difference(seen, expected) == Difference("b", 1.0, 1 + 8 * EPS64, 8.0)


def test_of_two_that_are_as_large_the_first_is_returned() -> None:
    found = largest_difference([3.0, 3.0], [2.0, 2.0])
    assert found
    assert found.path == "[0]"


def test_nothing_is_larger_than_what_no_number_describes() -> None:
    found = largest_difference([2.0, "a", "c"], [1.0, "b", "d"])
    assert found == Difference("[1]", "b", "a", INF)


@pytest.mark.parametrize(
    "expected, seen, relative",
    [
        pytest.param(4.0, 3.0, 0.25, id="below"),
        pytest.param(-4.0, -6.0, 0.5, id="below zero"),
        pytest.param(2, 3, 0.5, id="whole numbers"),
        pytest.param(0.0, 3.0, None, id="zero expected"),
        pytest.param(INF, 3.0, None, id="infinity expected"),
        pytest.param(3.0, NAN, None, id="NaN seen"),
        pytest.param([2], [3], None, id="shapes"),
        pytest.param(1.5e308, -1.5e308, None, id="no finite difference"),
        pytest.param(2.0, "3", None, id="a text seen"),
        pytest.param("2", 3.0, None, id="a text expected"),
        pytest.param(1j, 2j, None, id="complex numbers"),
    ],
)
def test_a_difference_relative_to_what_is_expected(
    expected: Any, seen: Any, relative: float | None
) -> None:
    assert Difference("", expected, seen, 1.0).relative == relative
