"""The command that runs the specification under many conditions: what it runs, and that it sees alarms."""

import pytest

from self_tests.silence.__main__ import main
from self_tests.silence.conditions import PLAIN, SEEDS, Condition, Place, all_conditions
from self_tests.silence.runs import run

# A module of a few quick cases.
QUICK = "spec_tests/gradients/test_leaves.py"


def test_every_condition_has_a_name_of_its_own() -> None:
    names = [condition.name for condition in all_conditions("AVX512")]
    assert len(names) == len(set(names))


def test_thirty_orders_are_tried() -> None:
    orders = [c for c in all_conditions("DEFAULT") if c.name.startswith("order")]
    assert len(orders) == len(SEEDS) == 30


def test_no_wider_instructions_are_asked_for_than_the_processor_has() -> None:
    asked = {c.environment.get("ATEN_CPU_CAPABILITY") for c in all_conditions("AVX2")}
    assert asked == {None, "default", "avx2"}


@pytest.mark.parametrize("place", list(Place))
def test_a_run_tells_the_outcome_of_each_case(place: Place) -> None:
    found = run(Condition("a place", place=place), (QUICK,))
    assert (found.code, "passed" in found.cases.values()) == (0, True), found.tail


def test_what_a_condition_changes_is_an_alarm(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = Condition("fewer cases", ("-k", "cpu"))
    monkeypatch.setattr("self_tests.silence.__main__.all_conditions", lambda _: [PLAIN, fewer])
    assert main(["--only", "fewer", QUICK]) == 1
    assert "no such case instead of" in capsys.readouterr().out
