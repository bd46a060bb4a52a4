"""Bounds of ranges: between which releases they stand, and what proves them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.releases import bounds
from fixtures.releases.bounds import of_range, shown_of_claims, unproven
from fixtures.report.storage import read_report
from fixtures.specification.deviations import Deviation, read_deviations
from fixtures.specification.register import read_register
from fixtures.specification.torch_range import TorchRange
from self_tests.support.forked_cases import ROOT
from self_tests.support.made_up_reports import case, claim, report
from self_tests.support.small_project import ProjectMaker, claims

Unproven = Callable[..., list[str]]


@pytest.fixture
def missing(tmp_path: Path) -> Unproven:
    """Tells what is unproven of one claim, demo.it, and of entries about it."""

    def ask(fields: str, evidence: dict[str, Any], *deviations: Deviation) -> list[str]:
        (tmp_path / "demo.md").write_text(claims("demo.it", fields=fields), encoding="utf-8")
        return unproven(read_register(tmp_path), deviations, evidence)

    return ask


def test_the_stored_runs_prove_every_bound() -> None:
    register = read_register(ROOT / "docs" / "spec")
    deviations = read_deviations(ROOT / "deviations.toml", register)
    assert unproven(register, deviations, bounds.read_evidence(bounds.FOLDER)) == []


def test_a_range_has_a_bound_where_it_begins_and_one_where_it_ends() -> None:
    found = [(bound.inside, bound.outside) for bound in of_range("it", TorchRange(">=2.4,<2.8"))]
    assert found == [("2.4.1", "2.3.1"), ("2.7.1", "2.8.0")]


def test_a_range_over_all_releases_has_none() -> None:
    assert list(of_range("it", TorchRange(">=2.0"))) == []


def test_a_bound_of_what_it_lies_within_is_not_asked_about_twice() -> None:
    assert list(of_range("it", TorchRange(">=2.4"), within=TorchRange(">=2.4"))) == []


def test_a_claim_that_fails_outside_is_proven(missing: Unproven) -> None:
    assert missing("torch: >=2.4", {"2.3.1": {"claims": {"cpu": {"demo.it": {"": "fails"}}}}}) == []


def test_a_claim_of_which_there_is_no_case_outside_is_proven(missing: Unproven) -> None:
    assert (
        missing("torch: >=2.4", {"2.3.1": {"claims": {"cpu": {"demo.it": {"": "absent"}}}}}) == []
    )


def test_a_claim_that_holds_outside_is_not(missing: Unproven) -> None:
    found = missing("torch: >=2.4", {"2.3.1": {"claims": {"cpu": {"demo.it": {"": "holds"}}}}})
    assert found == ["demo.it: torch >=2.4, between 2.4.1 and 2.3.1: holds on 2.3.1 all the same"]


def test_a_claim_that_nobody_asked_outside_is_not(missing: Unproven) -> None:
    found = missing("torch: >=2.4", {})
    assert found == ["demo.it: torch >=2.4, between 2.4.1 and 2.3.1: no run has asked on 2.3.1"]


def test_a_bound_of_an_implementation_is_judged_by_its_own_cases(missing: Unproven) -> None:
    fields = "torch: >=2.0 · implementations: any, fused>=2.4"
    shown = {"loop": "fails", "fused": "holds"}
    assert missing(fields, {"2.3.1": {"claims": {"cpu": {"demo.it": shown}}}}) == [
        "demo.it (fused): torch >=2.4, between 2.4.1 and 2.3.1: holds on 2.3.1 all the same"
    ]
    shown = {"loop": "holds", "fused": "fails"}
    assert missing(fields, {"2.3.1": {"claims": {"cpu": {"demo.it": shown}}}}) == []


DEVIATION = Deviation("demo.it", TorchRange(">=2.4"), "torch does otherwise")
KEY = bounds.key_of(DEVIATION)


def on_both_sides(inside: dict[str, int], outside: dict[str, int]) -> dict[str, Any]:
    """Return evidence of an entry whose range begins at 2.4."""
    return {
        "2.4.1": {"deviations": {"cpu": {KEY: inside}}},
        "2.3.1": {"deviations": {"cpu": {KEY: outside}}},
    }


def test_an_entry_that_fails_inside_and_holds_outside_is_proven(missing: Unproven) -> None:
    evidence = on_both_sides({"deviates": 2}, {"holds": 2})
    assert missing("torch: >=2.0", evidence, DEVIATION) == []


def test_an_entry_without_a_case_outside_is_proven(missing: Unproven) -> None:
    assert missing("torch: >=2.0", on_both_sides({"deviates": 2}, {}), DEVIATION) == []


@pytest.mark.parametrize(
    "inside, outside, says",
    [
        ({"holds": 2}, {"holds": 2}, "no case deviates on 2.4.1 (2 holds)"),
        ({}, {"holds": 2}, "no case deviates on 2.4.1 (no case there)"),
        ({"deviates": 2}, {"broken": 2}, "no case holds on 2.3.1 (2 broken)"),
    ],
    ids=["holds inside", "no case inside", "fails outside"],
)
def test_any_other_entry_is_not(
    missing: Unproven, inside: dict[str, int], outside: dict[str, int], says: str
) -> None:
    found = missing("torch: >=2.0", on_both_sides(inside, outside), DEVIATION)
    assert found == [f"demo.it [*] on any: torch >=2.4, between 2.4.1 and 2.3.1: {says}"]


def test_a_report_of_some_claims_tells_of_those_that_no_case_of_an_entry_is_about(
    tmp_path: Path, missing: Unproven
) -> None:
    another = Deviation("demo.other", TorchRange(">=2.4"), "torch does otherwise")
    for release, became in (("2.4.1", "deviates"), ("2.3.1", "not applicable")):
        asked = report(release, claim("demo.it", case(became)), claim("demo.other"))
        asked["header"]["options"]["claim"] = ["demo.it"]
        bounds.store(asked, [DEVIATION, another], tmp_path / "stored")
    evidence = bounds.read_evidence(tmp_path / "stored")
    assert missing("torch: >=2.0", evidence, DEVIATION) == []
    told = [
        key
        for release in evidence.values()
        for lane in release["deviations"].values()
        for key in lane
    ]
    assert told == [KEY, KEY]


def test_a_report_shows_each_claim_by_implementation(project: ProjectMaker) -> None:
    specification = claims("demo.later", "demo.now", fields="torch: >=99")
    test = """
        @claim("demo.later")
        def test_later():
            assert False

        @claim("demo.now")
        def test_now():
            pass
    """
    made = project(specification, test)
    made.run("--outside-bounds", "--report=out")
    shown = shown_of_claims(read_report(made.path / "out"))
    assert shown == {"demo.later": {"": "fails"}, "demo.now": {"": "holds"}}
