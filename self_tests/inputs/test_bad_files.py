"""Files that somebody has edited or cut off: each is refused with one line that names it and says why."""

import gzip
import json
import re
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from fixtures.assertions.snapshots import SnapshotFileError, read_file
from fixtures.catalogue.published import FUNCTIONS, TableError, read_table
from fixtures.devices.availability import why_no_kind
from fixtures.report.storage import ReportError, layout, read_report
from fixtures.specification.deviations import DeviationError, read_deviations
from fixtures.specification.register import SpecificationError, read_register
from self_tests.detection import figures
from self_tests.detection.__main__ import main as detection
from self_tests.mutation.unobservable import UnobservableError
from self_tests.mutation.unobservable import read as read_unobservable
from self_tests.support.made_up_reports import report_on
from self_tests.support.small_project import claims

GOOD = report_on("cpu")
FIELDS = "torch: >=2.0"


def edited(*path: str | int, to: Any) -> str:
    """Return the text of a report of version 1, without a digest, with another value at a place of it."""
    report = json.loads(layout({**GOOD, "schema_version": 1}))
    where: Any = report
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = to
    del report["footer"]["digest"]
    return json.dumps(report)


CASE = ("claims", 0, "cases", 0)
REPORTS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "empty; the run that was to write it did not end"),
    "blank": ("\n\n", "empty; the run that was to write it did not end"),
    "cut_off": (layout(GOOD)[:-9], "truncated: it ends in the middle"),
    "other_text": ("3 passed", "not a report: it is no JSON"),
    "compressed": (gzip.compress(layout(GOOD).encode()), "not a report: it is no text in UTF-8"),
    "latin-1": ("{}é".encode("latin-1"), "not a report: it is no text in UTF-8"),
    "utf-16": (layout(GOOD).encode("utf-16"), "not a report: it is no text in UTF-8"),
    "nan": (edited(*CASE, "ulps", to=float("nan")), "not a report: it has NaN, which is no JSON"),
    "infinite": (edited("times", "seconds", to=float("inf")), "it has Infinity, which is no JSON"),
    "nested": ("[" * 100_000, "not a report: it is no JSON"),
    "null": ("null", "not a report: it does not say 'schema'"),
    "a_list": ("[]", "not a report: it does not say 'schema'"),
    "other_schema": (edited("schema", to="pytest"), "not a report: it does not say 'schema'"),
    "newer": (edited("schema_version", to=99), "version 99 of the report's schema; this checkout reads"),
    "no_digest": (layout(GOOD).replace('"digest": "', '"digests": "'), "has a 'digests' that the schema"),
    "digest_gone": (re.sub(r',\n"digest": "\w+"\n}', "\n}", layout(GOOD)), "changed since it was written"),
    "no_footer": (edited("footer", "counts", to={}), "report.footer.counts has no 'claims'"),
    "edited": (layout(GOOD).replace('"verdict":"holds"', '"verdict":"broken"'), "changed since it was"),
    "ending_edited": (layout(GOOD).replace('"completely"', '"early"'), "changed since it was written"),
    "verdict": (edited(*CASE, "verdict", to="fine"), "verdict is 'fine', not one of holds, broken"),
    "unknown_key": (edited(*CASE, "colour", to="red"), "has a 'colour' that the schema does not know"),
    "text_for_list": (edited("claims", to="none"), "report.claims is not of type array"),
    "no_results": (edited(*CASE, "results", to=7), "has the results 7, which are not there"),
    "negative": (edited(*CASE, "results", to=-1), "has the results -1, which are not there"),
    "no_layout": (edited("results", 0, "layout", to=5), "result 0 has the layout 5, which is not there"),
    "distance": (edited(*CASE, "ulps", to="far"), "has ulps 'far', which is no distance"),
    "fewer": (edited("claims", to=[]), "truncated: its footer counts 1 claims, and it has 0"),
}  # fmt: skip


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def one_line(refusal: pytest.ExceptionInfo[Exception], name: str, words: str) -> None:
    """Assert that a refusal is one line that has the name of a file and these words."""
    line = str(refusal.value)
    assert len(line.splitlines()) == 1, line
    assert name in line
    assert words in line


@pytest.mark.parametrize("content, words", REPORTS.values(), ids=REPORTS)
def test_a_report(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(ReportError) as refusal:
        read_report(write(tmp_path / "report.json", content))
    one_line(refusal, "report.json", words)


def test_reports_of_before_are_read(tmp_path: Path) -> None:
    text = layout({**GOOD, "schema_version": 1})
    of_the_text_alone = blake2b(text.partition('\n"footer": ')[0].encode(), digest_size=8)
    older = text.replace(json.loads(text)["footer"]["digest"], of_the_text_alone.hexdigest())
    for before in (older, edited("complaints", to=[])):
        read = read_report(write(tmp_path / "report.json", before))
        assert read == {**GOOD, "schema_version": 1}


def test_a_folder_in_the_place_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(ReportError) as refusal:
        read_report(tmp_path)
    one_line(refusal, "report.json", "cannot be read: Is a directory")


CHAPTERS: dict[str, tuple[str | bytes, str]] = {
    "latin-1": ("# Übrige".encode("latin-1"), "is not UTF-8: byte 2 cannot be read"),
    "four": ("# Demo\n\n#### demo.b\nIt is lost.\n", "demo.md:3: '####' begins no claim"),
    "two": ("# Demo\n\n## demo.b\nIt is lost.\n", "demo.md:3: '##' begins no claim"),
    "one": ("# demo.b\nIt is lost.\n", "demo.md:1: '#' begins no claim"),
    "no_blank": ("# Demo\n\n###demo.b\nIt is lost.\n", "'###demo.b' begins no claim"),
    "no_fields": (claims("demo.a", fields=""), "has no line of fields"),
    "fields_in_capitals": (claims("demo.a", fields="Torch: >=2.0"), "has no line of fields"),
    "semicolon": (claims("demo.a", fields=f"{FIELDS}; devices: cpu"), "is not a range of torch releases"),
    "no_colon": (claims("demo.a", fields=f"{FIELDS} · cpu"), "'cpu' is not a field; the fields are torch"),
    "no_value": (claims("demo.a", fields=f"{FIELDS} · devices:"), "'devices:' is not a field"),
    "twice": (claims("demo.a", fields=f"{FIELDS} · torch: <3"), "gives 'torch' twice"),
    "level": (claims("demo.a", fields=f"{FIELDS} · level: true"), "'true' is not one of documented"),
    "statement": (claims("demo.a", fields=f"{FIELDS} · documents: 3-6"), "'3-6' is not a statement's"),
    "api": (claims("demo.a", fields=f"{FIELDS} · api: SGD(lr"), "'SGD(lr' is not a name of torch"),
    "implementations": (claims("demo.a", fields=f"{FIELDS} · implementations: Fused"), "'Fused' is none of"),
    "see": (claims("demo.a", fields=f"{FIELDS} · see: demo.b"), "'see' names 'demo.b', which is no claim"),
}  # fmt: skip


@pytest.mark.parametrize("content, words", CHAPTERS.values(), ids=CHAPTERS)
def test_a_chapter(tmp_path: Path, content: str | bytes, words: str) -> None:
    write(tmp_path / "demo.md", content)
    write(tmp_path / "other.md", claims("other.a"))
    with pytest.raises(SpecificationError) as refusal:
        read_register(tmp_path)
    one_line(refusal, "demo.md", words)


@pytest.mark.parametrize(
    "row, words",
    [
        ("| demo.old | `demo.a` |", "is no row such as"),
        ("| `demo.old` | `demo.a`", "is no row such as"),
        ("| `demo.old` | `demo.b` |", "'demo.old' is said to be 'demo.b', which is no claim"),
        ("| `demo.a` | `demo.a` |", "'demo.a' is an id that is still used"),
    ],
    ids=["no_ticks", "no_end", "unknown", "in_use"],
)
def test_the_table_of_renamed_claims(tmp_path: Path, row: str, words: str) -> None:
    write(tmp_path / "demo.md", claims("demo.a"))
    write(tmp_path / "renamed.md", f"# Renamed\n\n| until | now |\n| --- | --- |\n{row}\n")
    with pytest.raises(SpecificationError) as refusal:
        read_register(tmp_path)
    one_line(refusal, "renamed.md", words)


ENTRY = {"claim": "demo.a", "torch": ">=2.0", "reason": "torch does not", "issue": "somewhere#1"}


def deviation(**changes: str | int) -> str:
    """Return an entry of deviations.toml with other values."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in (ENTRY | changes).items()]
    return "[[deviation]]\n" + "\n".join(lines) + "\n"


DEVIATIONS: dict[str, tuple[str | bytes, str]] = {
    "cut_off": ("[[deviation]", "not TOML"),
    "latin-1": ("# Übrige".encode("latin-1"), "not TOML: 'utf-8' codec can't decode"),
    "other_table": (deviation() + "[[deviations]]\n", "'deviations' is not expected"),
    "texts": ("deviation = ['demo.a']", "entry 1: is not a table; write [[deviation]]"),
    "number": (deviation(torch=2), "'torch' is not a text"),
    "no_reason": (deviation(reason=""), "'reason' is empty"),
    "no_range": (deviation(torch=""), "'torch' is empty"),
    "range": (deviation(torch="2.x"), "'2.x' is not a range of torch releases"),
    "claim": (deviation(claim="demo.b"), "unknown claim 'demo.b'"),
    "device": (
        deviation(device="gpu"),
        "'device': unknown device 'gpu'; name one that torch knows",
    ),
    "no_device": (deviation(device="meta"), "'device': device 'meta' holds no values"),
    "one_device": (deviation(device="cuda:1"), "'cuda:1' is one device; write its kind alone"),
    "exception": (deviation(raises="TorchError"), "'TorchError' is not a built-in exception"),
    "no_exception": (deviation(raises="print"), "'print' is not a built-in exception"),
    "finding": (deviation(finding="nowhere"), "there is no docs/findings/nowhere.toml"),
}


@pytest.mark.parametrize("content, words", DEVIATIONS.values(), ids=DEVIATIONS)
def test_the_record_of_deviations(tmp_path: Path, content: str | bytes, words: str) -> None:
    write(tmp_path / "demo.md", claims("demo.a"))
    with pytest.raises(DeviationError) as refusal:
        read_deviations(
            write(tmp_path / "deviations.toml", content), read_register(tmp_path), why_no_kind
        )
    one_line(refusal, "deviations.toml", words)


def test_a_record_of_deviations_that_is_gone(tmp_path: Path) -> None:
    write(tmp_path / "demo.md", claims("demo.a"))
    with pytest.raises(DeviationError) as refusal:
        read_deviations(tmp_path / "deviations.toml", read_register(tmp_path))
    one_line(refusal, "deviations.toml", "no such file")


SNAPSHOTS: dict[str, str | bytes] = {
    "empty": "",
    "cut_off": '{"snapshots": {"test_it": [1',
    "a_list": "[]",
    "latin-1": '{"snapshots": {"é": 1}}'.encode("latin-1"),
    "dtype": '{"snapshots": {"a": {"dtype": "float31", "shape": [1], "values": [1.0]}}}',
    "shape": '{"snapshots": {"a": {"dtype": "float32", "shape": [3], "values": [1.0]}}}',
    "word": '{"snapshots": {"a": {"dtype": "float32", "shape": [1], "values": ["one"]}}}',
}


@pytest.mark.parametrize("content", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_a_file_of_snapshots(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(SnapshotFileError) as refusal:
        read_file(write(tmp_path / "test_it.json", content))
    one_line(refusal, "test_it.json", "truncated, or not a snapshot file; restore it")


TABLES: dict[str, tuple[str | bytes, str]] = {
    "cut_off": ("[Adam", "not TOML"),
    "latin-1": ("# Übrige".encode("latin-1"), "not TOML"),
    "no_table": ('Adam = "params"', "Adam: is no table"),
    "no_call": ('[Adam]\nbases = "torch.optim.Optimizer"', "Adam: 'call' is missing"),
    "unknown_key": ('[Adam]\ncall = "params"\ncolour = "red"', "Adam: 'colour' is not a key"),
    "number": ("[Adam]\ncall = 3", "Adam: 'call' is not a text"),
    "range": ('[Adam]\ncall = "params, fused=None [>=2.x]"', "'>=2.x' is not a range"),
    "releases": ('[Adam]\ncall = "params"\ntorch = "new"', "Adam: 'torch': 'new' is not a range"),
    "method": ('[Adam]\ncall = "params"\nmethods.step = "[2] a"', "'methods.step': '2' is not a range"),
}  # fmt: skip


@pytest.mark.parametrize("content, words", TABLES.values(), ids=TABLES)
def test_a_table_of_what_is_published(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(TableError) as refusal:
        read_table(write(tmp_path / "optim.toml", content))
    one_line(refusal, "fixtures/catalogue/published/optim.toml", words)


def test_a_function_of_no_module(tmp_path: Path) -> None:
    with pytest.raises(TableError) as refusal:
        read_table(write(tmp_path / FUNCTIONS, '[adam]\ncall = "params"'))
    one_line(refusal, FUNCTIONS, "adam: 'in' is missing")


UNOBSERVABLE: dict[str, tuple[str | bytes, str]] = {
    "cut_off": ("[[unobservable", "is not TOML"),
    "latin-1": ("# Übrige".encode("latin-1"), "is not TOML"),
    "one_bracket": ("[unobservable]\nchange = 'a'", "with two brackets"),
    "no_reason": ("[[unobservable]]\nchange = 'a'", "lacks 'reason'"),
    "unknown_key": ("[[unobservable]]\nchange = 'a'\nreason = 'b'\nwhy = 'c'", "has 'why'"),
}


@pytest.mark.parametrize("content, words", UNOBSERVABLE.values(), ids=UNOBSERVABLE)
def test_a_record_of_mutants(tmp_path: Path, content: str | bytes, words: str) -> None:
    write(tmp_path / "adam.toml", content)
    with pytest.raises(UnobservableError) as refusal:
        read_unobservable(tmp_path)
    one_line(refusal, "adam.toml", words)


def test_figures_that_are_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = write(tmp_path / "detection.json", '{"mutation": ')
    for module in (figures, sys.modules[detection.__module__]):
        monkeypatch.setattr(module, "FIGURES", stored)
    assert detection([]) == 2
    assert "detection.json: no JSON, or cut off; restore it" in capsys.readouterr().err
    assert stored.read_text(encoding="utf-8") == '{"mutation": '
