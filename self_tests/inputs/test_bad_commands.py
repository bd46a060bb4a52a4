"""Wrong command lines of every command: a line that says what is wrong, status 2, and nothing done."""

import errno
import importlib
import io
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from fixtures.command import BAD_INPUT, INTERRUPTED, READER_GONE, InputError, command
from self_tests.support.forked_cases import ROOT
from self_tests.support.made_up_reports import report_on, write

# By command: arguments, in which {} is the folder of the test, and what the line has to say.
WRONG: dict[str, list[tuple[str, str]]] = {
    "fixtures.compare": [
        ("{}/whole", "the following arguments are required: NEW"),
        ("{}/whole {}/missing", "missing: no report there"),
        ("{}/whole {}/whole --format xml", "invalid choice: 'xml'"),
        ("{}/whole {}/whole --fail-on colour", "--fail-on 'colour': choose from broken, behaviour"),
        ("{}/whole {}/whole --fail-on ,", "--fail-on: name what counts"),
        ("{}/whole/report.json/x {}/whole", "cannot be read: Not a directory"),
        ("{}/whole {}", "report.json: no report there"),
        ("{}/whole {}/of_cuda.json", "no case is in both reports"),
        ("{}/whole {}/whole --for adamw", "did you mean 'AdamW'?"),
        ("{}/whole {}/whole --for AdamW(", "a parenthesis is not closed"),
        ("{}/whole {}/whole --for ,", "something is missing beside a comma"),
        ("{}/whole {}/whole --for {}/missing.py", "missing.py: no such file or folder"),
        ("{}/whole {}/whole --for {}/words.txt", "nothing of torch.optim, torch.amp"),
        ("2.16 2.15", "2.16: no results of this release are stored: there are 2.0.1, 2.1.2,"),
        ("2.15 2.7.0", "2.7.0: no results of this release are stored: there are 2.0.1"),
        ("2.15-cuda 2.14-cuda", "2.15-cuda: no results of this release are stored"),
        ("v2.8 2.15", "v2.8: no report there"),
    ],
    "fixtures.releases.compatibility": [
        ("{}/missing", "missing: no report there"),
        ("--check {}/whole", "--check looks at what is stored: leave out the reports"),
        ("--chek", "unrecognized arguments: --chek"),
        ("{}/part.json", "part.json: the report is of --claim 'demo.*' alone"),
        ("{}/early.json", "early.json: the run of this report ended early"),
        ("{}/whole {}/whole/report.json", "name one of them"),
    ],
    "fixtures.releases.ci_matrix": [
        ("--chek", "unrecognized arguments: --chek"),
        ("2.13.0", "unrecognized arguments: 2.13.0"),
    ],
    "fixtures.releases.upgrades": [
        ("--chek", "unrecognized arguments: --chek"),
        ("2.8 2.15", "unrecognized arguments: 2.8 2.15"),
    ],
    "fixtures.releases.bounds": [("{}/missing", "missing: no report there")],
    "fixtures.specification.documents": [("--chek", "unrecognized arguments: --chek")],
    "fixtures.report.page": [
        ("{}/whole", "the following arguments are required: PAGE"),
        ("{}/missing {}/page.html", "missing: no report there"),
        ("{}/whole {}/missing/page.html", "missing: no such folder; make it first"),
        ("{}/whole {}", "is a folder; name a file"),
        ("{}/whole {}/whole/report.json", "would replace the report that it is drawn from"),
    ],
    "fixtures.findings": [
        ("nowhere", "'nowhere' is no finding"),
        ("--issue --check", "not allowed with argument"),
    ],
    "fixtures.findings.pages": [("--chek", "unrecognized arguments: --chek")],
    "fixtures.public_reports.page": [("--chek", "unrecognized arguments: --chek")],
    "self_tests.sabotage": [
        ("decay_leaks_into_grads", "did you mean 'decay_leaks_into_grad'?"),
        ("x", "'x' is no fault: python -m self_tests.sabotage lists them"),
    ],
    "self_tests.mutation": [
        ("--sample 0", "--sample: '0' is no number of 1 or more"),
        ("--jobs -1", "--jobs: '-1' is no number of 1 or more"),
        ("--jobs many", "--jobs: 'many' is no number of 1 or more"),
        ("--lines 20-10", "--lines: '20-10' is no range of lines such as 10-20"),
        ("--lines ten", "--lines: 'ten' is no range of lines such as 10-20"),
        ("--json {}/missing/found.json", "is no file in a folder that is there"),
        ("--json {}", "is no file in a folder that is there"),
        ("--module nowhere.py", "--module nowhere.py: torch.optim has no such module"),
        ("--module sgd.py --after {}/missing", "missing: there is no such file; --json writes one"),
        ("--module sgd.py --after {}/of_nothing.json", "of another sample of modules"),
        ("--pytorch {} --cases spec_tests", "choose among those of this suite: leave one"),
        ("--module sgd.py --pytorch {}", "no checkout of PyTorch: it has no test/test_optim.py"),
    ],
    "self_tests.silence": [
        ("--jobs 0", "--jobs: '0' is no number of 1 or more"),
        ("--row nowhere", "invalid choice: 'nowhere'"),
        ("--only nowhere", "no condition has 'nowhere' in its name"),
        ("--json {}/missing/found.json", "is no file in a folder that is there"),
    ],
    "self_tests.silence.rounding": [
        ("--seeds 0", "--seeds: '0' is no number of 1 or more"),
        ("{}/missing", "missing: no report there"),
    ],
    "self_tests.benchmark": [
        ("--json {}/missing/found.json", "is no file in a folder that is there"),
    ],
    "self_tests.benchmark.earlier": [
        ("nowhere", "nowhere: git says fatal: "),
        ("HEAD --times 0", "--times: '0' is no number of 1 or more"),
    ],
    "self_tests.benchmark.peer": [
        ("{}", "no checkout of PyTorch: it has no test/test_optim.py"),
        ("{} --times 0", "--times: '0' is no number of 1 or more"),
    ],
    "self_tests.selection.quick": [("--sample 0", "--sample: '0' is no number of 1 or more")],
    "self_tests.selection.share": [
        ("{}/missing", "missing: there is no such file"),
        ("{}/words.txt", "words.txt: truncated, or not what --json writes"),
    ],
    "self_tests.detection": [
        ("--mutation {}/missing", "missing: No such file or directory"),
        ("--empty {}/words.txt", "--empty {}/words.txt: no JSON, or cut off"),
        ("--benchmark {}/of_nothing.json", "it has no implementations, optimizers"),
    ],
    "self_tests.documents.empty_claims": [
        ("--tries few", "--tries: 'few' is no number of 1 or more"),
    ],
    "self_tests.documents.coverage": [("--every", "unrecognized arguments: --every")],
    "self_tests.documents.examples": [("--wrote", "unrecognized arguments: --wrote")],
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reports, and with files that are none."""
    folder = tmp_path_factory.mktemp("inputs")
    write(folder / "whole" / "report.json", report_on("cpu"))
    write(folder / "of_cuda.json", report_on("cuda"))
    part, early = report_on("cpu"), report_on("cpu")
    part["header"]["options"]["claim"] = ["demo.*"]
    early["footer"]["ended"] = "early"
    write(folder / "part.json", part)
    write(folder / "early.json", early)
    (folder / "words.txt").write_text("PASS\n", encoding="utf-8")
    rows = [{"module": "nowhere.py", "index": 0, "fate": "survived", "by": ""}]
    nothing = {"torch": torch.__version__, "seed": 0, "mutants": rows}
    (folder / "of_nothing.json").write_text(json.dumps(nothing), encoding="utf-8")
    return folder


def module_of(name: str) -> ModuleType:
    """Return the module that ``python -m`` runs."""
    module = importlib.import_module(name)
    is_package = hasattr(module, "__path__")
    return importlib.import_module(f"{name}.__main__") if is_package else module


@pytest.mark.parametrize(
    "name, arguments, words",
    [
        pytest.param(name, arguments, words, id=f"{name.partition('.')[2]}-{arguments}")
        for name, rows in WRONG.items()
        for arguments, words in rows
    ],
)
def test_a_wrong_command_line(
    inputs: Path, capfd: pytest.CaptureFixture[str], name: str, arguments: str, words: str
) -> None:
    before = sorted(inputs.rglob("*"))
    given, told = (text.replace("{}", str(inputs)) for text in (arguments, words))
    assert module_of(name).main(given.split()) == BAD_INPUT
    printed = capfd.readouterr()
    assert printed.out == ""
    assert told in printed.err.splitlines()[-1]
    assert len([line for line in printed.err.splitlines() if told in line]) == 1
    assert sorted(inputs.rglob("*")) == before


def commands() -> list[str]:
    """Return the modules that are run with ``python -m``.

    Not those two that must load without the rest of the project, or that only programs.py calls.
    """
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for folder in ("fixtures", "self_tests")
        for path in (ROOT / folder).rglob("*.py")
        if '\nif __name__ == "__main__":\n' in path.read_text(encoding="utf-8")
    }
    return sorted(found - {"fixtures.checkpoints.make", "fixtures.findings.runner"})


@pytest.mark.parametrize("name", commands())
def test_every_command_ends_in_the_same_ways(name: str) -> None:
    main = importlib.import_module(name).main
    assert hasattr(main, "__wrapped__"), f"decorate main() of {name} with @command"


class Full(io.StringIO):
    """An output that cannot be written."""

    def __init__(self, error: OSError):
        super().__init__()
        self._error = error

    def flush(self) -> None:
        """Fail, as a full disk does, once the buffer is to be written."""
        raise self._error


@pytest.mark.parametrize(
    "error, status, told",
    [
        (OSError(errno.ENOSPC, "Full"), BAD_INPUT, "ERROR: what this command prints: Full\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), READER_GONE, ""),
    ],
    ids=["full", "closed"],
)
def test_an_output_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: OSError,
    status: int,
    told: str,
) -> None:
    monkeypatch.setattr(sys, "stdout", Full(error))
    assert command(lambda: print("much") or 0)() == status
    assert capsys.readouterr().err == told


def test_a_terminal_that_has_no_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
    assert command(lambda: print("2.8 → 2.15") or 0)() == 0
    assert printed.getvalue() == b"2.8 ? 2.15\n"


def raising(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    "error, status, told",
    [
        (InputError("a: is wrong"), BAD_INPUT, "ERROR: a: is wrong\n"),
        (OSError(errno.EACCES, "Permission denied", "a"), BAD_INPUT, "ERROR: a: Permission denied\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
        (SystemExit(4), 4, ""),
    ],
    ids=["input", "file", "interrupted", "exit"],
)  # fmt: skip
def test_how_a_command_ends(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int, told: str
) -> None:
    assert command(raising)(error) == status
    assert capsys.readouterr().err == told


def test_a_mistake_of_the_project_itself_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        command(lambda: 1 // 0)()


def test_a_reader_that_goes_away_is_no_error(inputs: Path) -> None:
    whole = str(inputs / "whole")
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.compare", whole, whole],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == READER_GONE
