"""The comparison of two reports: what counts as a change, how it is told, and what is refused."""

import json
import platform
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.compare.__main__ import main
from fixtures.compare.causes import FARTHER
from fixtures.compare.changes import Changes, compare
from fixtures.compare.verdicts import Kind
from fixtures.report.storage import ReportError, layout, read_report
from self_tests.support.forked_cases import ROOT
from self_tests.support.made_up_reports import Entry
from self_tests.support.made_up_reports import case as made_up_case
from self_tests.support.made_up_reports import claim as made_up_claim
from self_tests.support.made_up_reports import report as made_up
from self_tests.support.small_project import ProjectMaker, SmallProject, claims

NOTHING_CHANGED, CHANGED, BAD_INPUT, USAGE_ERROR = 0, 1, 2, 4
CASES = """
    import warnings

    from fixtures.assertions.tolerances import Tolerance
    from fixtures.catalogue import optimizers

    @claim("demo.holds")
    @optimizers.each(only=("Adam", "SGD"))
    def test_holds(case):
        seen = torch.tensor([1.0, 2.0])
        expected, eight = torch.tensor([1.0, 2.0]), Tolerance(8, "rounding")
        check.close(seen=seen, expected=expected, source="me", tolerance=eight)

    @claim("demo.other")
    def test_other():
        assert 1 < 2, "it broke"
"""


@pytest.fixture
def small(project: ProjectMaker) -> SmallProject:
    """A project with the report of a run in ``old``."""
    made = project(claims("demo.holds", "demo.other"), CASES)
    assert made.run("--report=old").code == 0
    return made


@pytest.fixture
def changes(small: SmallProject) -> "Rerun":
    """Call it with replacements in the tests to get what changes."""
    return Rerun(small)


class Rerun:
    """Runs the project with other tests, and compares with the report from before."""

    def __init__(self, small: SmallProject):
        self.small = small

    def __call__(self, *replacements: tuple[str, str]) -> Changes:
        """Replace texts of the test module, run, compare."""
        test = CASES
        for old, new in replacements:
            assert old in test
            test = test.replace(old, new)
        self.small.write_test(test)
        self.small.run("--report=new")
        return compare(*(read_report(self.small.path / name) for name in ("old", "new")))


def nothing_but(changes: Changes, category: str) -> int:
    """Assert that nothing else has changed; return how much in this category has."""
    from fixtures.compare.changes import CATEGORIES

    others = [name for name in CATEGORIES if name != category and changes.count(name)]
    assert others == []
    return changes.count(category)


def test_the_same_run_changes_nothing(changes: Rerun) -> None:
    found = changes()
    assert nothing_but(found, "broken") == 0
    assert (found.unchanged, found.rounding, found.notes) == (2, 0, [])


def test_a_verdict_is_told_with_the_sentence_and_the_reason(changes: Rerun) -> None:
    found = changes(("assert 1 < 2", "assert 1 > 2"))
    assert nothing_but(found, "broken") == 1
    told = found.broken[0]
    assert (told.kind, told.claim, told.of) == (Kind.BROKEN, "demo.other", 1)
    assert told.sentence == "torch does what demo.other says."
    assert "it broke" in told.reason
    assert told.cases == [("spec_tests/demo/test_demo.py::test_other", "holds", "broken")]


def test_a_movement_beyond_noise_is_drift(changes: Rerun) -> None:
    found = changes(("seen = torch.tensor([1.0, 2.0])", "seen = torch.tensor([1.0, 2.0 - 2**-20])"))
    assert nothing_but(found, "drift") == 2
    drift = found.drift[0].cases[0]
    assert (drift.claim, drift.optimizer, drift.movement.where) == ("demo.holds", "Adam", "0")
    assert (drift.ulps, drift.noise, drift.old, drift.new) == (4.0, 2.0, 0.0, 4.0)
    assert found.drift[0].direction == FARTHER


def test_a_movement_within_noise_is_counted_only(changes: Rerun) -> None:
    found = changes(("seen = torch.tensor([1.0, 2.0])", "seen = torch.tensor([1.0, 2.0 - 2**-22])"))
    assert nothing_but(found, "drift") == 0
    assert (found.rounding, found.largest_rounding) == (2, 1.0)


def test_a_result_of_another_form_is_drift(changes: Rerun) -> None:
    found = changes(
        ("seen = torch.tensor([1.0, 2.0])", "seen = torch.tensor([1.0, 2.0]).double()"),
        ("= torch.tensor([1.0, 2.0]), Tol", "= torch.tensor([1.0, 2.0]).double(), Tol"),
    )
    assert nothing_but(found, "drift") == 1
    assert found.drift[0].change == "float32 became float64"
    assert len(found.drift[0].cases) == 2


def test_cases_come_and_go(changes: Rerun) -> None:
    found = changes(('"SGD"', '"Rprop"'))
    assert nothing_but(found, "cases") == 2
    node = "spec_tests/demo/test_demo.py::test_holds"
    assert found.cases_new == [f"{node}[rprop.default]"]
    assert found.cases_gone == [f"{node}[sgd.default]"]


def of_two_machines(*cases: Entry) -> tuple[Entry, Entry]:
    """Return a report with these cases, and one with an entry for their device, which is missing."""
    entry = {**made_up_case("not run"), "node": "spec_tests/demo/test_demo.py::test_it[cuda]"}
    missing = {**entry, "device": "cuda", "reason": "no cuda device here"}
    on_the_cpu = made_up_case("holds", "a-cpu")

    def on_both(*others: Entry) -> Entry:
        return made_up("2.13.0", made_up_claim("demo.holds", on_the_cpu, *others))

    return on_both(*cases), on_both(missing)


@pytest.mark.parametrize("verdict, changes", [("holds", 1), ("not run", 0)])
def test_an_entry_for_a_missing_device_stands_for_each_case(verdict: str, changes: int) -> None:
    cases = [{**made_up_case(verdict, f"{name}-cuda"), "device": "cuda"} for name in "ab"]
    with_it, without = of_two_machines(*cases)
    gone, come = compare(with_it, without), compare(without, with_it)
    assert (gone.cases_gone, gone.cases_new, come.cases_gone, come.cases_new) == ([], [], [], [])
    assert [(c.kind, len(c.cases)) for c in gone.applicability] == [(Kind.ENDS, 2)][:changes]
    assert [(c.kind, len(c.cases)) for c in come.applicability] == [(Kind.BEGINS, 2)][:changes]


def test_warnings_come_and_go(changes: Rerun) -> None:
    found = changes(("assert 1 < 2", "warnings.warn('rain', stacklevel=1); assert 1 < 2"))
    assert nothing_but(found, "warnings") == 1
    assert found.warnings_new == ["UserWarning: rain"]


def test_another_specification_is_a_note_and_no_change_of_torch(changes: Rerun) -> None:
    changes.small.write("docs/spec/demo.md", claims("demo.holds", "demo.new"))
    found = changes(("demo.other", "demo.new"))
    assert nothing_but(found, "specification") == 2
    assert found.specification == [
        "demo.new is only in the new report",
        "demo.other is only in the old report",
    ]
    assert "The reports test different specifications" in found.notes[0]


def test_a_claim_that_says_something_else_is_noted(changes: Rerun) -> None:
    changes.small.write(
        "docs/spec/demo.md", claims("demo.holds", "demo.other", fields="torch: >=1.9")
    )
    assert changes().specification[0] == "demo.holds: torch is now >=1.9"


def test_a_narrower_run_is_noted(small: SmallProject) -> None:
    small.run("--report=new", "--claim", "demo.holds")
    found = compare(*(read_report(small.path / name) for name in ("old", "new")))
    assert nothing_but(found, "cases") == 0
    assert "1 claim had cases in one of the runs only." in found.notes


def test_another_machine_is_noted(small: SmallProject) -> None:
    old = read_report(small.path / "old")
    new = deepcopy(old)
    new["header"]["cpu_capability"] = "abacus"
    new["header"]["threads"] = 3
    found = compare(old, new)
    assert found.notes == [
        "Another threads: 1 became 3.",
        "Last digits may differ for that reason alone.",
    ]
    assert len(found.differences) == 1
    assert found.differences[0].endswith("became kernels for abacus")


def of_another(new: dict[str, Any], what: str) -> None:
    """Have a report be one of another selection, Python or device."""
    if what == "selection":
        new["header"]["options"]["markers"] = "cpu"
    elif what == "python":
        new["header"]["python"] = "3.99.0"
    elif what == "processor":
        new["header"]["devices"][0]["description"] = "cpu (abacus)"
    else:
        for case in new["claims"][0]["cases"]:
            case["device"] = "xpu"


@pytest.mark.parametrize(
    "what, told",
    [
        ("selection", "selection: everything became -m cpu"),
        ("python", f"Python: {platform.python_version()} became 3.99.0"),
        ("processor", "became abacus"),
        ("device", "devices: cpu became cpu, xpu"),
    ],
)
def test_a_run_in_other_circumstances_is_told_first(
    small: SmallProject,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    told: str,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # wide enough for the name of any processor
    new = read_report(small.path / "old")
    of_another(new, what)
    pair = [str(small.path / "old"), write(small.path / "new.json", new)]
    first = {}
    for form in ("text", "markdown", "html", "json"):
        main([*pair, "--format", form])
        first[form] = capsys.readouterr().out
    assert told in first["text"].splitlines()[0]
    assert told in first["markdown"].splitlines()[0]
    assert first["html"].index(told) < first["html"].index("<h1>")
    assert told in json.loads(first["json"])["differences"][0]


def test_reports_without_a_common_case_are_refused(small: SmallProject) -> None:
    old = read_report(small.path / "old")
    new = deepcopy(old)
    for claim in new["claims"]:
        for case in claim["cases"]:
            case["node"], case["device"] = f"{case['node']}[xpu]", "xpu"
    with pytest.raises(ReportError, match=r"no case is in both reports.*devices: cpu became xpu"):
        compare(old, new)


def write(path: Path, report: dict[str, Any]) -> str:
    path.write_text(layout(report), encoding="utf-8")
    return str(path)


@pytest.fixture
def pair(small: SmallProject) -> tuple[str, str]:
    """An old report, and a new one with a broken case and another warning."""
    new = read_report(small.path / "old")
    new["claims"][1]["verdict"] = new["claims"][1]["cases"][0]["verdict"] = "broken"
    new["claims"][1]["cases"][0]["reason"] = "<script>alert(1)</script>"
    new["warnings"] = [{"category": "UserWarning", "text": "rain"}]
    new["footer"]["counts"]["warnings"] = 1
    return str(small.path / "old"), write(small.path / "new.json", new)


@pytest.mark.parametrize(
    "what, status",
    [
        ("any", CHANGED),
        ("verdicts", CHANGED),
        ("drift,warnings", CHANGED),
        ("drift, surface", NOTHING_CHANGED),
        ("none", NOTHING_CHANGED),
        ("specification", NOTHING_CHANGED),
    ],
)
def test_one_chooses_what_counts(pair: tuple[str, str], what: str, status: int) -> None:
    assert main([*pair, "--fail-on", what]) == status


def test_without_a_change_the_status_is_0(pair: tuple[str, str]) -> None:
    assert main([pair[0], pair[0]]) == NOTHING_CHANGED


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_every_format_tells_the_same(
    pair: tuple[str, str], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*pair, "--format", form])
    printed = capsys.readouterr().out
    for words in ("demo.other", "torch does what demo.other says.", "UserWarning: rain"):
        assert words in printed


def test_the_page_escapes_what_it_shows(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*pair, "--format", "html"])
    printed = capsys.readouterr().out
    assert "<script>alert(" not in printed
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in printed


def test_json_counts_what_changed(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*pair, "--format", "json"])
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert {name: n for name, n in counts.items() if n} == {"broken": 1, "warnings": 1}


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(["missing", "missing"], "missing: no report there", id="missing"),
        pytest.param(["cut.json", "old"], "cut.json: truncated", id="cut"),
        pytest.param(["old", "pyproject.toml"], "pyproject.toml: not a report", id="other_file"),
        pytest.param(["old", "nothing.json"], "no claim applies to torch", id="not_applicable"),
        pytest.param(["old", "empty.json"], "has no case", id="empty"),
        pytest.param(["old", "old", "--fail-on", "colour"], "--fail-on 'colour': choose", id="choice"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_status_2(
    small: SmallProject, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    report = read_report(small.path / "old")
    small.write("cut.json", layout(report)[:-20])
    for claim in report["claims"]:
        claim["verdict"] = "not applicable"
    write(small.path / "nothing.json", report)
    for claim in report["claims"]:
        claim.update(verdict=None, cases=[])
    report["footer"]["counts"]["cases"] = 0
    write(small.path / "empty.json", report)
    places = [name if name.startswith("-") or name == "colour" else str(small.path / name)
              for name in arguments]  # fmt: skip
    assert main(places) == BAD_INPUT
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert words in printed.err


def test_changes_that_cannot_be_written_are_said_in_a_line(small: SmallProject) -> None:
    old = str(small.path / "old")
    command = [sys.executable, "-m", "fixtures.compare", old, old]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    told = "ERROR: what this command prints: No space left on device\n"
    assert (done.returncode, done.stderr) == (BAD_INPUT, told)


def test_an_output_without_the_signs_has_question_marks_for_them(pair: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "fixtures.compare", *pair]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False,
                          env={"PYTHONIOENCODING": "ascii", "PATH": ""})  # fmt: skip
    assert (done.returncode, done.stderr) == (CHANGED, "")
    assert done.stdout.splitlines()[-1].startswith(f"{torch.__version__} ? {torch.__version__}: ")


def test_a_training_that_torch_does_not_have_is_one_line(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*pair, "--for", "AdmW"]) == BAD_INPUT
    assert capsys.readouterr().err.endswith("did you mean 'AdamW'?\n")


def test_a_run_ends_with_what_changed_since_its_baseline(small: SmallProject) -> None:
    small.write_test(CASES.replace("assert 1 < 2", "assert 1 > 2"))
    end = small.run("--baseline=old")
    assert end.code == 1
    section = end.section("changes since the baseline")
    assert "broken now: demo.other (1 of 1 case: holds → broken)" in section
    assert "1 claim is newly broken: demo.other. 0 behaviours changed, 0 results moved" in section


def test_a_change_that_counts_fails_the_run(small: SmallProject) -> None:
    small.write_test(CASES.replace("2.0])\n", "2.0 - 2**-20])\n", 1))
    assert small.run("--baseline=old").code == 0
    end = small.run("--baseline=old", "--fail-on=drift")
    assert (end.code, end.errors) == (1, ["changed since the baseline: drift"])
    assert small.run("--baseline=old", "--fail-on=verdicts").code == 0


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(("--baseline=missing",), "--baseline missing: no report there", id="missing"),
        pytest.param(("--baseline=pyproject.toml",), "not a report", id="other_file"),
        pytest.param(("--baseline=old", "--fail-on=colour"), "--fail-on 'colour'", id="choice"),
        pytest.param(("--fail-on=any",), "name a report with --baseline", id="no_baseline"),
    ],
)
def test_a_baseline_is_refused_before_the_run(
    small: SmallProject, arguments: tuple[str, ...], words: str
) -> None:
    end = small.run(*arguments)
    assert (end.code, end.results) == (USAGE_ERROR, {})
    assert len([line for line in end.text.splitlines() if words in line]) == 1


def test_a_release_of_which_no_claim_speaks_has_no_report(small: SmallProject) -> None:
    small.write("docs/spec/demo.md", claims("demo.holds", "demo.other", fields="torch: <2.0"))
    end = small.run("--report=new")
    assert end.code == 1
    assert [e for e in end.errors if e.startswith(f"no claim applies to torch {torch.__version__}")]


def test_comparing_needs_no_torch(pair: tuple[str, str]) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; "
        "from fixtures.compare.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", program, *pair], cwd=ROOT, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (CHANGED, "")


def test_reports_without_a_case_are_refused(small: SmallProject) -> None:
    report = read_report(small.path / "old")
    empty = {**report, "claims": []}
    with pytest.raises(ReportError, match="has no case"):
        compare(report, empty)
