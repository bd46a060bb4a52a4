"""The findings: each is valid, shown by programs that print what it says, and at home with its deviations."""

import re

import pytest

from fixtures.findings import pages, programs, upstream_report
from fixtures.releases.supported import RELEASES
from fixtures.specification.deviations import read_deviations
from fixtures.specification.findings import Finding, read_findings
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

REGISTER = read_register(ROOT / "docs" / "spec")
FINDINGS = read_findings(ROOT / "docs" / "findings", REGISTER)
DEVIATIONS = read_deviations(ROOT / "deviations.toml", REGISTER)
# What a reader of torch's tracker has never heard of.
OWN_WORDS = re.compile(
    r"\b(claim|claims|deviation|deviations|this suite|oracle|sabotage)\b", re.IGNORECASE
)

each_finding = pytest.mark.parametrize("finding", FINDINGS, ids=[f.id for f in FINDINGS])


@pytest.fixture(scope="module")
def differences() -> dict[str, str]:
    """What does not go as a finding says on the installed torch, by its id."""
    found = programs.differences(FINDINGS)
    return {text.partition(":")[0]: text for text in found}


@each_finding
def test_the_programs_print_what_the_finding_says(
    finding: Finding, differences: dict[str, str]
) -> None:
    assert differences.get(finding.id, "") == ""


@each_finding
def test_a_program_departs_on_every_release_of_the_finding(finding: Finding) -> None:
    releases = [release.torch for release in RELEASES if release.torch in finding.torch]
    asked = [r for r in releases if any(programs.can_run(p, r) for p in finding.programs)]
    right = [
        release
        for release in asked
        if all(
            program.expected(release) == program.right
            for program in finding.programs
            if programs.can_run(program, release)
        )
    ]
    assert right == []


@each_finding
def test_no_program_departs_on_another_release(finding: Finding) -> None:
    others = [release.torch for release in RELEASES if release.torch not in finding.torch]
    wrong = [
        release
        for release in others
        for program in finding.programs
        if release in program.since and program.expected(release) != program.right
    ]
    assert wrong == []


@each_finding
def test_a_report_for_torch_needs_nothing_of_this_project(finding: Finding) -> None:
    assert OWN_WORDS.findall(upstream_report.report(finding)) == []


def test_every_deviation_is_described_by_a_finding_that_names_its_claim() -> None:
    claims = {finding.id: finding.claims for finding in FINDINGS}
    missing = [
        str(deviation)
        for deviation in DEVIATIONS
        if deviation.claim not in claims.get(deviation.finding, ())
    ]
    assert missing == []


def test_a_finding_is_about_every_release_of_its_deviations() -> None:
    # It may be about more: a program is asked of releases, or in ways, that no case is.
    of = {finding.id: finding.torch for finding in FINDINGS}
    assert [
        f"{deviation}: {release.torch}"
        for deviation in DEVIATIONS
        for release in RELEASES
        if release.torch in deviation.torch and release.torch not in of[deviation.finding]
    ] == []


def test_the_pages_are_not_stale() -> None:
    stale = [
        path
        for path, text in pages.pages(FINDINGS, REGISTER).items()
        if (ROOT / "docs" / path).read_text(encoding="utf-8") != text
    ]
    assert stale == []


LISTS = ("findings.md", "findings/errors.md", "findings/mended.md")


def _named(row: str) -> str:
    return re.sub(r".*\]\((?:findings/)?(\S+)\.md\) \|.*", r"\1", row)


def test_the_index_fits_on_two_screens() -> None:
    index = pages.pages(FINDINGS, REGISTER)["findings.md"].splitlines()
    assert len(index) <= 120


def test_every_finding_stands_in_one_list() -> None:
    made = pages.pages(FINDINGS, REGISTER)
    rows = [line for page in LISTS for line in made[page].splitlines() if line.startswith("| [")]
    assert sorted(_named(row) for row in rows) == sorted(finding.id for finding in FINDINGS)


def test_the_worst_stand_first() -> None:
    assert [*FINDINGS] == sorted(FINDINGS, key=lambda finding: finding.weight)
