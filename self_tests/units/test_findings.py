"""Files of findings: what is read from one, what is refused, and what is made of it."""

import datetime
from pathlib import Path

import pytest

from fixtures.findings import pages, upstream_report
from fixtures.findings.programs import can_run, differences, run
from fixtures.findings.spans import span
from fixtures.specification.findings import Finding, FindingError, Program, read_findings
from fixtures.specification.register import Register, read_register
from fixtures.specification.torch_range import TorchRange

FILE = """
title = "SGD does otherwise"
severity = "numbers"
torch = ">=2.4"
concerns = ["SGD"]
options = ["fused=True"]
devices = ["cpu"]
claims = ["demo.it"]
summary = "SGD does otherwise than documented."
where = ["torch/optim/sgd.py: sgd()"]
change = "Do as documented."

[upstream]
searched = 2026-11-29
known = [{ number = 7, says = "the same" }]

[[program]]
code = "print(1)"
right = "2"
prints = [{ torch = ">=2.4", text = "1" }]
"""


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A specification of one claim, demo.it."""
    (tmp_path / "spec").mkdir()
    text = "# Demo\n\n### demo.it\nSGD does it.\n\ntorch: >=2.0\n"
    (tmp_path / "spec" / "demo.md").write_text(text, encoding="utf-8")
    return read_register(tmp_path / "spec")


def read(folder: Path, register: Register, text: str = FILE) -> Finding:
    """Return the finding of a file with this text."""
    (folder / "sgd-otherwise.toml").write_text(text, encoding="utf-8")
    return read_findings(folder, register)[0]


def test_a_file_is_read(tmp_path: Path, register: Register) -> None:
    finding = read(tmp_path, register)
    assert (finding.id, finding.severity, finding.claims) == (
        "sgd-otherwise", "numbers", ("demo.it",),
    )  # fmt: skip
    assert finding.searched == datetime.date(2026, 11, 29)
    assert finding.known[0].number == 7
    assert finding.programs[0].expected("2.3.1") == "2"
    assert finding.programs[0].expected("2.4.1") == "1"


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('severity = "numbers"', 'severity = "bad"', "severity 'bad' is none of numbers, memory"),
        ('title = "SGD does otherwise"', "", "'title' is missing"),
        ('title = "SGD does otherwise"', "title = 3", "'title' is not a text"),
        ('concerns = ["SGD"]', 'concerns = "SGD"', "'concerns' is not a list of texts"),
        ('concerns = ["SGD"]', "concerns = []", "'concerns' is empty"),
        ('devices = ["cpu"]', 'devices = ["gpu"]', "device 'gpu' is none of cpu, emulated, cuda"),
        ('torch = ">=2.4"\nconcerns', 'torch = "2.4"\nconcerns', "'2.4' is not a range"),
        ('["demo.it"]', '["demo.its"]', "demo.its"),
        ("searched = 2026-11-29", 'searched = "today"', "upstream: 'searched' is not a date"),
        ("number = 7", "issue = 7", "is no {number, says}"),
        ('right = "2"', "", "program 1: 'right' is missing"),
        ('right = "2"', 'right = "1"', "program 1: prints: a text is the right one"),
        ('right = "2"', 'right = "2"\ndevice = "tpu"', "device 'tpu' is neither cpu nor accelerator"),
        ('text = "1"', 'says = "1"', "is no {torch, text}"),
        ("[upstream]", "[upstream", "not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_file(
    tmp_path: Path, register: Register, old: str, new: str, says: str
) -> None:
    with pytest.raises(FindingError) as refused:
        read(tmp_path, register, FILE.replace(old, new, 1))
    assert str(refused.value).startswith("docs/findings/sgd-otherwise.toml: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "where, words",
    [
        (">=2.0", "all"),
        (">=2.4", "since 2.4"),
        (">=2.0,<2.5", "up to 2.4"),
        (">=2.4,<2.9", "2.4 to 2.8"),
        (">=2.4,<2.5", "2.4"),
        (">=2.0,!=2.2.*,<2.4", "up to 2.1, 2.3"),
    ],
)
def test_a_range_is_told_by_the_releases_that_are_checked(where: str, words: str) -> None:
    assert span(TorchRange(where)) == words


def test_a_program_is_run_with_torch_and_its_error_is_its_last_line() -> None:
    fine = Program("print(torch.ones(1).tolist())", "[1.0]", ())
    raises = Program("print('before')\nraise KeyError('gone')", "", ())
    assert run([fine, raises]) == {fine: "[1.0]", raises: "before\nKeyError: 'gone'"}


def test_no_program_sees_what_another_left() -> None:
    first = Program("torch.left = 1\nprint('first')", "", ())
    second = Program("print(hasattr(torch, 'left'))", "", ())
    assert run([first, second])[second] == "False"


def test_an_accelerator_is_played_where_it_can_be() -> None:
    program = Program("print(1)", "1", (), device="accelerator")
    assert can_run(program, "2.10.0")
    assert not can_run(program, "2.9.1")


def test_what_torch_has_mended_is_told(tmp_path: Path, register: Register) -> None:
    mended = FILE.replace('"print(1)"', '"print(2)"')
    (told,) = differences([read(tmp_path, register, mended)], "2.13.0")
    assert told.startswith(
        "sgd-otherwise: on 2.13.0 its program prints what is right: torch has mended it"
    )


def test_another_output_is_told_with_both(tmp_path: Path, register: Register) -> None:
    other = FILE.replace('"print(1)"', '"print(3)"')
    (told,) = differences([read(tmp_path, register, other)], "2.13.0")
    assert told.splitlines()[1:] == ["  expected:", "    1", "  printed:", "    3"]


def test_a_report_has_program_outputs_cause_and_releases(
    tmp_path: Path, register: Register
) -> None:
    text = upstream_report.report(read(tmp_path, register))
    for part in (
        "import torch\n\nprint(1)",
        "Expected:\n\n```\n2",
        "Actual:\n\n```\n1",
        "#7: the same",
    ):
        assert part in text
    assert "seen on torch 2.4.1 to 2.15.0, the newest release, on cpu" in text


def test_every_finding_has_a_page_and_a_row_in_the_index(
    tmp_path: Path, register: Register
) -> None:
    made = pages.pages([read(tmp_path, register)], register)
    row = "| [SGD does otherwise](findings/sgd-otherwise.md) | SGD | since 2.4 |"
    assert row in made["findings.md"]
    assert made["findings/sgd-otherwise.md"].startswith("# SGD does otherwise\n")
    assert "## SGD: 1 on 2.15.0" in made["findings/by-name.md"]
