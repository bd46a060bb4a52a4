"""The log of public reports: nine of ten are covered by claims that there are, and its page is not stale."""

from fixtures.public_reports.page import page
from fixtures.public_reports.record import read_reports
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

REGISTER = read_register(ROOT / "docs" / "spec")
REPORTS = read_reports(ROOT / "docs" / "reports.toml", REGISTER)


def test_the_page_is_not_stale() -> None:
    written = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    assert written == page(REPORTS, REGISTER), "run python -m fixtures.public_reports.page"


def test_nine_reports_of_ten_are_covered_where_a_claim_could_say_so() -> None:
    asked = [report for report in REPORTS if not report.reason]
    gaps = [report.source or report.says for report in asked if report.gap]
    assert len(gaps) * 10 <= len(asked), f"{len(gaps)} gaps of {len(asked)}: {gaps}"
