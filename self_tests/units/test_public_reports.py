"""The log of public reports: what is read from it, what is refused, and the page that is made of it."""

from pathlib import Path

import pytest

from fixtures.public_reports.page import page
from fixtures.public_reports.record import PublicReport, PublicReportError, read_reports
from fixtures.specification.register import Register, read_register

LOG = """
[[report]]
kind = "rules"
source = "owner/name#7"
year = 2024
says = "SGD does otherwise."
happens = [{ torch = ">=2.0,<2.4", text = "one" }, { torch = ">=2.4", text = "another | third" }]
claims = ["demo.it"]

[[report]]
kind = "rules"
says = "SGD does it not."
happens = [{ torch = ">=2.0", text = "none" }]
gap = "whether SGD does it"
"""
SECOND = LOG[LOG.rindex("[[report]]") :]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A specification of one claim, demo.it."""
    (tmp_path / "spec").mkdir()
    text = "# Demo\n\n### demo.it\nSGD does it.\n\ntorch: >=2.0\n"
    (tmp_path / "spec" / "demo.md").write_text(text, encoding="utf-8")
    return read_register(tmp_path / "spec")


def read(folder: Path, register: Register, text: str = LOG) -> tuple[PublicReport, ...]:
    """Return the reports of a log with this text."""
    (folder / "reports.toml").write_text(text, encoding="utf-8")
    return read_reports(folder / "reports.toml", register)


def test_a_log_is_read(tmp_path: Path, register: Register) -> None:
    first, second = read(tmp_path, register)
    assert (first.address, first.year, first.claims) == (
        "https://github.com/owner/name/issues/7", 2024, ("demo.it",),
    )  # fmt: skip
    assert [text for where, text in first.happens if "2.3.1" in where] == ["one"]
    assert (second.source, second.address, second.gap) == ("", "", "whether SGD does it")


def test_an_address_stands_for_itself(tmp_path: Path, register: Register) -> None:
    elsewhere = LOG.replace('"owner/name#7"', '"https://forum.example/t/7#3"')
    assert read(tmp_path, register, elsewhere)[0].address == "https://forum.example/t/7#3"


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('"demo.it"', '"demo.its"', "report 1 (owner/name#7): unknown claim 'demo.its': did you mean"),
        ('["demo.it"]', '"demo.it"', "'claims' is not a list of texts"),
        ('["demo.it"]', "[]", "'claims' is empty"),
        ("year = 2024", "year = 2022", "year 2022 is not from 2023 to 2026"),
        ("year = 2024", "", "year None is not from 2023 to 2026"),
        ('kind = "rules"', 'kind = "rule"', "kind 'rule' is none of arguments, digits"),
        ('says = "SGD does otherwise."', "", "'says' is missing"),
        ('says = "SGD does otherwise."', "says = 3", "'says' is not a text"),
        ('"owner/name#7"', '"owner/name"', "is neither owner/name#number nor an address"),
        ('torch = ">=2.4"', 'torch = "2.4"', "happens: '2.4' is not a range"),
        ('text = "one"', 'says = "one"', "is no {torch, text}"),
        ("happens = [{ torch = \">=2.0\", text = \"none\" }]", "happens = []", "'happens' is empty"),
        ('gap = "whether SGD does it"', "", "report 2 (collected): has none of claims, gap, reason"),
        ('gap = "whether', 'reason = "x"\ngap = "whether', "has gap and reason of claims, gap, reason"),
        ("\nsays = \"SGD does it not.", "\nyear = 2024\nsays = \"SGD does it not.", "'year' is for a report"),
        ('year = 2024', 'year = 2024\nsince = 1', "'since' is not a key"),
        ("[[report]]", "[[report", "reports.toml: not TOML"),
        ("[[report]]", "[[reports]]", "is no list of [[report]]"),
        (SECOND, LOG, "source 'owner/name#7' stands there 2 times"),
        (SECOND, SECOND + SECOND, "says 'SGD does it not.' stands there 2 times"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    tmp_path: Path, register: Register, old: str, new: str, says: str
) -> None:
    with pytest.raises(PublicReportError) as refused:
        read(tmp_path, register, LOG.replace(old, new, 1))
    assert says in str(refused.value)


def test_the_page_counts_and_links(tmp_path: Path, register: Register) -> None:
    made = page(read(tmp_path, register), register)
    assert "**Reports: 2; covered by claims: 1; gaps: 1; left out for a reason: 0.**" in made
    assert "## Update rules, and what is written of them: 2" in made
    assert "[owner/name#7](https://github.com/owner/name/issues/7), 2024" in made
    assert "*up to 2.3:* one *since 2.4:* another \\| third" in made
    assert "[`demo.it`](spec/demo.md#demoit)" in made
    assert "| collected | SGD does it not. | none | **gap:** whether SGD does it |" in made
