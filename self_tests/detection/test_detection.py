"""The page of figures is made of the figures, and none of it by hand."""

from self_tests.detection.figures import KINDS, PAGE, read_figures
from self_tests.detection.page import page


def test_the_page_shows_the_figures_that_were_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read_figures()), (
        "docs/detection.md is stale: python -m self_tests.detection writes it"
    )


def test_everything_that_the_page_is_about_was_measured() -> None:
    assert set(read_figures()) == set(KINDS)
