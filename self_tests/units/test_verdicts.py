"""The verdict of a claim: that of its cases which counts most."""

from itertools import permutations

import pytest

from fixtures.specification.verdicts import Verdict, combine

STRONGEST_FIRST = ["broken", "deviates", "holds", "not run", "not applicable"]


def verdicts(*names: str) -> list[Verdict]:
    return [Verdict(name) for name in names]


@pytest.mark.parametrize("name", STRONGEST_FIRST)
def test_a_claim_with_one_case_is_what_that_is(name: str) -> None:
    assert combine(verdicts(name)) is Verdict(name)


@pytest.mark.parametrize("name", STRONGEST_FIRST)
def test_cases_that_agree_decide_alone(name: str) -> None:
    assert combine(verdicts(name, name, name)) == name


@pytest.mark.parametrize(
    "strong, weak",
    [
        (strong, weak)
        for i, strong in enumerate(STRONGEST_FIRST)
        for weak in STRONGEST_FIRST[i + 1 :]
    ],
    ids=str,
)
def test_the_stronger_of_two_counts_wherever_it_stands(strong: str, weak: str) -> None:
    assert combine(verdicts(strong, weak)) == strong
    assert combine(verdicts(weak, strong)) == strong
    assert combine(verdicts(weak, weak, strong, weak)) == strong


@pytest.mark.parametrize("left_out", range(5), ids=lambda n: f"without the first {n}")
def test_of_many_the_strongest_counts_in_every_order(left_out: int) -> None:
    left = STRONGEST_FIRST[left_out:]
    assert {combine(verdicts(*order)) for order in permutations(left)} == {left[0]}


def test_there_are_no_other_verdicts() -> None:
    assert sorted(map(str, Verdict)) == sorted(STRONGEST_FIRST)


def test_cases_may_come_one_after_another() -> None:
    assert combine(iter(verdicts("holds", "broken"))) is Verdict.BROKEN


def test_a_claim_without_a_case_has_no_verdict() -> None:
    with pytest.raises(ValueError, match=r"^a claim without a case has no verdict$"):
        combine(iter(()))
