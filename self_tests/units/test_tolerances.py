"""The tolerances: each has a name, a number of ulps and a reason, and exactness is none."""

import pytest

from fixtures.assertions import tolerances
from fixtures.assertions.tolerances import EXACT, Tolerance

NAMED = {name: t for name, t in vars(tolerances).items() if isinstance(t, Tolerance)}
WIDE = {name: t for name, t in NAMED.items() if name != "EXACT"}
each_tolerance = pytest.mark.parametrize("tolerance", WIDE.values(), ids=WIDE)


def test_there_are_tolerances_to_test() -> None:
    assert {"EXACT", "STEPS", "LOOP", "DRAWN", "SCHEDULE"} <= NAMED.keys()


def test_exactness_allows_no_ulp_and_needs_no_reason() -> None:
    assert (EXACT.ulps, EXACT.reason) == (0, "")


@each_tolerance
def test_a_tolerance_is_positive(tolerance: Tolerance) -> None:
    assert 0 < tolerance.ulps < float("inf")


@each_tolerance
def test_a_tolerance_is_no_wider_than_numbers_in_float32_are(tolerance: Tolerance) -> None:
    assert tolerance.ulps <= 2.0**23, "2²³ ulps are the whole of the largest number"


@each_tolerance
def test_a_tolerance_has_a_reason(tolerance: Tolerance) -> None:
    assert len(tolerance.reason.split()) > 3


@each_tolerance
def test_a_reason_is_a_clause_that_a_message_puts_into_brackets(tolerance: Tolerance) -> None:
    assert tolerance.reason == tolerance.reason.strip().rstrip(".")
    assert "\n" not in tolerance.reason


@pytest.mark.parametrize("name", NAMED)
def test_a_tolerance_has_a_name_in_capitals(name: str) -> None:
    assert name == name.upper()


def test_a_tolerance_has_one_name() -> None:
    assert len({id(tolerance) for tolerance in NAMED.values()}) == len(NAMED)


def test_no_two_tolerances_have_the_same_reason() -> None:
    reasons = [tolerance.reason for tolerance in NAMED.values()]
    assert sorted(reasons) == sorted(set(reasons))


@pytest.mark.parametrize(
    "tolerance, words",
    [
        pytest.param(EXACT, "none: bit for bit", id="exact"),
        pytest.param(Tolerance(16, "some roundings"), "16 ulps (some roundings)", id="whole"),
        pytest.param(Tolerance(0.5, "one rounding"), "0.5 ulps (one rounding)", id="half"),
        pytest.param(Tolerance(2.0**23, "all"), "8.38861e+06 ulps (all)", id="large"),
    ],
)
def test_a_tolerance_in_words(tolerance: Tolerance, words: str) -> None:
    assert str(tolerance) == words
