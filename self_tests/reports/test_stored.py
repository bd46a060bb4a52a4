"""The results that come with the checkout: they compare as the reports do that they were made of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.command import InputError
from fixtures.compare.changes import compare
from fixtures.compare.drift import Movement
from fixtures.compare.entries import read_case, read_movement, written_case, written_movement
from fixtures.compare.history import abridged, on, packed, read, unabridged, written
from fixtures.compare.stored import FOLDER, Lane, lanes, named
from fixtures.compare.text import text
from fixtures.releases.storing import store
from fixtures.report.storage import read_report
from fixtures.specification.register import Register, read_register
from fixtures.training_use.reading import read_training
from self_tests.support.made_up_reports import Leaf, case, claim, report, write
from self_tests.support.small_project import claims

RELEASES = ("2.6.0", "2.7.1", "2.8.0")
RESULTS: Mapping[str, list[list[Leaf]]] = {
    "2.6.0": [[("0.state.exp_avg", "float32", 1.0)], [("0", "int64", 3)]],
    "2.7.1": [[("0.state.exp_avg", "float32", 1.0)], [("0", "int64", 4)]],
    "2.8.0": [[("0.state.exp_avg", "float32", 1.001)], [("0", "float32", 4.0)]],
}
KEPT = {"ulps": 1.5, "tolerance": 8.0}


def made(release: str) -> dict[str, Any]:
    """Return the report of a run on a release, which differs from the others in all that can differ."""
    is_old = release == "2.6.0"
    adam = {"optimizer": "Adam", "preset": "amsgrad", "implementation": "fused"}
    why = {"reason": "why"} if is_old else {}
    odd = (
        case("not applicable", "odd/name", reason="later") if is_old else case("broken", "odd/name")
    )
    cases = [
        case("holds", "adam.amsgrad-fused-cpu", results=0, **adam, **KEPT)
        | {"case": "adam.amsgrad-fused"},
        case("deviates" if is_old else "holds", "n", results=1, **KEPT, **why),
        odd,
    ]
    if not is_old:
        cases.append(case("holds", "new"))
    signature = [
        {"name": "params", "kind": "positional or keyword"},
        {"name": "fused", "kind": "keyword-only", "default": "None"},
    ]
    surface = {
        "torch.optim.Adam": {"kind": "class", "signature": signature[: 1 if is_old else 2]},
        "torch.optim": {"kind": "module", "all": None if is_old else ["Adam"]},
    }
    return report(
        release,
        claim("demo.holds", *cases, api=["Adam"]),
        claim("demo.other", case("holds")),
        results=RESULTS[release],
        surface=surface,
        unclaimed=[] if is_old else ["Adam(fused)"],
        warnings=[{"category": "UserWarning", "text": "rain"}] if is_old else [],
    )


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """The claims of the reports, as a chapter says them."""
    chapter = tmp_path / "docs" / "spec" / "demo.md"
    chapter.parent.mkdir(parents=True)
    fields = "torch: >=2.0 · api: Adam"
    chapter.write_text(claims("demo.holds", "demo.other", fields=fields), encoding="utf-8")
    return read_register(chapter.parent)


@pytest.fixture
def lane(tmp_path: Path, register: Register) -> Lane:
    """Three releases, stored."""
    store({release: made(release) for release in reversed(RELEASES)}, tmp_path / "stored" / "cpu")
    return lanes(tmp_path / "stored", lambda: register)["cpu"]


NOTE = "  note: Both are stored results of 2026-01-01 (cpu, Python 3.11.7).\n"


@pytest.mark.parametrize("pair", [("2.6.0", "2.7.1"), ("2.6.0", "2.8.0"), ("2.7.1", "2.8.0"),
                                  ("2.8.0", "2.6.0")], ids=str)  # fmt: skip
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("training", [None, "Adam(fused=True)"])
def test_stored_results_compare_as_the_reports_do(
    lane: Lane, pair: tuple[str, str], everything: bool, training: str | None
) -> None:
    read_it = None if training is None else read_training(training)
    of_reports = text(compare(*map(made, pair), training=read_it), everything=everything, width=100)
    stored = text(
        compare(*map(lane.report, pair), training=read_it), everything=everything, width=100
    )
    assert NOTE in stored
    assert stored.replace(NOTE, "") == of_reports


def test_what_moved_is_told(lane: Lane) -> None:
    found = compare(lane.report("2.7.1"), lane.report("2.8.0"))
    told = {(cause.entry, cause.change): cause.ulps for cause in found.drift}
    assert told["", "int64 became float32"] == float("inf")
    assert told["exp_avg", ""] == pytest.approx(8380.2, rel=1e-3)


def test_a_release_is_compared_with_a_report_of_ones_own(lane: Lane) -> None:
    found = compare(lane.report("2.7.1"), made("2.8.0"))
    assert found.notes[0] == "2.7.1 is told by stored results of 2026-01-01 (cpu, Python 3.11.7)."
    assert found.unmeasured == 0  # its results are among those that are stored
    other = made("2.8.0")
    for result in other["results"]:
        result["digest"] = f"other {result['digest']}"
    found = compare(lane.report("2.7.1"), other)
    assert found.unmeasured == 2
    assert "2 differ, by how much the stored results do not tell" in text(found, width=200)


def test_a_distance_tells_what_moved_where_results_do_not(lane: Lane) -> None:
    other = made("2.8.0")
    other["results"][0]["digest"] = "other"
    other["claims"][0]["cases"][0]["ulps"] = 7.5
    found = compare(lane.report("2.7.1"), other)
    assert [cause.ulps for cause in found.drift if cause.optimizers] == [6.0]


def test_a_release_is_stored_beside_others(tmp_path: Path, lane: Lane, register: Register) -> None:
    folder = tmp_path / "stored" / "cpu"
    before = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    reports = {release: lane.report(release) for release in RELEASES}
    assert store(reports, folder) == []
    newer = {**made("2.8.0"), "results": made("2.7.1")["results"]}
    newer["layouts"] = made("2.7.1")["layouts"]
    changed = store({**reports, "2.9.0": newer}, folder)
    assert "demo.json" in [path.name for path in changed]
    again = lanes(tmp_path / "stored", lambda: register)["cpu"]
    assert compare(again.report("2.6.0"), again.report("2.7.1")).unmeasured == 0
    assert len(before) == 3


@pytest.mark.usefixtures("lane")
def test_a_claim_that_was_changed_since_is_noted(tmp_path: Path) -> None:
    chapter = tmp_path / "docs" / "spec" / "demo.md"
    chapter.write_text(claims("demo.holds", fields="torch: >=2.1 · api: Adam"), encoding="utf-8")
    later = lanes(tmp_path / "stored", lambda: read_register(chapter.parent))["cpu"]
    pair = [later.report(release) for release in RELEASES[:2]]
    assert [claim["id"] for claim in pair[0]["claims"]] == ["demo.holds"]  # the other is gone
    note = "1 claim says something else now than when these were asked."
    assert note in compare(*pair).notes
    store({r: later.report(r) for r in RELEASES}, tmp_path / "stored" / "cpu")
    again = lanes(tmp_path / "stored", lambda: read_register(chapter.parent))["cpu"]
    assert note in compare(*map(again.report, RELEASES[:2])).notes


@pytest.mark.usefixtures("lane")
def test_a_chapter_that_is_gone_leaves_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "stored" / "cpu"
    (folder / "left-over.json").write_text("{}", encoding="utf-8")
    assert store({r: made(r) for r in RELEASES}, folder) == [folder / "left-over.json"]
    assert not (folder / "left-over.json").exists()


@pytest.mark.parametrize("file", ["releases.json", "surface.json", "demo.json"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "edited"])
@pytest.mark.usefixtures("lane")
def test_stored_results_that_are_damaged_are_named(
    tmp_path: Path, register: Register, file: str, damage: str
) -> None:
    path = tmp_path / "stored" / "cpu" / file
    whole = path.read_text(encoding="utf-8")
    texts = {"cut": whole[:-30], "emptied": "", "edited": '{"2.6.0":3}'}
    path.write_text(texts[damage], encoding="utf-8")
    with pytest.raises(InputError, match="restore it, or have it made anew") as caught:
        lanes(tmp_path / "stored", lambda: register)["cpu"].report("2.6.0")
    assert len(str(caught.value).splitlines()) == 1


def test_a_name_is_a_release_or_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [
        found["header"]["torch"]["version"].partition("+")[0]
        for found in named(["2.8.0", "2.15", "2.5.1+cpu", "2.1-cpu"])
    ]
    assert versions == ["2.8.0", "2.15.0", "2.5.1", "2.1.2"]
    write(tmp_path / "2.8" / "report.json", made("2.6.0"))
    monkeypatch.chdir(tmp_path)
    (own,) = named(["2.8"])
    assert own == read_report(tmp_path / "2.8")


def test_without_stored_results_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is stored in"):
        named(["2.8.0"], tmp_path)


def test_what_is_stored_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("cpu/*")) < 1_500_000


@pytest.mark.parametrize(
    "values, history",
    [
        ("aaa", "a"),
        ("aab", {"2.6.0": "a", "2.8.0": "b"}),
        ("aba", {"2.6.0": "a", "2.7.1": "b", "2.8.0": "a"}),
        ([None, "a", "a"], {"2.6.0": None, "2.7.1": "a"}),
        ([{"x": 1}] * 3, {"2.6.0": {"x": 1}}),
    ],
)
def test_a_history_is_as_short_as_may_be(values: Any, history: Any) -> None:
    assert packed(zip(RELEASES, values, strict=True)) == history
    assert [on(history, release) for release in RELEASES] == list(values)


def test_a_later_release_has_the_last_value() -> None:
    assert on({"2.6.0": "a", "2.8.0": "b"}, "2.10.0") == "b"


@pytest.mark.parametrize(
    "indices, row",
    [
        ([], ""),
        ([0, 1, 2, 3, 7, 5, 5, 5, 5], "0-3 7 5*4"),
        ([1, 2, 4, 4], "1 2 4 4"),
        ([3, 2, 1], "3 2 1"),
    ],
)
def test_a_row_of_indices(indices: list[int], row: str) -> None:
    assert written(indices) == row
    assert read(row) == indices


def test_texts_are_abridged() -> None:
    rows = ["cpu/Adam/a", "cpu/Adam/b", ["odd"], "cpu/SGD", "x", "", "x"]
    short = list(abridged(rows))
    assert short == ["0:cpu/Adam/a", "9:b", ["odd"], "4:SGD", "0:x", "0:", "0:x"]
    assert list(unabridged(short)) == rows


@pytest.mark.parametrize(
    "suffix, fields, row",
    [
        ("[adam.amsgrad-fused-cpu]", {"case": "adam.amsgrad-fused", "optimizer": "Adam",
                                      "preset": "amsgrad", "implementation": "fused"},
         "cpu/Adam/amsgrad/fused"),
        ("[sgd.default-huge]", {"case": "sgd.default-huge", "optimizer": "SGD", "preset": "default"},
         "!cpu/SGD/default///-huge"),
        ("[cpu]", {"case": ""}, "cpu"),
        ("", {"case": ""}, "!cpu"),
        ("[a/b/c/-cpu]", {"case": "a/b/c/"}, ["[a/b/c/-cpu]", "cpu", "", "", "", "", "a/b/c/"]),
        ("[x-cuda]", {"case": "odd"}, ["[x-cuda]", "cpu", "", "", "", "", "odd"]),
        ("[float16-cpu]", {"case": "float16", "dtype": "float16"}, "cpu////float16/float16"),
    ],
)  # fmt: skip
def test_how_a_case_is_stored(suffix: str, fields: dict[str, str], row: Any) -> None:
    fields = {"device": "cpu", **fields}
    assert written_case({"node": f"test.py::test_it{suffix}", **fields}) == row
    assert read_case(row) == (suffix, fields)


@pytest.mark.parametrize(
    "moved, back",
    [
        (Movement(3.5, "0.a", "", 1e-6), Movement(3.5, "0.a", "", 1e-6)),
        (Movement(float("inf"), "0", "3 became 4", float("inf"), 1.0),
         Movement(float("inf"), "0", "4 became 3", float("inf"), -1.0)),
        (Movement(float("inf"), "0", "shape [2] became [3]"),
         Movement(float("inf"), "0", "shape [3] became [2]")),
        (Movement(float("inf"), "0", "gone"), Movement(float("inf"), "0", "new")),
    ],
)  # fmt: skip
def test_a_movement_is_stored_and_reversed(moved: Movement, back: Movement) -> None:
    stored = json.loads(json.dumps(written_movement(moved)))
    again = read_movement(stored)
    assert again is not None
    assert (again, again.relative, again.change) == (moved, moved.relative, moved.change)
    turned = moved.reversed()
    assert (turned, turned.change) == (back, back.change)
    assert read_movement(written_movement(None)) is None
