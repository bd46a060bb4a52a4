"""A case whose process died is broken; one that was interrupted is not run; neither is taken to hold."""

import json
import re
from pathlib import Path

import pytest

from fixtures.report import unfinished
from fixtures.report.storage import ReportError, read_report
from fixtures.specification.verdicts import Verdict
from self_tests.support.small_project import ProjectMaker, SmallProject, claims

USAGE_ERROR = 4
CASES = """
    import os, signal

    @claim("demo.holds")
    @pytest.mark.parametrize("case", ["a", "b", "c", "d"])
    def test_it(case, device):
        {accident}
"""


def report_of(small: SmallProject) -> dict[str, dict[str, str]]:
    """Return the verdict and the reason of each case, by its name."""
    report = json.loads(small.read("report/report.json"))
    return {
        case["case"]: {"verdict": case["verdict"], "reason": case.get("reason", "")}
        for case in report["claims"][0]["cases"]
    }


@pytest.mark.parametrize(
    "accident, how",
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("os._exit(3)", "ended with exit code 3"),
    ],
    ids=["killed", "segfault", "exit"],
)
def test_a_case_whose_worker_died_is_broken(project: ProjectMaker, accident: str, how: str) -> None:
    test = CASES.format(accident=f'if case == "c": {accident}')
    small = project(claims("demo.holds"), test)
    end = small.run_in_new_process("-n", "2", "-m", "cpu", "--report=report")
    found = report_of(small)
    assert end.code == 1
    assert {case: found[case]["verdict"] for case in found} == {
        "a": "holds", "b": "holds", "c": "broken", "d": "holds",
    }  # fmt: skip
    assert "cases on cpu: 1 broken, 3 holds" in end.text
    told = " ".join(found["c"]["reason"].split())
    assert f"the case was begun, and the process that ran it {how}" in told
    assert "python -m pytest 'spec_tests/demo/test_demo.py::test_it[c-cpu]'" in told


def test_an_interrupted_case_is_not_run(project: ProjectMaker) -> None:
    accident = 'if case == "c": raise KeyboardInterrupt'
    small = project(claims("demo.holds"), CASES.format(accident=accident))
    end = small.run_in_new_process("-m", "cpu", "--report=report")
    found = report_of(small)
    assert end.code == 2
    assert {case: found[case]["verdict"] for case in found} == {
        "a": "holds", "b": "holds", "c": "not run",
    }  # fmt: skip
    assert found["c"]["reason"] == "the run ended before the case did"
    assert json.loads(small.read("report/report.json"))["footer"]["ended"] == "interrupted"


@pytest.mark.parametrize(
    "accident", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)"], ids=["killed", "exit"]
)
def test_a_run_whose_process_died_is_not_taken_for_one_that_ended(
    project: ProjectMaker, accident: str
) -> None:
    small = project(claims("demo.holds"), CASES.format(accident="pass"))
    assert small.run("-m", "cpu", "--report=report").code == 0
    of_before = small.read("report/report.json")
    small.write_test(CASES.format(accident=f'if case == "c": {accident}'))
    small.run_in_new_process("-m", "cpu", "--report=report")
    # What it had finished is kept, and nobody takes the report beside it for its own.
    told = (
        "its process died in spec_tests/demo/test_demo.py::test_it[c-cpu]; it had finished 2 cases "
        "(holds: 2); report.json beside it is of an earlier run"
    )
    assert small.read("report/report.json") == of_before
    for place in ("report", "report/report.json"):
        with pytest.raises(ReportError, match=re.escape(told)):
            read_report(small.path / place)
    end = small.run("-m", "cpu", f"--baseline={small.path / 'report'}")
    assert (end.code, end.results) == (USAGE_ERROR, {})
    # The next run is not confused by what is left.
    small.write_test(CASES.format(accident="pass"))
    assert small.run("-m", "cpu", "--report=report").code == 0
    assert not (small.path / "report/report.unfinished").exists()
    assert len(read_report(small.path / "report")["claims"][0]["cases"]) == 4


def test_a_process_that_dies_while_it_collects_leaves_word(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), "import os\nos._exit(0)")
    small.run_in_new_process("--report=report")
    with pytest.raises(ReportError, match=r"it had finished no case; it left no report\.json"):
        read_report(small.path / "report")


def test_a_run_that_is_refused_leaves_none(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), "def test_it(): pass")
    assert small.run("--report=report").code == USAGE_ERROR
    assert list((small.path / "report").iterdir()) == []


def test_a_line_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    notes = unfinished.Notes(tmp_path, {})
    notes.begun("a")
    notes.finished("a", Verdict.BROKEN, "it broke")
    notes.begun("b")
    with notes.path.open("ab") as file:
        file.write(b'{"node":"b","verd')
    told = unfinished.told(tmp_path / "report.json")
    assert told
    assert "its process died in b; it had finished 1 case (broken: 1, a)" in told
    notes.drop_if_nothing_finished()
    assert notes.path.exists()
    notes.drop()
    assert unfinished.told(tmp_path / "report.json") is None


def test_a_full_disk_does_not_end_the_run_that_takes_notes(tmp_path: Path) -> None:
    (tmp_path / unfinished.NAME).symlink_to("/dev/full")
    notes = unfinished.Notes(tmp_path, {})
    notes.finished("a", Verdict.HOLDS, "")
    notes.drop()
