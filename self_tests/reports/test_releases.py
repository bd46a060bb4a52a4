"""The one list of releases, and what is made from it: the matrix of CI, the sessions of nox, the page."""

import re
from pathlib import Path
from typing import Any

import pytest

from fixtures.command import InputError
from fixtures.compare.stored import lanes
from fixtures.releases import ci_matrix, compatibility
from fixtures.releases.supported import RELEASES, Release
from fixtures.report.storage import read_report
from fixtures.specification.torch_range import release_of
from self_tests.support.forked_cases import ROOT
from self_tests.support.made_up_reports import case, claim, write
from self_tests.support.made_up_reports import report as report_of
from self_tests.support.small_project import ProjectMaker, SmallProject, claims

CASES = """
    @claim("demo.holds")
    def test_holds(device):
        pass

    @claim("demo.breaks")
    def test_breaks(device):
        assert False
"""


def test_releases_stand_in_their_order() -> None:
    versions = [release_of(release.torch) for release in RELEASES]
    assert versions == sorted(set(versions))


def test_an_accelerator_is_emulated_on_the_newer_ones() -> None:
    assert not Release("2.9.1", ("3.11",)).can_be_emulated_on
    assert Release("2.10.0", ("3.11",)).can_be_emulated_on
    assert Release("3.0.0", ("3.11",)).can_be_emulated_on


def test_the_workflow_is_not_stale() -> None:
    assert ci_matrix.main(["--check"]) == 0


def test_the_workflow_runs_every_release() -> None:
    text = ci_matrix.WORKFLOW.read_text(encoding="utf-8")
    listed = re.findall(r'\{torch: "(\S+)", python: "(\S+)", lane: (\w+)\}', text)
    assert {torch for torch, _, _ in listed} == {release.torch for release in RELEASES}
    assert len(listed) == len(set(listed))


def test_a_stale_workflow_is_noticed_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ci_matrix.WORKFLOW.read_text(encoding="utf-8")
    stale = tmp_path / "specification.yml"
    stale.write_text(text.replace('{torch: "2.0.1", ', '{torch: "2.0.0", '), encoding="utf-8")
    monkeypatch.setattr(ci_matrix, "WORKFLOW", stale)
    assert ci_matrix.main(["--check"]) == 1
    assert ci_matrix.main([]) == 0
    assert stale.read_text(encoding="utf-8") == text


def test_a_workflow_without_a_place_for_the_matrix_is_refused() -> None:
    with pytest.raises(InputError, match="has 0 places for the matrix"):
        ci_matrix.with_matrix("jobs: {}\n")


def test_the_page_of_compatibility_is_not_stale() -> None:
    assert compatibility.main(["--check"]) == 0


def test_every_release_on_the_list_is_stored_and_no_other() -> None:
    assert list(lanes()["cpu"].runs) == [release.torch for release in RELEASES]


@pytest.fixture
def report(project: ProjectMaker) -> SmallProject:
    """A project with a report in ``out``."""
    small = project(claims("demo.holds", "demo.breaks"), CASES)
    small.run("--report=out", "-m", "cpu")
    return small


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of docs/."""
    monkeypatch.setattr(compatibility, "ROOT", tmp_path)
    monkeypatch.setattr(compatibility, "PAGE", tmp_path / "compatibility.md")
    monkeypatch.setattr(compatibility, "FOLDER", tmp_path / "compatibility")
    return tmp_path


def test_a_summary_counts_claims_by_chapter_and_verdict(report: SmallProject) -> None:
    one = compatibility.summary(read_report(report.path / "out"))
    assert one["chapters"] == {"demo": {"holds": 1, "broken": 1}}
    assert (one["lane"], one["cases"], one["broken"]) == ("cpu", 2, ["demo.breaks"])
    assert one["asked"] == read_report(report.path / "out")["times"]["started"][:10]


def test_the_page_is_made_from_what_is_stored(elsewhere: Path) -> None:
    demo = claim("training.calling-the-module", case("holds", "a"), case("broken", "b"))
    file = write(elsewhere / "report.json", report_of("2.8.0", {**demo, "chapter": "training"}))
    assert compatibility.main([str(file)]) == 0
    assert (elsewhere / "compatibility" / "cpu" / "training.json").exists()
    text = (elsewhere / "compatibility.md").read_text(encoding="utf-8")
    assert "| chapter | 2.8.0 |" in text
    assert "| [training](spec/training.md) | 0 · 1 ✗ |" in text
    assert "- `training.calling-the-module`: 2.8.0" in text
    assert compatibility.main(["--check"]) == 0
    (elsewhere / "compatibility.md").write_text("stale\n", encoding="utf-8")
    assert compatibility.main(["--check"]) == 1


def test_a_report_that_cannot_be_read_leaves_the_page_alone(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compatibility.main(["missing"]) == 2
    assert "missing: no report there" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []


def test_lanes_have_tables_of_their_own() -> None:
    base: dict[str, Any] = {
        "release": "2.10.0", "cases": 1, "asked": "2026-11-29", "broken": [], "deviates": [],
        "chapters": {"demo": {"holds": 3, "deviates": 2, "not run": 1}},
        "specification": {"digest": "x"},
    }  # fmt: skip
    text = compatibility.page([{**base, "lane": "cpu"}, {**base, "lane": "emulated"}])
    assert text.index("## On cpu") < text.index("## On emulated")
    assert "3 · 2 ≠ · 1 ○" in text
    assert "| asked on | 2026-11-29 |" in text


def test_nox_takes_its_sessions_from_the_list() -> None:
    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert "from fixtures.releases.supported import RELEASES" in text
    assert [release.torch for release in RELEASES if f'"{release.torch}"' in text] == []
