"""The page of figures is made of the figures, and none of it by hand."""

from typing import Any

from self_tests.detection.figures import KINDS, PAGE, read_figures, with_part
from self_tests.detection.page import page


def test_the_page_shows_the_figures_that_were_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read_figures()), (
        "docs/detection.md is stale: python -m self_tests.detection writes it"
    )


def test_everything_that_the_page_is_about_was_measured() -> None:
    assert set(read_figures()) == set(KINDS)


def part(torch: str, cases: int, *conditions: str) -> dict[str, Any]:
    runs = [{"condition": name, "alarms": []} for name in ("plain", *conditions)]
    return {"torch": torch, "asked": ["-m", "cpu"], "cases": cases, "runs": runs}


def test_played_machines_of_the_same_cases_are_put_together() -> None:
    found = with_part([part("2.13.0", 10, "a", "b")], part("2.13.0", 10, "b", "c"))
    assert found == [part("2.13.0", 10, "a", "b", "c")]


def test_of_other_cases_stays_what_was_not_asked_again() -> None:
    parts = [part("2.13.0", 9, "a", "b"), part("2.13.0", 8, "b"), part("2.8.0", 9, "b")]
    new = part("2.13.0", 10, "b", "c")
    assert with_part(parts, new) == [part("2.13.0", 9, "a"), part("2.8.0", 9, "b"), new]
