"""Every statement of the source documents is answered by a claim, and the pages say by which."""

from fixtures.specification.documents import main, statements
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

DOCUMENTS = ROOT / "docs" / "documents"
# How many statements each document makes; none is dropped from its page.
STATEMENTS = {"000": 14, "001": 19, "002": 20, "003": 10, "004": 20}


def test_the_pages_list_every_statement_once() -> None:
    expected = [f"{page}-{n}" for page, count in STATEMENTS.items() for n in range(1, count + 1)]
    assert statements(DOCUMENTS) == expected


def test_every_statement_has_a_claim() -> None:
    register = read_register(ROOT / "docs" / "spec")
    answered = {number for claim in register for number in claim.statements}
    assert [number for number in statements(DOCUMENTS) if number not in answered] == []


def test_no_claim_cites_a_statement_that_no_page_lists() -> None:
    listed = set(statements(DOCUMENTS))
    register = read_register(ROOT / "docs" / "spec")
    assert [c.id for c in register if not listed.issuperset(c.statements)] == []


def test_the_pages_are_not_stale() -> None:
    assert main(["--check"]) == 0
