"""docs/upgrades: which pages there are, what they say, and that they are not stale."""

from pathlib import Path

import pytest

from fixtures.compare.stored import Lane, lanes
from fixtures.releases import upgrades
from fixtures.releases.storing import store
from fixtures.releases.supported import RELEASES
from fixtures.specification.findings import Finding, read_findings
from fixtures.specification.register import Register, read_register
from self_tests.support.forked_cases import ROOT
from self_tests.support.made_up_reports import Entry, case, claim, report

ALL = [release.torch for release in RELEASES]


def test_the_pages_are_not_stale() -> None:
    assert upgrades.main(["--check"]) == 0


def test_there_is_a_page_for_neighbours_and_to_the_newest() -> None:
    found = upgrades.pairs(ALL)
    assert len(found) == len(set(found)) == len(ALL) - 1 + 7
    assert ("2.0.1", "2.1.2") in found
    assert {old for old, new in found if new == ALL[-1]} == set(ALL[-9:-1])
    assert upgrades.pairs(["2.8.0"]) == []


def test_a_page_is_called_by_its_minor_releases() -> None:
    assert upgrades.name_of(("2.7.1", "2.15.0")) == "2.7-to-2.15"


@pytest.fixture(scope="module")
def register() -> Register:
    """The claims of this checkout."""
    return read_register(ROOT / "docs" / "spec")


@pytest.fixture(scope="module")
def findings(register: Register) -> list[Finding]:
    """The findings of this checkout."""
    return list(read_findings(ROOT / "docs" / "findings", register))


def of(register: Register, name: str, *cases: Entry) -> Entry:
    """Return a claim of this checkout with these cases."""
    own = register[name]
    return {**claim(name, *cases), "chapter": own.chapter, "torch": str(own.torch)}


@pytest.fixture
def pages(tmp_path: Path, register: Register, findings: list[Finding]) -> dict[str, str]:
    """The pages of two releases between which something of every kind has changed."""
    old = report(
        "2.13.0",
        of(register, "clipping.sparse-was-refused", case("holds")),
        of(register, "clipping.sparse-sums-repeated-rows", case("not applicable")),
        of(register, "zero-grad.sets-none", case("holds"), case("not applicable", "b")),
        of(register, "schedules.as-the-docstrings-show", case("deviates", reason="ten times")),
        of(register, "weight-decay.stays-out-of-grad", case("holds", results=0)),
        results=[[("0.param_groups.0._x", "int64", 3)]],
        warnings=[{"category": "UserWarning", "text": "<b> `rain` *"}],
        surface={"torch.optim.SGD": {"kind": "class", "warnings": ["_a_"]}},
    )
    new = report(
        "2.14.1",
        of(register, "clipping.sparse-was-refused", case("not applicable")),
        of(register, "clipping.sparse-sums-repeated-rows", case("holds")),
        of(register, "zero-grad.sets-none", case("broken", reason="a [b]\nc"), case("holds", "b")),
        of(register, "schedules.as-the-docstrings-show", case("holds")),
        of(register, "weight-decay.stays-out-of-grad", case("holds", results=0)),
        results=[[("0.param_groups.0._x", "int64", 4)]],
        surface={"torch.optim.SGD": {"kind": "class", "warnings": ["_b_"]}},
    )
    store({"2.13.0": old, "2.14.1": new}, tmp_path / "cpu")
    lane: Lane = lanes(tmp_path, lambda: register)["cpu"]
    concerned = [f for f in findings if "schedules.as-the-docstrings-show" in f.claims]
    return upgrades.pages(lane, register, concerned)


@pytest.mark.parametrize(
    "told",
    [
        "# From torch 2.13 to 2.14\n\n**2.13.0 → 2.14.1: 1 claim is newly broken: zero-grad.sets-none.",
        "`python -m fixtures.compare 2.13 2.14 --for train.py`",
        "## Broken now: 1\n\n- broken now: ",
        "[`zero-grad.sets-none`](../spec/zero-grad.md#zero-gradsets-none)<br>a \\[b\\]\n",
        "## Behaviours changed: 1\n\n- **before 2.14** `clip_grad_norm_()` raises a NotImplementedError",
        "(../spec/mixed-precision.md#clippingsparse-was-refused)<br>**since 2.14** `clip_grad_norm_()` clips",
        "## Findings mended: 1\n\n- [The docstring of ChainedScheduler shows rates that are ten times too",
        "(../findings/chainedscheduler-example-ten-times-too-large.md) (documentation): [`schedules.",
        "- `_x`: 3 became 4, in 1 case of 1 claim",
        "- changed: `torch.optim.SGD`: warnings: \\_a\\_ is gone; warnings: \\_b\\_ is new\n",
        "- gone: `` UserWarning: <b> `rain` * ``\n",
        "<summary>New options and claims: 1</summary>\n\n- `zero_grad()` sets",
        "Both are stored results of 2026-01-01 (cpu, Python 3.11.7).",
    ],
)
def test_a_page_tells_what_changed(pages: dict[str, str], told: str) -> None:
    assert told in pages["2.13-to-2.14.md"]


def test_what_a_page_tells_first_weighs_most(pages: dict[str, str]) -> None:
    text = pages["2.13-to-2.14.md"]
    titles = ["Broken now", "Behaviours changed", "Findings mended", "Results moved", "Surface",
              "Warnings", "New options and claims"]  # fmt: skip
    places = [text.index(f"{title}: ") for title in titles]
    assert places == sorted(places)


def test_the_index_counts_what_changed(pages: dict[str, str]) -> None:
    assert sorted(pages) == ["2.13-to-2.14.md", "README.md"]
    assert "| [2.13 → 2.14](2.13-to-2.14.md) | 1 | 1 | 0 | 1 | 1 |" in pages["README.md"]


def test_a_finding_of_a_new_name_is_told_as_that() -> None:
    text = (upgrades.FOLDER / "2.8-to-2.9.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "Muon raises a ZeroDivisionError" in line)
    assert "(error, of what is new)" in line


def test_pages_that_are_stale_or_left_over_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upgrades, "FOLDER", tmp_path)
    made = {tmp_path / "2.8-to-2.9.md": "text\n"}
    monkeypatch.setattr(upgrades, "_all", lambda: made)
    (tmp_path / "1.0-to-2.0.md").write_text("old\n", encoding="utf-8")
    assert upgrades.main(["--check"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert upgrades.main([]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "2.8-to-2.9.md": "text\n"
    }
    assert upgrades.main(["--check"]) == 0
