"""The report of a run: what is in it, that it is whole, and what is said where it cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.assertions.packed_results import ENTRIES, Account
from fixtures.report import schema
from fixtures.report.markdown import STEP_SUMMARY_LIMIT, append_to_step_summary, cut, markdown
from fixtures.report.storage import ReportError, layout, read_report
from self_tests.support.small_project import ProjectMaker, SmallProject, claims

USAGE_ERROR = 4
CASES = """
    import warnings

    from fixtures.assertions.tolerances import Tolerance
    from fixtures.catalogue import optimizers

    @claim("demo.holds")
    @optimizers.each(only=("Adam", "SGD"))
    def test_holds(case, device):
        warnings.warn("it may rain", stacklevel=1)
        seen = torch.tensor([1.0, 2.0 + 2**-22], device=device)
        expected, eight = torch.tensor([1.0, 2.0]), Tolerance(8, "rounding")
        check.close(seen=seen, expected=expected, source="me", tolerance=eight)

    @claim("demo.breaks")
    def test_breaks(device):
        assert device.type == "cuda", "<b>it broke</b>"

    @claim("demo.deviates")
    def test_deviates(device):
        assert device.type == "cuda"

    @claim("demo.is-not-applicable")
    def test_not_applicable(device, not_applicable):
        not_applicable("no such kernel")
"""
DEVIATIONS = """
    [[deviation]]
    claim = "demo.deviates"
    torch = ">=2.0"
    reason = "torch is wrong"
    issue = "somewhere#1"
"""
IDS = ("demo.holds", "demo.breaks", "demo.deviates", "demo.is-not-applicable", "demo.not-asked")


@pytest.fixture
def small(project: ProjectMaker, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A project with a claim of every verdict."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    return project(claims(*IDS), CASES, DEVIATIONS)


def report_of(small: SmallProject, *arguments: str) -> dict[str, Any]:
    small.run("--report=out", *arguments)
    return read_report(small.path / "out")


def claim_of(report: dict[str, Any], claim_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(claim for claim in report["claims"] if claim["id"] == claim_id)
    return found


def test_every_claim_of_the_specification_is_listed_with_its_verdict(small: SmallProject) -> None:
    report = report_of(small, "-m", "cpu")
    assert [(claim["id"], claim["verdict"]) for claim in report["claims"]] == [
        ("demo.holds", "holds"),
        ("demo.breaks", "broken"),
        ("demo.deviates", "deviates"),
        ("demo.is-not-applicable", "not applicable"),
        ("demo.not-asked", None),
    ]
    assert claim_of(report, "demo.holds")["source"] == "docs/spec/demo.md:3"


def test_a_case_says_what_it_saw_and_why(small: SmallProject) -> None:
    report = report_of(small)
    holds = claim_of(report, "demo.holds")["cases"]
    assert [case["optimizer"] for case in holds if case["device"] == "cpu"] == ["Adam", "SGD"]
    assert (holds[0]["ulps"], holds[0]["tolerance"]) == (1.0, 8.0)
    assert "seen        <b>it broke</b>" in claim_of(report, "demo.breaks")["cases"][0]["reason"]
    deviates = claim_of(report, "demo.deviates")["cases"]
    assert [(case["verdict"], case["reason"].split(":")[0]) for case in deviates] == [
        ("deviates", "torch is wrong (somewhere#1)"),
        ("not run", f"no cuda device here (torch {torch.__version__})"),
    ]


def test_results_are_stored_once(small: SmallProject) -> None:
    report = report_of(small, "-m", "cpu")
    cases = claim_of(report, "demo.holds")["cases"]
    assert [case["results"] for case in cases] == [0, 0]
    assert report["layouts"] == [[["0", "float32", [2], 2]]]
    assert len(report["results"]) == 1


def test_a_warning_is_listed_once(small: SmallProject) -> None:
    assert report_of(small)["warnings"] == [{"category": "UserWarning", "text": "it may rain"}]


def test_several_processes_make_the_same_report(small: SmallProject) -> None:
    small.run_in_new_process("--report=alone")
    small.run_in_new_process("--report=parallel", "-n", "2")
    alone, parallel = (read_report(small.path / name) for name in ("alone", "parallel"))
    assert alone.pop("times").keys() == parallel.pop("times").keys()
    assert parallel == alone


def test_a_run_that_ends_early_says_so(small: SmallProject) -> None:
    assert report_of(small, "-x")["footer"]["ended"] == "early"
    assert report_of(small)["footer"]["ended"] == "completely"


def test_what_is_written_fits_the_published_schema(small: SmallProject) -> None:
    report = report_of(small)
    assert schema.first_problem(report) is None
    report["claims"][0]["cases"][0]["verdict"] = "fine"
    assert schema.first_problem(report) == (
        "report.claims[0].cases[0].verdict is 'fine', not one of "
        "holds, broken, deviates, not applicable, not run"
    )


def test_a_keyword_that_is_not_checked_is_no_part_of_the_schema() -> None:
    with pytest.raises(ValueError, match="'maximum' is not checked"):
        schema._compile({"type": "integer", "maximum": 3})


@pytest.mark.parametrize(
    "spoil, words",
    [
        pytest.param(lambda text: text[: len(text) // 2], "truncated: it ends", id="half"),
        pytest.param(lambda text: text[:-3], "truncated: it ends", id="without_its_end"),
        pytest.param(lambda _: "", "empty", id="empty"),
        pytest.param(lambda _: "PASS", "not a report: it is no JSON", id="no_json"),
        pytest.param(lambda _: "[1]", "not a report: it does not say", id="other_json"),
        pytest.param(
            lambda text: text.replace('"schema_version": 2', '"schema_version": 3'),
            "version 3 of the report's schema; this checkout reads 1 and 2",
            id="other_version",
        ),
        pytest.param(
            lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "footer"}),
            "truncated: it has no footer",
            id="no_footer",
        ),
        pytest.param(
            lambda text: json.dumps({**json.loads(text), "warnings": []}),
            "its footer counts 1 warnings, and it has 0",
            id="less_than_counted",
        ),
        pytest.param(
            lambda text: text.replace('"verdict":"broken"', '"verdict":"holds"'),
            "changed since it was written",
            id="edited",
        ),
        pytest.param(
            lambda text: json.dumps({**json.loads(text), "header": {}}),
            "report.header has no 'specification'",
            id="other_header",
        ),
    ],
)
def test_a_spoiled_report_is_refused_in_one_line(
    small: SmallProject, spoil: Any, words: str
) -> None:
    report_of(small)
    small.write("out/report.json", spoil(small.read("out/report.json")))
    with pytest.raises(ReportError) as refused:
        read_report(small.path / "out")
    assert words in str(refused.value)
    assert str(refused.value).startswith(str(small.path / "out" / "report.json"))
    assert "\n" not in str(refused.value)


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no report there"):
        read_report(tmp_path / "missing")


def test_a_folder_that_cannot_be_written_is_refused_before_the_run(small: SmallProject) -> None:
    small.write("taken", "a file")
    end = small.run("--report=taken/out")
    assert (end.code, end.results) == (USAGE_ERROR, {})
    assert [line for line in end.text.splitlines() if "--report taken/out: cannot be" in line]


def test_the_summary_explains_what_is_broken(small: SmallProject) -> None:
    text = markdown(report_of(small, "-m", "cpu"))
    assert "1 broken: 4 claims, of which 1 holds, 1 broken, 1 deviates, 1 not applicable." in text
    assert "### demo.breaks\n\ntorch does what demo.breaks says. (docs/spec/demo.md:8" in text
    assert "seen        <b>it broke</b>" in text
    assert "- **demo.deviates** (1 of 1 case): torch is wrong (somewhere#1)" in text
    assert "| Adam | 1 | 8 | 12% |" in text


def test_the_summary_is_appended_where_ci_shows_it(
    small: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = small.write("summary.md", "before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(shown))
    small.run("--report=out", "-m", "cpu")
    assert shown.read_text(encoding="utf-8") == "before\n" + small.read("out/report.md")


def test_a_summary_is_cut_where_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    append_to_step_summary(path, "```text\n" + "é" * 50 + "\n" + "a line\n" * 200_000 + "```\n")
    text = path.read_text(encoding="utf-8")
    assert STEP_SUMMARY_LIMIT - 300 < len(text.encode()) <= STEP_SUMMARY_LIMIT
    assert text.count("```") == 2
    assert text.endswith("more lines are in report.md.**\n")
    append_to_step_summary(path, "more\n" * 100)
    assert len(path.read_bytes()) <= STEP_SUMMARY_LIMIT


def test_a_text_that_fits_is_not_cut() -> None:
    assert cut("a\n" * 3, 6) == "a\n" * 3


def test_a_report_is_laid_out_as_the_json_it_is(small: SmallProject) -> None:
    report = report_of(small)
    written = json.loads(layout(report))
    assert len(written["footer"].pop("digest")) == 16
    assert written == report


def packed(*seen: Any) -> dict[str, Any]:
    account = Account()
    for result in seen:
        account.add(result)
    result = account.take()
    assert result
    return result


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param(torch.tensor([0.0]), torch.tensor([-0.0]), id="sign_of_zero"),
        pytest.param(torch.ones(1), torch.ones(1, dtype=torch.float64), id="dtype"),
        pytest.param(torch.ones(2, 3), torch.ones(3, 2), id="shape"),
        pytest.param({"a": 1.0}, {"b": 1.0}, id="key"),
        pytest.param("a", "b", id="text"),
        pytest.param(1, 1.0, id="type"),
        pytest.param([torch.ones(1)], [torch.ones(1), None], id="none"),
        pytest.param(torch.ones(300), torch.ones(300).index_fill(0, torch.tensor([1]), 2.0), id="entry"),
        pytest.param(
            torch.eye(2).to_sparse(), torch.ones(2, 2).to_sparse(), id="sparse"
        ),
    ],
)  # fmt: skip
def test_the_digest_tells_results_apart(one: Any, other: Any) -> None:
    assert packed(one)["digest"] != packed(other)["digest"]
    assert packed(one) == packed(one)


def test_of_a_large_tensor_some_entries_are_kept() -> None:
    kept = packed(torch.arange(1000.0))
    (path, dtype, shape, entries) = kept["layout"][0]
    assert (path, dtype, shape) == ("0", "float32", [1000])
    assert ENTRIES / 2 < entries <= ENTRIES


def test_a_result_is_kept_as_it_was() -> None:
    account, tensor = Account(), torch.ones(2)
    account.add(tensor)
    tensor.zero_()
    assert account.take() == packed(torch.ones(2))
