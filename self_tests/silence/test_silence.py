"""The command that runs the specification under many conditions: what it runs, and that it sees alarms."""

import json
import subprocess
from pathlib import Path

import pytest

from self_tests.silence.__main__ import main
from self_tests.silence.conditions import (
    PLAIN,
    ROWS,
    SEEDS,
    Condition,
    Place,
    all_conditions,
    machines,
)
from self_tests.silence.runs import run
from self_tests.support.forked_cases import ROOT

# A module of a few quick cases.
QUICK = "spec_tests/gradients/test_leaves.py"


def test_every_condition_has_a_name_of_its_own() -> None:
    names = [condition.name for condition in all_conditions("AVX512")]
    assert len(names) == len(set(names))


def test_thirty_orders_are_tried() -> None:
    orders = [c for c in all_conditions("DEFAULT") if c.name.startswith("order")]
    assert len(orders) == len(SEEDS) == 30


def test_forty_machines_are_played_where_the_processor_has_all_instructions() -> None:
    played = {machine.name for machine in machines("AVX512")}
    assert len(played) == 40
    assert played <= {condition.name for condition in all_conditions("AVX512")}


@pytest.mark.parametrize("row, size", [("short", 6), ("releases", 12)])
def test_a_row_is_a_part_of_the_played_machines(row: str, size: int) -> None:
    assert len(set(ROWS[row])) == size
    assert set(ROWS[row]) <= {machine.name for machine in machines("AVX512")}


def test_no_wider_instructions_are_asked_for_than_the_processor_has() -> None:
    asked = {c.environment.get("ATEN_CPU_CAPABILITY") for c in all_conditions("AVX2")}
    assert asked == {None, "default", "avx2"}


@pytest.mark.parametrize("place", list(Place))
def test_a_run_tells_the_outcome_of_each_case(place: Place) -> None:
    found = run(Condition("a place", place=place), (QUICK,))
    assert (found.code, "passed" in found.cases.values()) == (0, True), found.tail


def test_the_report_of_each_run_is_kept_if_asked(tmp_path: Path) -> None:
    run(Condition("seed 3", ("--random-rounding", "3")), ("-m", "cpu", QUICK), tmp_path)
    header = json.loads((tmp_path / "seed-3" / "report.json").read_text("utf-8"))["header"]
    assert header["options"]["random_rounding"] == "3"


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param((), "no FOLDER", id="nothing"),
        pytest.param(("folder", "2.13.0", "-q"), "'-q' is one argument too many", id="no dashes"),
    ],
)
def test_the_script_for_aarch64_says_in_a_line_what_is_wrong(
    arguments: tuple[str, ...], words: str
) -> None:
    script = ROOT / "self_tests" / "silence" / "played_aarch64.sh"
    done = subprocess.run([script, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_what_a_condition_changes_is_an_alarm(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = Condition("fewer cases", ("-k", "cpu"))
    monkeypatch.setattr("self_tests.silence.__main__.all_conditions", lambda _: [PLAIN, fewer])
    assert main(["--only", "fewer", QUICK]) == 1
    assert "no such case instead of" in capsys.readouterr().out
