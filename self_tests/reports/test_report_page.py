"""The page of a report: self-contained, escaped, complete, and usable without scripts."""

import math
import re
from html.parser import HTMLParser
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.catalogue.schedulers import SCHEDULES
from fixtures.report import charts, links, trajectories
from fixtures.report.deviating import deviating, finding_of
from fixtures.report.embedded import DIGITS, LETTERS
from fixtures.report.page import main, page
from fixtures.report.rendering import extracted, render, sentence
from fixtures.report.statistics import in_words
from fixtures.report.storage import read_report
from fixtures.report.svg import Axis, Line, Picture
from fixtures.specification.findings import SEVERITIES
from fixtures.specification.verdicts import Verdict
from self_tests.support.drawn import drawn
from self_tests.support.forked_cases import ROOT
from self_tests.support.made_up_pages import broken_run
from self_tests.support.made_up_reports import case, claim, report
from self_tests.support.small_project import ProjectMaker, SmallProject, claims
from self_tests.support.whole_size import whole_report

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
VOID = {"meta", "input", "line", "rect", "circle", "path", "use"}


@pytest.fixture(scope="module", name="drawn")
def drawn_examples() -> dict[str, Any]:
    """What the installed torch does in the examples."""
    return drawn()


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


def test_every_link_leads_to_a_place_on_the_page_or_to_a_choice(text: str) -> None:
    elements = Elements(text)
    targets = {f"#{name}" for name in elements.having("id")}
    targets |= {f"#verdict={verdict.replace(' ', '-')}" for verdict in Verdict}
    inside = {where for where in elements.having("href") if where.startswith("#")}
    assert inside - {"#"} <= targets


def test_every_file_that_a_page_leads_to_is_there(tmp_path: Path) -> None:
    text = page(broken_run({}), tmp_path)
    files = [where for where in Elements(text).having("href") if "://" not in where]
    files = [where.partition("#")[0] for where in files if not where.startswith("#")]
    chapters = {where for where in files if "/spec/" in where}
    assert len(files) > len(chapters) > 0
    for where in set(files) - chapters:
        assert (tmp_path / where).is_file()
    for where in chapters:
        assert (tmp_path / where).parent.samefile(ROOT / "docs" / "spec")


def test_in_a_workflow_a_page_leads_to_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SERVER_URL", "https://github.com"), ("REPOSITORY", "a/b"), ("SHA", "c0")):
        monkeypatch.setenv(f"GITHUB_{name}", value)
    text = page(broken_run({}), tmp_path)
    assert 'href="https://github.com/a/b/blob/c0/docs/spec/rules.md"' in text


@pytest.mark.parametrize(
    "name, where",
    [
        ("AdamW", "generated/torch.optim.AdamW.html"),
        ("OneCycleLR", "generated/torch.optim.lr_scheduler.OneCycleLR.html"),
        ("torch.optim.lr_scheduler.StepLR", "generated/torch.optim.lr_scheduler.StepLR.html"),
        ("Optimizer.step", "optim.html#torch.optim.Optimizer"),
        ("AveragedModel", "optim.html#torch.optim.swa_utils.AveragedModel"),
        ("torch.amp.GradScaler.step", "amp.html#gradient-scaling"),
        ("torch.nn.utils.clip_grad_norm_", "generated/torch.nn.utils.clip_grad_norm_.html"),
    ],
)
def test_the_documentation_of_torch_is_that_of_the_release(name: str, where: str) -> None:
    assert links.documentation("2.13.1+cpu", name) == f"https://docs.pytorch.org/docs/2.13/{where}"


@pytest.mark.parametrize("name", ["Tensor.requires_grad_", "torch.optim", "nobody"])
def test_what_torch_does_not_document_here_has_no_address(name: str) -> None:
    assert links.documentation("2.13.0", name) is None


def test_nothing_is_fetched(text: str) -> None:
    elements = Elements(text)
    assert elements.having("src") == []
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in elements.found}
    assert "url(" not in re.sub(r"url\(#clip-[\w-]+\)", "", text)
    assert "default-src 'none'" in text


def test_what_comes_from_the_run_is_escaped(text: str) -> None:
    assert "<script>alert(" not in text
    assert "&lt;script&gt;alert(&#39;broken&#39;)" in text
    assert re.fullmatch(r"[\w+/=]*", re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)[0])
    assert "<code>torch</code> does &lt;i&gt;what&lt;/i&gt; demo.holds says." in text
    assert "&lt;b&gt;rain&lt;/b&gt;" in text


def test_the_page_knows_every_case(text: str) -> None:
    known = extracted(text)
    claim = next(
        c
        for c in known["claims"]
        if len(c.get("g", [])) == 1 and len(c["g"][0][2:]) == 1 and "m" in c
    )
    test, _, column = claim["g"][0]
    assert test == "test_holds"
    assert len(known["lists"][column[1]]) == 2
    assert column[2:] == ["h", [8], [0, 1, 1, 1]]
    assert [known["reasons"][number] for number, _ in claim["r"]] == [
        "not run: no cuda device here (torch " + torch.__version__ + ")"
    ]


def test_every_case_of_a_whole_report_can_be_read_from_the_page(tmp_path: Path) -> None:
    made = whole_report({})
    known = extracted(page(made, tmp_path))
    names = [""]
    for row in known["rows"]:
        names.append(names[-1][: DIGITS.index(row[0])] + row[1:])
    for own, packed in zip(in_order(made), known["claims"], strict=True):
        ((_, _, column),) = packed["g"]
        rows = [*accumulate(known["lists"][column[1]])]
        letters = column[2] * len(rows) if len(column[2]) == 1 else column[2]
        read = sorted(zip((names[row + 1] for row in rows), letters, strict=True))
        assert read == sorted((c["case"], LETTERS[c["verdict"]]) for c in own["cases"])


def in_order(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the claims as the page has them: chapter by chapter."""
    return sorted(made["claims"], key=lambda claim: str(claim["chapter"]))


def test_a_claim_that_was_not_asked_says_so(text: str) -> None:
    assert re.search(r'data-v="not-asked" id="claim-demo.not-asked"', text)


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
        assert f".plain:has(#f-{name}:checked) .claim:not([data-v={name}])" in text
    assert re.search(r'<div class="boxes" hidden>', text)


def test_the_deviations_stand_by_severity_with_their_findings(tmp_path: Path) -> None:
    severities = {
        "resume": "sgd-fused-momentum-starts-late",
        "numbers": "adam-rate-zero-writes-nan",
    }
    findings = {severity: finding_of(name) for severity, name in severities.items()}
    claims_of = [
        claim(
            f"demo.{name}", case("deviates", reason=f"torch does {name} (docs/findings/{name}.md)")
        )
        for name in severities.values()
    ]
    elsewhere = case("deviates", reason="it is so (https://github.com/pytorch/pytorch/issues/1)")
    unknown = case("deviates", reason="torch does nothing (docs/findings/of-nobody.md)")
    made = report("2.13.0", *claims_of, claim("demo.else", elsewhere), claim("demo.gone", unknown))
    found = deviating(made)
    worst = next(iter(found))
    assert worst == SEVERITIES["numbers"]
    assert [*found][-1] == "recorded without a finding"
    assert found[worst][0].finding == findings["numbers"]
    assert found[worst][0].releases == "every release since 2.0"
    text = page(made, tmp_path)
    for words in ("Instead, torch does adam-rate-zero-writes-nan.", ">#126514</a>", "Instead, it is so.",
                  'href="https://github.com/pytorch/pytorch/issues/1"', "Instead, torch does nothing.",
                  "torch since 2.4"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    "ulps, tolerance, words",
    [
        (0.0, 0.0, "bit for bit"),
        (3.21, 8.0, "3.21 of 8 ulps"),
        (2.0, 0.0, "2 ulps"),
        (1000.0, 8.0, "1,000 of 8 ulps"),
        (1001.0, 8.0, "another number"),
        (float("inf"), 0.0, "another number"),
        (4000.0, 8388610.0, "4,000 of 8,388,610 ulps"),
    ],
)
def test_a_distance_is_told_in_words(ulps: float, tolerance: float, words: str) -> None:
    assert in_words(ulps, tolerance) == words


def test_a_stored_report_is_drawn_again(small: SmallProject, text: str) -> None:
    assert main([str(small.path / "out"), str(small.path / "out" / "again.html")]) == 0
    assert small.read("out/again.html") == text


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
        assert f'id="ground-{of}"' in charts.grounds()
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
    assert "RuntimeError: &lt;no kernel&gt;" in page(report, small.path)


def test_a_schedule_marks_where_torch_departs_from_the_closed_form() -> None:
    course = {"name": "a", "scheduler": "A", "options": "", "rates": [[0.1, 0.2, 0.3, 0.4]]}
    departing = {**course, "closed_form": [[0.1, 0.2, 0.2, 0.4001]]}
    agreeing = {**course, "closed_form": [[0.1, 0.2, 0.30001, 0.4]]}
    found, other = charts.schedules({"schedules": [departing, agreeing]})
    assert found.note == "departs from the closed form at 2 steps from 2 on, by up to 50%"
    assert found.picture.count('class="departs"') == 2
    assert (other.note, other.picture.count('class="departs"')) == ("", 0)


def test_lines_of_equal_height_are_smooth_and_stay_near_the_picture() -> None:
    text = charts.grounds()
    paths = re.findall(r'class="contour" d="M([\d.-]+) ([\d.-]+)l([^"]*)"', text)
    assert len(paths) > 10
    for _, _, steps in paths:
        numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", steps)]
        ways = [math.hypot(*step) for step in zip(numbers[::2], numbers[1::2], strict=True)]
        assert max(ways) < 14
        turns = [math.atan2(y, x) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        bends = [abs(math.remainder(b - a, 2 * math.pi)) for a, b in pairwise(turns)]
        long = [
            bend
            for bend, way, other in zip(bends, ways, ways[1:], strict=False)
            if min(way, other) > 2
        ]
        assert max(long, default=0.0) < 0.6


def test_a_path_is_written_as_its_steps() -> None:
    line = Line([(0.0, 0.0), (0.5, 0.5), (0.5, 0.5), (1.0, 0.0)])
    svg = str(Picture("p", Axis(0, 1), Axis(0, 1), [line]).svg())
    assert 'd="M40.0 128.0l106-60 106 60"' in svg


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
