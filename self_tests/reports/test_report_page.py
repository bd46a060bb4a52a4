"""The page of a report: self-contained, escaped, complete, and usable without scripts."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.catalogue.schedulers import SCHEDULES
from fixtures.report import charts, trajectories
from fixtures.report.page import main, page, render, sentence
from fixtures.report.storage import read_report
from fixtures.report.svg import Axis, Line, Picture
from self_tests.support.small_project import ProjectMaker, SmallProject, claims

CASES = """
    import warnings

    from fixtures.assertions.tolerances import Tolerance
    from fixtures.catalogue import optimizers

    @claim("demo.holds")
    @optimizers.each(only=("Adam", "SGD"))
    def test_holds(case, device):
        warnings.warn("<b>rain</b>", stacklevel=1)
        seen = torch.tensor([1.0, 2.0 + 2**-22], device=device)
        expected, eight = torch.tensor([1.0, 2.0]), Tolerance(8, "rounding")
        check.close(seen=seen, expected=expected, source="me", tolerance=eight)

    @claim("demo.breaks")
    def test_breaks():
        assert False, "<script>alert('broken')</script>"
"""
VOID = {"meta", "input", "line", "rect", "circle", "polyline"}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    """What the installed torch does in the examples."""
    return trajectories.courses()


@pytest.fixture
def small(project: ProjectMaker, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A project whose run has ended with a report."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    made = project(claims("demo.holds", "demo.breaks", "demo.not-asked"), CASES)
    made.write("docs/spec/demo.md", made.read("docs/spec/demo.md").replace(
        "torch does what demo.holds says.", "`torch` does <i>what</i> demo.holds says."))  # fmt: skip
    made.run("--report=out")
    return made


class Elements(HTMLParser):
    """Reads a page, and fails if an element is not closed where it has to be."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that ends where it begins."""
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Check that it ends the element that is open."""
        assert self.open.pop() == tag

    def having(self, attribute: str) -> list[str]:
        """Return every value of an attribute."""
        return [
            value or ""
            for _, attrs in self.found
            for key, value in attrs.items()
            if key == attribute
        ]


@pytest.fixture
def text(small: SmallProject) -> str:
    """The page."""
    return small.read("out/report.html")


def test_every_element_is_closed_and_every_id_stands_once(text: str) -> None:
    ids = Elements(text).having("id")
    assert sorted(ids) == sorted(set(ids))


def test_every_link_leads_to_a_place_on_the_page(text: str) -> None:
    elements = Elements(text)
    targets = {f"#{name}" for name in elements.having("id")}
    assert set(elements.having("href")) <= targets


def test_nothing_is_fetched(text: str) -> None:
    elements = Elements(text)
    assert elements.having("src") == []
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in elements.found}
    assert "url(" not in re.sub(r"url\(#clip-\w+\)", "", text)
    assert "default-src 'none'" in text


def test_what_comes_from_the_run_is_escaped(text: str) -> None:
    assert "<script>alert(" not in text
    assert "&lt;script&gt;alert(&#39;broken&#39;)" in text
    assert "<code>torch</code> does &lt;i&gt;what&lt;/i&gt; demo.holds says." in text
    assert "&lt;b&gt;rain&lt;/b&gt;" in text


def test_a_claim_shows_what_is_known_of_it(text: str) -> None:
    shown = text[text.index('id="claim-demo.holds"') :]
    for words in ("docs/spec/demo.md:3 (documented)", "&gt;=2.0", "1 of 8 ulps", "(12%)",
                  "test_holds: 2 cases", "adam.default", "no cuda device here"):  # fmt: skip
        assert words in shown


def test_a_claim_that_was_not_asked_says_so(text: str) -> None:
    assert re.search(r'class="claim c-not-asked" id="claim-demo.not-asked"', text)


def test_a_broken_claim_shows_its_whole_explanation(small: SmallProject, text: str) -> None:
    report = read_report(small.path / "out")
    reason = report["claims"][1]["cases"][0]["reason"]
    lines = [line for line in reason.splitlines() if "<" not in line and "'" not in line]
    assert len(lines) > 4
    assert [
        line for line in lines if line.replace('"', "&#34;").replace(">", "&gt;") not in text
    ] == []


def test_claims_are_filtered_without_scripts(text: str) -> None:
    filters = re.findall(r'type="radio" name="verdict" id="f-([\w-]+)"', text)
    assert filters == ["all", "holds", "broken", "not-asked"]
    for name in filters[1:]:
        assert f"body:has(#f-{name}:checked) .claim:not(.c-{name})" in text
    assert re.search(r'<input type="search"[^>]* hidden>', text)


def test_a_stored_report_is_drawn_again(small: SmallProject, text: str) -> None:
    assert main([str(small.path / "out"), str(small.path / "again.html")]) == 0
    assert small.read("again.html") == text


@pytest.mark.parametrize("arguments", [["missing", "out.html"], ["one"]], ids=["missing", "few"])
def test_what_cannot_be_drawn_is_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / name) for name in arguments]) == 2
    assert capsys.readouterr().err


def test_every_schedule_and_every_optimizer_is_drawn(drawn: dict[str, Any]) -> None:
    schedules = list(charts.schedules(drawn))
    assert [figure.caption for figure in schedules] == [s.scheduler for s in SCHEDULES]
    for of in ("bowl", "valley"):
        assert [f.caption for f in charts.paths(drawn, of)] == [e.name for e in OPTIMIZERS]
    figures = [*schedules, charts.temperatures(drawn), charts.activations(drawn)]
    assert [figure.problem for figure in figures if not figure.picture] == []


def test_an_example_that_torch_cannot_run_says_why(
    monkeypatch: pytest.MonkeyPatch, small: SmallProject
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("<no kernel>")

    monkeypatch.setattr("torch.optim.SGD.step", broken)
    found = trajectories.courses()
    report = {**read_report(small.path / "out"), "courses": found}
    assert found["temperatures"]["error"] == "RuntimeError: <no kernel>"
    assert "RuntimeError: &lt;no kernel&gt;" in page(report)


def test_the_temperatures_pass_the_printed_values(drawn: dict[str, Any]) -> None:
    course = drawn["temperatures"]
    losses = dict(map(tuple, course["losses"]))
    assert len(course["printed"]) == 10
    for epoch, printed in course["printed"]:
        assert losses[epoch] == pytest.approx(float(printed), abs=1e-4)


def test_a_picture_keeps_what_is_drawn_inside() -> None:
    lines = [Line([(0.0, 0.0), (1.0, float("inf")), (0.5, float("nan"))])]
    svg = str(Picture("<wild>", Axis(0, 1), Axis(0, 1), lines).svg())
    assert "nan" not in svg
    assert "inf" not in svg
    assert "&lt;wild&gt;" in svg


@pytest.mark.parametrize(
    "axis, marks",
    [
        pytest.param(Axis(0, 24), (0, 10, 20), id="steps"),
        pytest.param(Axis(-1.5, 1.5), (-1, 0, 1), id="around_zero"),
        pytest.param(Axis(1, 1e4, log=True), (1, 10, 100, 1000, 10000), id="powers"),
        pytest.param(Axis(0, 1, ticks=(0.3,)), (0.3,), id="chosen"),
    ],
)
def test_an_axis_is_marked_at_round_numbers(axis: Axis, marks: tuple[float, ...]) -> None:
    assert axis.marks() == pytest.approx(marks)


def test_code_in_a_sentence_is_marked_and_the_rest_escaped() -> None:
    assert sentence("`a<b` & c") == "<code>a&lt;b</code> &amp; c"
    assert sentence("they [refuse `x`](refusals.md).") == "they refuse <code>x</code>."


def test_a_template_without_a_value_is_an_error() -> None:
    with pytest.raises(Exception, match="is undefined"):
        render("report.html.j2")
