"""Every statement of the source documents is answered by a claim, and the pages say by which."""

import re

from fixtures.catalogue.examples import examples
from fixtures.specification.documents import left_out, main, statements
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

DOCUMENTS = ROOT / "docs" / "documents"
PAGES_OF_EXAMPLES = ("optim_page", "amp_examples", "tutorials")
# How many statements each document makes; none is dropped from its page.
STATEMENTS = {
    "000": 14, "001": 19, "002": 20, "003": 10, "004": 20,
    "005": 40, "006": 23, "007": 9, "008": 4, "009": 15, "010": 9,
}  # fmt: skip


def test_the_pages_list_every_statement_once() -> None:
    expected = [f"{page}-{n}" for page, count in STATEMENTS.items() for n in range(1, count + 1)]
    assert statements(DOCUMENTS) == expected


def test_every_statement_has_a_claim_or_a_reason() -> None:
    register = read_register(ROOT / "docs" / "spec")
    answered = {number for claim in register for number in claim.statements}
    without = left_out(DOCUMENTS)
    assert [n for n in statements(DOCUMENTS) if (n in answered) == (n in without)] == []
    assert [number for number, reason in without.items() if not reason.strip()] == []


def test_every_statement_with_an_example_has_one_that_is_run() -> None:
    listed = {e.statement for page in PAGES_OF_EXAMPLES for e in examples(page).values()}
    assert sorted(listed - {*statements(DOCUMENTS)}) == []
    text = "".join(path.read_text("utf-8") for path in sorted(DOCUMENTS.glob("0*.md")))
    printed = re.findall(r"^- \*\*(\d{3}-\d+)\*\* .*\(Examples?[,.)]", text, re.MULTILINE)
    without = left_out(DOCUMENTS)
    assert [n for n in printed if n not in listed and n not in without] == []


def test_no_claim_cites_a_statement_that_no_page_lists() -> None:
    listed = set(statements(DOCUMENTS))
    register = read_register(ROOT / "docs" / "spec")
    assert [c.id for c in register if not listed.issuperset(c.statements)] == []


def test_the_pages_are_not_stale() -> None:
    assert main(["--check"]) == 0
