"""The end of a run: one failure of each broken claim, deviations as a count, and the headline last."""

import pytest

from self_tests.support.small_project import ProjectMaker, claims

THREE = """
    @claim("demo.breaks")
    @pytest.mark.parametrize("case", ["a", "b", "c"])
    def test_it(case):
        assert False, f"it broke in {case}"

    @claim("demo.holds")
    def test_that():
        pass
"""
DEVIATION = """
    [[deviation]]
    claim = "demo.breaks"
    torch = ">=2.0"
    reason = "torch does otherwise"
    issue = "docs/findings.md, another"
"""
BOTH = claims("demo.breaks", "demo.holds")


def test_one_failure_of_a_claim_stands_for_all(project: ProjectMaker) -> None:
    end = project(BOTH, THREE).run()
    assert "it broke in a" in end.text
    assert "it broke in b" not in end.text
    assert "2 more cases of this claim; -v shows them all:" in end.text
    assert "  spec_tests/demo/test_demo.py::test_it[b]" in end.text


def test_verbose_shows_every_failure(project: ProjectMaker) -> None:
    end = project(BOTH, THREE).run("-v")
    assert "it broke in b" in end.text
    assert "it broke in c" in end.text


def test_pytest_counts_every_failure_all_the_same(project: ProjectMaker) -> None:
    assert "3 failed, 1 passed" in project(BOTH, THREE).run().text


@pytest.mark.parametrize("verbosity", [(), ("-q",), ("-v",)], ids=["plain", "quiet", "verbose"])
def test_the_headline_is_the_last_line(project: ProjectMaker, verbosity: tuple[str, ...]) -> None:
    last = project(BOTH, THREE).run(*verbosity).text.strip().splitlines()[-1]
    assert last.endswith(": 1 claim is broken: demo.breaks. Of 2 claims, 1 holds.")


def test_the_headline_says_that_nothing_is_broken(project: ProjectMaker) -> None:
    last = project(BOTH, THREE, DEVIATION).run().text.strip().splitlines()[-1]
    assert last.endswith("nothing is broken. Of 2 claims, 1 holds, 1 deviates as recorded.")


def test_deviations_are_counted(project: ProjectMaker) -> None:
    text = project(BOTH, THREE, DEVIATION).run().text
    assert "1 claim deviates in 3 cases, as recorded; --deviations lists them" in text
    assert "torch does otherwise" not in text


def test_deviations_are_listed_if_asked_for(project: ProjectMaker) -> None:
    text = project(BOTH, THREE, DEVIATION).run("--deviations").text
    assert "deviates: demo.breaks (3 of 3 cases)" in text
    assert "  torch does otherwise (docs/findings.md, another)" in text


def test_the_headline_says_that_nothing_was_checked(project: ProjectMaker) -> None:
    test = """
        @claim("demo.holds")
        def test_it(device):
            pass
    """
    last = project(claims("demo.holds"), test).run("-m", "cuda").text.strip().splitlines()[-1]
    assert last.endswith("nothing was checked. Of 1 claim, 1 was not run.")


@pytest.mark.parametrize("option", [[], ["-v"], ["--durations=3"]], ids=["", "-v", "--durations"])
def test_a_run_counts_what_it_forgot(project: ProjectMaker, option: list[str]) -> None:
    test = '@claim("demo.holds")\ndef test_it(): pass\n'
    text = project(claims("demo.holds"), test).run("-q", *option).text
    assert "1 passed in " in text
    assert ("slowest 3 durations" in text) is (option == ["--durations=3"])
