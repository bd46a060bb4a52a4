"""A case whose process died is broken; one that was interrupted is not run; neither is taken to hold."""

import json

import pytest

from self_tests.support.small_project import ProjectMaker, SmallProject, claims

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
