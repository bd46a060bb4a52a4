"""The assertions of the specification: each holds where it must, and else says what differs."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from fixtures.assertions import check, measurements
from fixtures.assertions.check import Mismatch
from fixtures.assertions.distance import Difference
from fixtures.assertions.tolerances import EXACT, Tolerance

EPS = 2.0**-23
EIGHT = Tolerance(8, "eight roundings")
ONE = torch.ones(1)


def one_and(ulps: float) -> torch.Tensor:
    return torch.tensor([1 + ulps * EPS])


def mismatch(assertion: Callable[..., None], **arguments: Any) -> Mismatch:
    """Return how an assertion fails."""
    with pytest.raises(Mismatch) as caught:
        assertion(**arguments)
    return caught.value


def test_a_mismatch_has_everything_that_a_message_is_made_of() -> None:
    seen, expected = torch.tensor([1.0, 2.5]), torch.tensor([1.0, 2.0])
    found = mismatch(
        check.close, seen=seen, expected=expected, source="closed form", tolerance=EIGHT
    )
    assert found == Mismatch(
        expected="[1.0, 2.0] float32",
        seen="[1.0, 2.5] float32",
        source="closed form",
        difference="at [1]: 2.5 instead of 2.0, 2.1e+06 ulps on the scale of the tensor, 0.25 relative",
        tolerance="8 ulps (eight roundings)",
        rounded=True,
    )


def test_a_mismatch_is_an_assertion_that_failed_and_reads_as_a_sentence() -> None:
    found = Mismatch("1", "2", "a document", "2 instead of 1", "none")
    assert isinstance(found, AssertionError)
    assert str(found) == "expected 1 (a document), seen 2: 2 instead of 1"
    assert not found.rounded


def test_the_same_is_the_same_bit_for_bit() -> None:
    result = {"a": torch.tensor([1.0, math.nan]), "b": [1, "c", None]}
    check.same(seen=result, expected={**result}, source="itself")


def test_numbers_are_compared_on_the_scale_of_the_largest() -> None:
    one_ulp = 2.0**-52
    rates = [[4.0, 1.0], [2.0, 0.5]]
    seen = [[4.0, 1.0], [2.0, 0.5 + 16 * one_ulp]]
    check.close_numbers(seen=seen, expected=rates, source="closed form", tolerance=EIGHT)
    seen[1][1] += 20 * one_ulp  # 36 in all: 9 on the scale of 4
    found = mismatch(
        check.close_numbers, seen=seen, expected=rates, source="closed form", tolerance=EIGHT
    )
    assert "9 ulps" in found.difference
    assert found.expected.endswith("float64")


@pytest.mark.parametrize(
    "seen, expected",
    [
        pytest.param(one_and(1), ONE, id="one ulp"),
        pytest.param(torch.tensor([-0.0]), torch.tensor([0.0]), id="the sign of zero"),
        pytest.param(ONE.double(), ONE, id="dtype"),
        pytest.param(ONE[0], ONE, id="shape"),
        pytest.param([1, 2], [1], id="structure"),
    ],
)
def test_the_same_has_no_tolerance(seen: Any, expected: Any) -> None:
    found = mismatch(check.same, seen=seen, expected=expected, source="me")
    assert (found.tolerance, found.rounded) == ("none: bit for bit", False)


@pytest.mark.parametrize("ulps", [0, 1, 8], ids=["equal", "near", "just within"])
def test_what_lies_within_its_tolerance_is_close(ulps: float) -> None:
    check.close(seen=one_and(ulps), expected=ONE, source="me", tolerance=EIGHT)


def test_what_lies_just_beyond_its_tolerance_is_not_close() -> None:
    found = mismatch(check.close, seen=one_and(9), expected=ONE, source="me", tolerance=EIGHT)
    assert "9 ulps" in found.difference


@pytest.mark.parametrize(
    "seen, expected, rounded",
    [
        pytest.param(one_and(9), ONE, True, id="numbers"),
        pytest.param(torch.tensor([math.nan]), ONE, False, id="NaN"),
        pytest.param(ONE.double(), ONE, False, id="dtype"),
    ],
)
def test_only_finite_distances_are_put_down_to_a_processor(
    seen: torch.Tensor, expected: torch.Tensor, rounded: bool
) -> None:
    found = mismatch(check.close, seen=seen, expected=expected, source="me", tolerance=EIGHT)
    assert found.rounded is rounded


def test_the_distance_of_what_is_close_is_measured() -> None:
    measurements.take()
    check.close(seen=one_and(3), expected=ONE, source="me", tolerance=EIGHT)
    check.close(seen=ONE, expected=ONE, source="me", tolerance=EIGHT)
    found = measurements.take()
    assert (found.ulps, found.tolerance) == (3.0, 8)


def test_what_is_equal_is_measured_as_no_distance() -> None:
    measurements.take()
    check.close(seen=ONE, expected=ONE, source="me", tolerance=EIGHT)
    found = measurements.take()
    assert (found.ulps, found.tolerance) == (0.0, 8)


def test_the_distance_of_what_is_not_close_is_measured() -> None:
    measurements.take()
    mismatch(check.same, seen=one_and(1), expected=ONE, source="me")
    found = measurements.take()
    assert (found.ulps, found.tolerance) == (1.0, 0)


@pytest.mark.parametrize(
    "distances, used_most",
    [
        pytest.param([], (None, None), id="nothing measured"),
        pytest.param([(0.0, 0.0)], (0.0, 0.0), id="exact"),
        pytest.param([(6.0, 8.0), (7.0, 16.0)], (6.0, 8.0), id="the larger part"),
        pytest.param([(4.0, 8.0), (8.0, 16.0)], (8.0, 16.0), id="of the same part the longer"),
        pytest.param([(9.0, 8.0), (1.0, 0.0)], (1.0, 0.0), id="beyond no tolerance"),
        pytest.param([(0.0, 0.0), (1.0, 64.0)], (1.0, 64.0), id="more than none"),
    ],
)
def test_of_several_measurements_the_one_counts_that_used_up_most(
    distances: list[tuple[float, float]], used_most: tuple[float | None, float | None]
) -> None:
    measurements.take()
    for ulps, tolerance in distances:
        measurements.note(ulps, tolerance, ONE)
    found = measurements.take()
    assert (found.ulps, found.tolerance) == used_most
    assert measurements.take() == measurements.Observation(None, None, None)


def test_results_are_kept_when_a_report_asks_for_them() -> None:
    measurements.take()
    measurements.keep_results(wanted=True)
    try:
        check.same(seen=ONE, expected=ONE, source="me")
        measurements.note_result("a text")
    finally:
        measurements.keep_results(wanted=False)
    check.same(seen=ONE, expected=ONE, source="me")
    kept = measurements.take().results
    assert kept
    assert kept["layout"] == [["0", "float32", [1], 1]]


# 0.125 is within half a unit of the last digit of 0.1, and no rounding is allowed.
PRINTED: dict[str, Any] = {
    "seen": 0.125, "exact": 0.125, "expected": "0.1", "source": "003-2", "tolerance": EXACT,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="one number"),
        pytest.param({"seen": [0.5, [0.25]], "exact": (0.5, 0.25), "expected": ["0.5", "0.2"]},
                     id="a list"),
        pytest.param({"seen": torch.tensor([[0.5], [0.25]]), "exact": [0.5, 0.25],
                      "expected": ["0.5", "0.3"]}, id="a tensor"),
        pytest.param({"exact": 0.15625, "seen": 0.15625, "expected": "0.2"}, id="rounded up"),
        pytest.param({"exact": -0.0009765625, "seen": -0.0009765625, "expected": "-9.8e-04"},
                     id="an exponent"),
        pytest.param({"exact": 10.5, "seen": 10.5, "expected": "10"}, id="half a unit"),
        pytest.param({"exact": 8.0, "seen": 8 * (1 + EPS), "expected": "8",
                      "tolerance": Tolerance(1, "one rounding")}, id="a rounding"),
        # 2²⁰ ulps on a scale of 2 are 0.25: from 0.1 on they and half a unit reach up to 0.4.
        pytest.param({"exact": [0.39, 2.0], "seen": [0.39, 2.0], "expected": ["0.1", "2.0"],
                      "tolerance": Tolerance(2.0**20, "many")}, id="half a unit and a rounding"),
    ],
)  # fmt: skip
def test_a_document_prints_the_exact_course(change: dict[str, Any]) -> None:
    check.printed(**{**PRINTED, **change})


def test_a_loop_that_leaves_the_exact_course_is_a_mismatch() -> None:
    found = mismatch(check.printed, **{**PRINTED, "seen": 0.125 * (1 + EPS)})
    assert found.source == "the exact course, which the document prints: 003-2"
    assert found.expected == "[0.125] float32"
    assert "1 ulps" in found.difference


def test_a_course_that_a_document_does_not_print_is_a_mismatch() -> None:
    change = {"seen": [0.5, 0.25], "exact": [0.5, 0.25], "expected": ["0.5", "0.4"]}
    found = mismatch(check.printed, **{**PRINTED, **change})
    assert found == Mismatch(
        expected="0.5, 0.4",
        seen="0.5, 0.25",
        source="printed by the document, 003-2; seen is the exact course",
        difference="entry 1 is 0.15 away, 1.5 printed units",
        tolerance="half a unit of the last printed digit, and none: bit for bit",
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"expected": "0.2"}, id="the digit above"),
        pytest.param({"expected": "-0.1"}, id="the sign"),
        pytest.param({"expected": "0.124"}, id="the third digit"),
        pytest.param({"expected": "1e-01", "exact": 0.16, "seen": 0.16}, id="an exponent"),
        pytest.param({"exact": [0.41, 2.0], "seen": [0.41, 2.0], "expected": ["0.1", "2.0"],
                      "tolerance": Tolerance(2.0**20, "many")}, id="beyond the rounding"),
    ],
)  # fmt: skip
def test_another_printed_digit_is_a_mismatch(change: dict[str, Any]) -> None:
    assert "printed units" in mismatch(check.printed, **{**PRINTED, **change}).difference


def test_a_document_prints_as_many_numbers_as_the_course_has() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        check.printed(**{**PRINTED, "expected": ["0.1", "0.1"]})


@pytest.mark.parametrize(
    "difference, words",
    [
        pytest.param(Difference("[0].m", "torch.float64", "torch.float32", math.inf, "dtype"),
                     "at [0].m: dtype torch.float32 instead of torch.float64", id="dtype"),
        pytest.param(Difference("", [2], [1, 2], math.inf, "shape"),
                     "shape [1, 2] instead of [2]", id="shape"),
        pytest.param(Difference("", ["a"], ["b"], math.inf, "keys"),
                     "keys ['b'] instead of ['a']", id="keys"),
        pytest.param(Difference("", 2, 1, math.inf, "entries"), "entries 1 instead of 2",
                     id="entries"),
        pytest.param(Difference("", "int", "bool", math.inf, "type"), "type bool instead of int",
                     id="type"),
        pytest.param(Difference("", "torch.strided", "torch.sparse_coo", math.inf, "layout"),
                     "layout torch.sparse_coo instead of torch.strided", id="layout"),
        pytest.param(Difference("[1]", 0.0, -0.0, math.inf, "sign of zero"),
                     "at [1]: -0.0 instead of 0.0, sign of zero", id="sign of zero"),
        pytest.param(Difference("", "a", "b", math.inf), "'b' instead of 'a'", id="texts"),
        pytest.param(Difference("[1]", 0.0, 0.5, 12.34), "at [1]: 0.5 instead of 0.0, 12.3 ulps on "
                     "the scale of the tensor", id="beside zero"),
        pytest.param(Difference("", 8.0, 9.0, 4.0), "9.0 instead of 8.0, 4 ulps on the scale of the "
                     "tensor, 0.125 relative", id="numbers"),
    ],
)  # fmt: skip
def test_a_difference_in_words(difference: Difference, words: str) -> None:
    assert check.describe(difference) == words


@pytest.mark.parametrize(
    "value, text",
    [
        pytest.param(torch.tensor([0.1], requires_grad=True), "[0.10000000149011612] float32",
                     id="a tensor"),
        pytest.param(torch.tensor([[1], [2]]), "[[1], [2]] int64", id="whole numbers"),
        pytest.param(torch.tensor([0.0, 2.0, 0.0]).to_sparse(), "[0.0, 2.0, 0.0] float32",
                     id="a sparse tensor"),
        pytest.param({"a": [1, "b"], 0: (None,)}, "{a: [1, 'b'], 0: [None]}", id="nested"),
        pytest.param(0.1, "0.1", id="a float"),
    ],
)  # fmt: skip
def test_a_result_is_shown_in_full_precision(value: Any, text: str) -> None:
    assert check.show(value) == text


@pytest.mark.parametrize(
    "value, limit, text",
    [
        pytest.param("abc", 5, "'abc'", id="within"),
        pytest.param("abc", 4, "'abc … (1 more characters)", id="beyond"),
    ],
)
def test_a_long_result_is_cut(value: str, limit: int, text: str) -> None:
    assert check.show(value, limit) == text


def test_as_much_is_shown_as_a_person_reads() -> None:
    assert check.show("a" * 500) == "'" + "a" * 399 + " … (102 more characters)"
