"""What a run keeps of its cases: all that somebody asked to be told of them, and little else."""

import re

import pytest

from self_tests.support.small_project import ProjectMaker, SmallProject, claims

CASES = """
    @claim("demo.holds")
    @pytest.mark.parametrize("case", ["a", "b", "c"])
    def test_it(case):
        print(f"it holds in {case}")
"""
# A plugin that says, when all is over, what is left of each case.
WITNESS = """
def pytest_sessionfinish(session):
    for item in session.items:
        left = "callspec" in vars(item) or item.user_properties
        print(f"{item.name}: {'kept' if left else 'let go'}")
"""


@pytest.fixture
def small(project: ProjectMaker) -> SmallProject:
    """A project of one claim with three cases that hold."""
    return project(claims("demo.holds"), CASES)


@pytest.mark.parametrize("option", ["-rp", "-rA"])
def test_each_case_that_passed_is_listed_where_that_is_asked(
    small: SmallProject, option: str
) -> None:
    listed = re.findall(r"^PASSED \S+::test_it\[(\w)\]$", small.run(option).text, re.MULTILINE)
    assert listed == ["a", "b", "c"]


def test_what_each_case_that_passed_has_printed_is_shown_where_that_is_asked(
    small: SmallProject,
) -> None:
    text = small.run("-rP").text
    assert [text.count(f"it holds in {case}") for case in "abc"] == [1, 1, 1]


def test_the_times_of_all_cases_are_told_where_that_is_asked(small: SmallProject) -> None:
    text = small.run("--durations=0", "-vv").text
    told = re.findall(r"^[\d.]+s call .*::test_it\[(\w)\]$", text, re.MULTILINE)
    assert sorted(told) == ["a", "b", "c"]


@pytest.mark.parametrize("option", ["-rp", "--durations=0"])
def test_workers_tell_as_much(small: SmallProject, option: str) -> None:
    text = small.run(option, "-n", "2", "-vv").text
    told = re.findall(r"^(?:PASSED|[\d.]+s call).*test_it\[(\w)\]$", text, re.MULTILINE)
    assert sorted(told) == ["a", "b", "c"]


def test_a_case_that_is_over_is_let_go(small: SmallProject) -> None:
    small.write("witness.py", WITNESS)
    text = small.run("-p", "witness", "-s").text
    assert [f"test_it[{case}]: let go" in text for case in "abc"] == [True, True, True]


@pytest.mark.parametrize("option, kept", [("--new-first", True), ("--failed-first", False)])
def test_the_names_of_all_cases_are_kept_where_somebody_asks_which_are_new(
    small: SmallProject, option: str, *, kept: bool
) -> None:
    assert small.run("-p", "cacheprovider", option).code == 0
    assert (small.path / ".pytest_cache/v/cache/nodeids").exists() is kept
