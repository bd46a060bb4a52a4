"""What is wrong with the input of a run is said in one clear line, and ends it with a code of its own."""

import ast
import importlib.metadata
import runpy
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from fixtures.catalogue import published
from self_tests.support.forked_cases import ROOT
from self_tests.support.small_project import SNAPSHOTS, End, ProjectMaker, claims

USAGE_ERROR, COLLECTION_ERROR = 4, 2
CONFTEST = ROOT / "conftest.py"
PASSES = """
    @claim("demo.holds")
    def test_it(device):
        pass
"""
RECORDS = """
    @claim("demo.holds")
    def test_it(device, recorded):
        recorded(torch.ones(2, device=device))
"""


def refused(end: End, *words: str) -> None:
    """Assert that a run ended before any case, with one line that has these words."""
    assert end.code == USAGE_ERROR, end.text
    assert end.results == {}
    lines = [line for line in end.text.splitlines() if all(word in line for word in words)]
    assert len(lines) == 1, end.text


@pytest.mark.parametrize(
    "specification, words",
    [
        pytest.param(claims("Demo.Holds"), ("demo.md:3", "not a claim id"), id="upper_case"),
        pytest.param(claims("demo"), ("demo.md:3", "not a claim id"), id="one_part"),
        pytest.param(claims("demo.a", "demo.a"), ("demo.md:8", "already at"), id="twice"),
        pytest.param(claims("demo.a", fields=""), ("demo.a", "no line of fields"), id="no_fields"),
        pytest.param(
            claims("demo.a", fields="torch: >=2.0 · colour: red"), ("colour",), id="unknown_field"
        ),
        pytest.param(claims("demo.a", fields="torch: new"), ("'new'", "range"), id="range"),
        pytest.param(
            claims("demo.a", fields="torch: >=2.0 · devices: tpu"), ("'tpu'", "cuda"), id="devices"
        ),
        pytest.param(
            claims("demo.a", fields="torch: >=2.0 · see: demo.b"), ("'demo.b'",), id="see"
        ),
        pytest.param(
            "# Demo\n\n### demo.a\nIt should.\n\ntorch: >=2.0\n", ("indicative",), id="should"
        ),
        pytest.param("# Demo\n\n### demo.a\n\ntorch: >=2.0\n", ("no sentence",), id="no_sentence"),
        pytest.param(
            "# Demo\n\n### demo.a\nSo it does.\n\ntorch: >=2.0\n", ("'So'", "leans"), id="leaning"
        ),
    ],
)
def test_a_malformed_specification(
    project: ProjectMaker, specification: str, words: tuple[str, ...]
) -> None:
    refused(project(specification).run(), *words)


@pytest.mark.parametrize(
    "deviations, words",
    [
        pytest.param("[[deviation]", ("deviations.toml", "not TOML"), id="not_toml"),
        pytest.param("[deviation]\n", ("deviations.toml", "two brackets"), id="one_bracket"),
        pytest.param(
            "[[deviation]]\nclaim = 'demo.holds'\n", ("'torch' is missing",), id="missing"
        ),
        pytest.param(
            "[[deviation]]\nclaim='demo.hold'\ntorch='>=2.0'\nreason='r'\nissue='i'\n",
            ("entry 1", "did you mean 'demo.holds'"),
            id="unknown_claim",
        ),
        pytest.param(
            "[[deviation]]\nclaim='demo.holds'\ntorch='>=2.0'\nreason='r'\nissue='i'\nwhy=1\n",
            ("'why' is not a key",),
            id="unknown_key",
        ),
    ],
)
def test_a_malformed_record_of_deviations(
    project: ProjectMaker, deviations: str, words: tuple[str, ...]
) -> None:
    refused(project(claims("demo.holds"), PASSES, deviations).run(), *words)


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(("--claim", "demo.hold"), ("did you mean 'demo.holds'",), id="claim"),
        pytest.param(("--claim", "x.*"), ("no claim of docs/spec matches",), id="claim_glob"),
        pytest.param(("--device", "abacus"), ("unknown device 'abacus'",), id="device"),
        pytest.param(("--device", "meta"), ("'meta' holds no values",), id="meta"),
        pytest.param(("--require-device", "xpu"), ("--require-device xpu", "no xpu"), id="absent"),
        pytest.param(("-n", "2", "--snapshot-update"), ("one process",), id="parallel_update"),
        pytest.param(("--device", "cuda:x"), ("unknown device 'cuda:x'",), id="device_number"),
        pytest.param(("--device", "cpu:7"), ("the CPU is one device",), id="cpu_number"),
        pytest.param(("--device=",), ("unknown device ''",), id="no_device"),
        pytest.param(
            ("--implementation", "warp"), ("no implementation has this name",), id="implementation"
        ),
        pytest.param(("--random-rounding", "-1"), ("the seed must be 0 or more",), id="seed"),
        pytest.param(("--random-rounding", "x"), ("--random-rounding", "'x'"), id="no_seed"),
        pytest.param(("--min-cases", "x"), ("--min-cases", "'x'"), id="no_number"),
        pytest.param(("--fail-on=",), ("--fail-on: name what counts",), id="fail_on_nothing"),
        pytest.param(("--fail-on=any",), ("name a report with --baseline",), id="no_baseline"),
        pytest.param(
            ("--baseline=docs",), ("--baseline docs/report.json: no report",), id="missing_baseline"
        ),
        pytest.param(
            ("--report=pyproject.toml",), ("cannot be written to",), id="report_in_a_file"
        ),
        pytest.param(("--overwrite",), ("add --report=DIR",), id="overwrite_alone"),
        pytest.param(
            ("--report=a", "--collect-only"), ("--collect-only runs nothing",), id="collect_only"
        ),
        pytest.param(
            ("--baseline=a", "--setup-plan"), ("--setup-plan runs nothing",), id="setup_plan"
        ),
        pytest.param(("--claim=",), ("unknown claim ''",), id="empty_claim"),
        pytest.param(("--hypothesis-profile=",), ("there is no such profile",), id="empty_profile"),
        pytest.param(
            ("--emulated-without", "gold"), ("invalid choice: 'gold'",), id="lacking_gold"
        ),
        pytest.param(("-n", "-1"), ("the number of processes must be 0 or more",), id="processes"),
        pytest.param(("-p", "no:syrupy"), ("has not loaded syrupy",), id="no_syrupy"),
        pytest.param(("-m", "gpu"), ("Unknown marker(s) in '-m'", "gpu"), id="marker"),
        pytest.param(("-m", "(cpu"), ("Wrong expression passed to '-m'",), id="expression"),
        pytest.param(
            ("--device", "emulated", "-m", "cpu"), ("no case is on cpu",), id="emulated_cpu"
        ),
        pytest.param(
            ("--device", "emulated", "--device", "cpu"), ("allows no other",), id="emulated_beside"
        ),
    ],
)
def test_a_wrong_command_line(
    project: ProjectMaker, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(project(claims("demo.holds"), PASSES).run(*arguments), *words)


def test_a_test_that_cites_an_unknown_claim(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES.replace("demo.holds", "demo.hold")).run()
    assert end.code == COLLECTION_ERROR
    assert "unknown claim 'demo.hold': did you mean 'demo.holds'?" in end.text.splitlines()


@pytest.mark.parametrize("content", ['{"snapshots": {"test_it": [1', "[]"], ids=["cut", "other"])
def test_a_truncated_snapshot_file_is_left_alone(project: ProjectMaker, content: str) -> None:
    small = project(claims("demo.holds"), RECORDS)
    small.write(SNAPSHOTS, content)
    refused(small.run("--snapshot-update"), "truncated", "restore it")
    assert small.read(SNAPSHOTS) == content


def test_a_torch_that_is_too_old(project: ProjectMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda n: "1.13.1" if n == "torch" else installed(n)
    )
    refused(project(claims("demo.holds"), PASSES).run(), "torch 1.13.1 is older than 2.0")


def test_a_torch_that_is_missing(project: ProjectMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.version

    def without_torch(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(importlib.metadata, "version", without_torch)
    refused(project(claims("demo.holds"), PASSES).run(), "torch is not installed", "pip install")


@pytest.mark.parametrize(
    "arguments, words",
    [
        pytest.param(("--min-cases", "-5"), ("--min-cases -5", "0 or more"), id="min_cases"),
        pytest.param(("--report=",), ("--report: name a folder",), id="report"),
        pytest.param(("--baseline=",), ("--baseline: name a folder",), id="baseline"),
        pytest.param(
            ("--emulated-without", "float64"), ("add --device emulated",), id="emulated_without"
        ),
    ],
)
def test_an_option_that_says_nothing(
    project: ProjectMaker, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(project(claims("demo.holds"), PASSES).run(*arguments), *words)


@pytest.mark.parametrize(
    "module, name, value, words",
    [
        (pytest, "__version__", "8.4.2", "pytest 8.4.2 is older than 9.0 and does not read"),
        (sys, "version_info", (3, 9, 18), "Python 3.9 is older than 3.11"),
    ],
    ids=["pytest", "python"],
)
def test_what_is_too_old_to_run_the_project(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, value: object, words: str
) -> None:
    monkeypatch.setattr(warnings, "warn", warnings.warn)  # which a refusal silences
    with monkeypatch.context() as old:
        old.setattr(module, name, value)
        conftest = runpy.run_path(str(CONFTEST))
    assert conftest["pytest_plugins"] == []  # they are written for a newer Python
    with pytest.raises(pytest.UsageError, match=words) as refusal:
        conftest["pytest_addoption"](None)
    assert "\n" not in str(refusal.value)


def test_a_python_that_is_too_old_can_read_why() -> None:
    ast.parse(CONFTEST.read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("name", ["there", "there/report.json"], ids=["folder", "file"])
def test_a_report_in_the_place_of_the_one_that_it_is_compared_with(
    project: ProjectMaker, name: str
) -> None:
    small = project(claims("demo.holds"), PASSES)
    assert small.run("--report=there").code == 0
    before = small.read("there/report.json")
    refused(small.run("--report=there", f"--baseline={name}"), "--report there", "would replace")
    assert small.read("there/report.json") == before


def test_a_worker_that_refuses_its_cases(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES)
    assert small.run("-m", "cpu", "--report=there").code == 0
    before = small.read("there/report.json")
    small.write_test(PASSES + "\n    def test_another():\n        pass\n")
    end = small.run("-n", "2", "-m", "cpu", "--report=there")
    refused(end, "test_demo.py::test_another cites no claim")
    assert small.read("there/report.json") == before


@pytest.mark.parametrize(
    "decorator, words",
    [
        ("claim", 'as in @claim("zero-grad.sets-none")'),
        ("claim()", 'as in @claim("zero-grad.sets-none")'),
        ("claim(3)", 'as in @claim("zero-grad.sets-none")'),
        ('pytest.mark.claim("demo.hold")', "unknown claim 'demo.hold': did you mean 'demo.holds'?"),
        ("pytest.mark.claim", "unknown claim '': docs/spec lists the claims"),
        (
            'claim("demo.other")\n    @claim("demo.holds")',
            "cites demo.holds and demo.other; a test",
        ),
    ],
    ids=["bare", "empty", "number", "by_hand", "by_hand_empty", "two"],
)
def test_a_test_that_cites_no_claim_by_its_id(
    project: ProjectMaker, decorator: str, words: str
) -> None:
    test = PASSES.replace('claim("demo.holds")', decorator)
    end = project(claims("demo.holds", "demo.other"), test).run()
    assert end.code == COLLECTION_ERROR
    assert [line for line in end.text.splitlines() if words in line], end.text


def test_a_path_that_leaves_out_the_claim(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES)
    small.write("docs/spec/rain.md", claims("rain.falls"))
    small.write_test(PASSES.replace("demo.holds", "rain.falls"), "spec_tests/rain/test_rain.py")
    told = "--claim rain.*: spec_tests/demo has no case of rain.falls; the tests are in spec_tests/rain"
    end = small.run("--claim", "rain.*", "spec_tests/demo")
    assert (end.code, end.errors) == (pytest.ExitCode.NO_TESTS_COLLECTED, [told])
    end = small.run("--claim", "rain.*", "--claim", "demo.*", "-m", "cpu", "spec_tests/demo")
    assert (end.code, end.errors) == (1, [told])
    assert small.run("--claim", "rain.*", "-m", "cpu", "spec_tests/rain").code == 0


def test_tables_that_cannot_be_read(
    project: ProjectMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(published, "HERE", tmp_path)
    published._read.cache_clear()
    try:
        refused(project(claims("demo.holds"), PASSES).run(), "published/optim.toml: cannot be read")
    finally:
        published._read.cache_clear()


def test_a_chapter_that_is_not_utf_8(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES)
    (small.path / "docs/spec/other.md").write_bytes("# Übrige".encode("latin-1"))
    refused(small.run(), "other.md: is not UTF-8", "byte 2")


@pytest.mark.parametrize("heading", ["#### demo.a", "###demo.a"], ids=["too_deep", "no_blank"])
def test_a_heading_that_begins_no_claim(project: ProjectMaker, heading: str) -> None:
    text = claims("demo.holds") + f"\n{heading}\nIt is lost.\n\ntorch: >=2.0\n"
    refused(project(text, PASSES).run(), "demo.md:", "begins no claim")


def test_an_unknown_profile_of_hypothesis(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES).run("--hypothesis-profile", "deep")
    refused(end, "--hypothesis-profile deep", "specification", "thorough")


def test_a_test_that_cites_no_claim(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES + "\n    def test_another():\n        pass\n")
    refused(small.run(), "test_demo.py::test_another cites no claim")


@pytest.mark.parametrize(
    "selection, words",
    [
        (("-m", "cpu and cuda"), "-m 'cpu and cuda' leaves none"),
        (("-k", "nowhere"), "-k 'nowhere' leaves none"),
        (("--claim", "demo.other"), "--claim demo.other leaves none"),
    ],
    ids=["marker", "keyword", "claim"],
)
def test_a_selection_that_leaves_nothing(
    project: ProjectMaker, selection: tuple[str, ...], words: str
) -> None:
    end = project(claims("demo.holds", "demo.other"), PASSES).run(*selection)
    assert end.code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert [error for error in end.errors if words in error], end.text


def test_an_id_that_was_renamed_is_told(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES)
    small.write("docs/spec/renamed.md", "# Renamed\n\n| `demo.held` | `demo.holds` |\n")
    refused(small.run("--claim", "demo.held"), "'demo.held' is now called 'demo.holds'")
