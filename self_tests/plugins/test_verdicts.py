"""Verdicts of claims, recorded deviations, and the message of a broken claim."""

import re

import pytest

from fixtures.specification.verdicts import Verdict, combine
from self_tests.support.small_project import ProjectMaker, claims

DEVIATION = """
    [[deviation]]
    claim = "demo.holds"
    cases = "bad*"
    torch = ">=2.0"
    reason = "torch is wrong"
    issue = "somewhere#1"
"""
CASES = """
    @claim("demo.holds")
    @pytest.mark.parametrize("case", ["good", "bad"])
    def test_it(case, device):
        assert case == "good", case
"""
FAILS = """
    @claim("demo.holds")
    def test_it(device):
        check.close(
            seen=torch.tensor([1.0, 2.5], device=device),
            expected=torch.tensor([1.0, 2.0]),
            source="closed form",
            tolerance=check.EXACT,
        )
"""


@pytest.mark.parametrize(
    "cases, verdict",
    [
        ("holds broken deviates", "broken"),
        ("holds deviates", "deviates"),
        ("not run|holds|not applicable", "holds"),
        ("not run|not applicable", "not run"),
        ("not applicable", "not applicable"),
    ],
    ids=["broken", "deviates", "holds", "not_run", "not_applicable"],
)
def test_a_claim_is_the_strongest_of_its_cases(cases: str, verdict: str) -> None:
    names = cases.split("|") if "|" in cases or cases.startswith("not") else cases.split()
    assert combine(Verdict(name) for name in names) == verdict


def test_a_claim_without_a_case_has_no_verdict() -> None:
    with pytest.raises(ValueError, match="without a case"):
        combine([])


def test_a_claim_about_other_releases_is_not_applicable(project: ProjectMaker) -> None:
    end = project(claims("demo.holds", fields="torch: <2.0"), CASES).run("-m", "cpu")
    assert set(end.verdicts.values()) == {"not applicable"}
    assert end.code == 0


def test_a_recorded_deviation_is_neither_green_nor_red(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), CASES, DEVIATION).run("-m", "cpu", "--deviations")
    assert end.verdicts == {"test_it[good-cpu]": "holds", "test_it[bad-cpu]": "deviates"}
    assert "torch is wrong (somewhere#1)" in end.text
    assert end.code == 0


def test_a_deviation_that_stops_is_red(project: ProjectMaker) -> None:
    test = CASES.replace('assert case == "good", case', "pass")
    end = project(claims("demo.holds"), test, DEVIATION).run("-m", "cpu")
    assert end.verdicts["test_it[bad-cpu]"] == "broken"
    assert "the claim holds, though deviations.toml records" in end.text
    assert end.code == 1


@pytest.mark.parametrize("raises, verdict", [("", "broken"), ('raises = "KeyError"', "deviates")],
                         ids=["unnamed", "named"])  # fmt: skip
def test_an_error_deviates_only_if_it_is_named(
    project: ProjectMaker, raises: str, verdict: str
) -> None:
    test = CASES.replace('assert case == "good", case', "{'good': 1}[case]")
    deviation = DEVIATION.replace("reason =", f"{raises}\n    reason =")
    end = project(claims("demo.holds"), test, deviation).run("-m", "cpu")
    assert end.verdicts["test_it[bad-cpu]"] == verdict


def test_a_deviation_that_names_an_error_covers_no_other_failure(project: ProjectMaker) -> None:
    deviation = DEVIATION.replace("reason =", 'raises = "KeyError"\n    reason =')
    end = project(claims("demo.holds"), CASES, deviation).run("-m", "cpu")
    assert end.verdicts["test_it[bad-cpu]"] == "broken"


def test_a_deviation_of_no_case_is_red_in_a_full_run_only(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), CASES.replace('"bad"', '"fair"'), DEVIATION)
    small.write_test('@claim("demo.holds")\ndef test_it(): pass\n')
    end = small.run()
    assert end.code == 1
    assert [e for e in end.errors if e.startswith("deviations.toml: no case matches demo.holds")]
    assert small.run("-k", "test_it").code == 0


def test_a_case_that_skips_itself_is_red(project: ProjectMaker) -> None:
    test = '@claim("demo.holds")\ndef test_it(): pytest.skip("no reason")\n'
    end = project(claims("demo.holds"), test).run()
    assert end.verdicts == {"test_it": "broken"}
    assert "calls not_applicable(reason)" in end.text


def test_a_case_may_say_that_it_does_not_apply(project: ProjectMaker) -> None:
    test = '@claim("demo.holds")\ndef test_it(not_applicable): not_applicable("no such kernel")\n'
    end = project(claims("demo.holds"), test).run()
    assert (end.verdicts, end.code) == ({"test_it": "not applicable"}, 0)


def test_the_message_of_a_broken_claim(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), FAILS)
    text = small.run("-m", "cpu").text
    message = text[text.index("demo.holds\n") :].split("\n====")[0]
    shown = re.sub(r"on          torch [^,]+", "on          torch X", message)
    shown = re.sub(r"Python \S+", "Python Y", shown)
    assert shown.splitlines() == [
        "demo.holds",
        "claim       torch does what demo.holds says.",
        "stated in   docs/spec/demo.md:3 (documented)",
        "expected    [1.0, 2.0] float32  [closed form]",
        "seen        [1.0, 2.5] float32",
        "difference  at [1]: 2.5 instead of 2.0, 2.1e+06 ulps on the scale of the tensor, 0.25 relative",
        "tolerance   none: bit for bit",
        "at          spec_tests/demo/test_demo.py:4: check.close( seen=torch.tensor([1.0, 2.5],",
        '            device=device), expected=torch.tensor([1.0, 2.0]), source="closed form",',
        "            tolerance=check.EXACT, )",
        "on          torch X, cpu, Python Y",
        "run again   python -m pytest 'spec_tests/demo/test_demo.py::test_it[cpu]'",
    ]


def test_what_is_judged_by_its_rounding_names_the_processor(project: ProjectMaker) -> None:
    test = FAILS.replace("check.EXACT", "check.Tolerance(8, 'two steps')")
    text = project(claims("demo.holds"), test).run("-m", "cpu").text
    case = "python -m pytest 'spec_tests/demo/test_demo.py::test_it[cpu]'"
    assert "tolerance   8 ulps (two steps)" in text
    assert "processor   " in text
    assert f"\n            ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE {case}\n" in text


def test_the_rerun_command_runs_that_case_alone(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), FAILS)
    command = re.search(r"^run again +python -m pytest '(.*)'$", small.run().text, re.MULTILINE)
    assert command
    assert small.run(command[1]).verdicts == {"test_it[cpu]": "broken"}


def test_an_unexpected_error_keeps_its_traceback(project: ProjectMaker) -> None:
    test = '@claim("demo.holds")\ndef test_it(): {}["missing"]\n'
    text = project(claims("demo.holds"), test).run().text
    assert "seen        KeyError: 'missing'" in text
    assert "test_demo.py:3: KeyError" in text
