"""The page of a comparison without a browser: what it says besides the text, and where it leads."""

import re
from pathlib import Path
from typing import Any

import pytest

from fixtures.compare.changes import Changes, compare
from fixtures.compare.page import page
from fixtures.compare.text import text
from fixtures.report.rendering import extracted
from self_tests.support.made_up_pages import broken_run, held_run
from self_tests.support.made_up_reports import case, claim, report

# A claim of the specification, of which a made-up report may have a case.
KNOWN = "rates.last-rates-are-copies"


@pytest.fixture(scope="module")
def changes() -> Changes:
    """From a run in which everything holds to one in which a claim is broken, and one deviates."""
    return compare(held_run(), broken_run({}))


def moved(release: str, value: float) -> dict[str, Any]:
    """Return a report in which a claim that the specification has gave a result."""
    asked = case("holds", "adamw.default", optimizer="AdamW", ulps=0.0, tolerance=8.0, results=0)
    surface = {"torch.optim.AdamW": {"kind": "class", "signature": []}} if value else {}
    return report(
        release, claim(KNOWN, asked), results=[[("lr", "float64", value)]], surface=surface
    )


def test_the_page_has_the_sections_of_the_text(changes: Changes, tmp_path: Path) -> None:
    titles = re.findall(r'<h2 id="[\w-]+">(.*?) <span', page(changes, tmp_path))
    assert titles == ["Broken now: 1 claim", "Deviations new or mended: 1 claim", "Warnings: 1"]
    told = text(changes, everything=True)
    assert [title for title in titles if title not in told] == []


def test_a_finding_and_its_issues_are_links(changes: Changes, tmp_path: Path) -> None:
    found = page(changes, tmp_path)
    assert re.search(
        r'NaN \(<a href="[^"]+/findings/adam-rate-zero-writes-nan.md">adam-rate', found
    )
    assert '<a href="https://github.com/pytorch/pytorch/issues/126514">#126514</a>' in found


def test_a_result_that_moved_has_the_sentence_of_its_claim_and_a_direction(tmp_path: Path) -> None:
    found = page(compare(moved("2.12.0", 0.1), moved("2.13.0", 0.2)), tmp_path)
    sentence = "Changing a tensor that <code>get_last_lr()</code> of a scheduler returned"
    assert sentence in found
    assert re.search(rf'<a href="[^"]+/spec/[\w-]+\.md#[\w-]+">{re.escape(KNOWN)}</a>', found)
    assert "Results moved: 1" in found


def test_a_name_of_torch_leads_to_its_documentation(tmp_path: Path) -> None:
    found = page(compare(moved("2.12.0", 0.0), moved("2.13.0", 0.2)), tmp_path)
    where = "https://docs.pytorch.org/docs/2.13/generated/torch.optim.AdamW.html"
    assert f'<a href="{where}">torch.optim.AdamW</a>' in found


def test_with_the_reports_the_page_knows_of_what_a_claim_is_asked(changes: Changes) -> None:
    reports = [held_run(), broken_run({})]
    known, guessed = (extracted(page(changes, reports=told)) for told in (reports, ()))
    assert (known["whole"], guessed["whole"]) == (True, False)
    deviating = known["entries"][1][0][0]
    names = [[known["names"][n] for number in sets for n in known["sets"][number]]
             for sets in deviating[0][1:]]  # fmt: skip
    assert names == [["Adam"], ["Adam", "SGD"]]
