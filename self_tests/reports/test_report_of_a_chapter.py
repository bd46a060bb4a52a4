"""A chapter of the specification itself, reported twice: the reports are whole, and differ in nothing."""

import subprocess
import sys

import pytest

from fixtures.compare.changes import CATEGORIES, compare
from fixtures.report.storage import Report, read_report
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

CHAPTER = "zero-grad"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """The reports of a run of the chapter, and of the same in two processes."""
    found = []
    for name, more in (("alone", []), ("parallel", ["-n", "2"])):
        folder = tmp_path_factory.mktemp(name)
        command = ["-m", "pytest", "-q", "-m", "cpu", f"--report={folder}", f"spec_tests/{CHAPTER}"]
        done = subprocess.run(
            [sys.executable, *command, *more], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        found.append(read_report(folder))
    return found


def test_every_claim_of_the_chapter_has_a_verdict(reports: list[Report]) -> None:
    asked = [claim["id"] for claim in reports[0]["claims"] if claim["verdict"]]
    register = read_register(ROOT / "docs" / "spec")
    assert asked == [claim.id for claim in register if claim.chapter == CHAPTER]


def test_the_same_run_has_the_same_report(reports: list[Report]) -> None:
    alone, parallel = ({k: v for k, v in report.items() if k != "times"} for report in reports)
    assert alone == parallel


def test_nothing_has_changed_from_one_to_the_other(reports: list[Report]) -> None:
    changes = compare(*reports)
    assert {category: changes.count(category) for category in CATEGORIES} == dict.fromkeys(
        CATEGORIES, 0
    )
    assert changes.unchanged > 50
    assert (changes.rounding, changes.elsewhere, changes.notes) == (0, 0, [])


def test_results_are_kept_of_cases_that_compare_tensors(reports: list[Report]) -> None:
    cases = [case for claim in reports[0]["claims"] for case in claim["cases"]]
    measured = [case for case in cases if "ulps" in case]
    assert measured
    assert [case["node"] for case in measured if "results" not in case] == []
