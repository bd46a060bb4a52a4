"""Snapshots: names without a device, files that are whole or refused, numbers that come back exactly."""

import errno
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from syrupy.data import Snapshot, SnapshotCollection

from fixtures.assertions.distance import largest_difference
from fixtures.assertions.snapshots import (
    NumericRecording,
    SnapshotFileError,
    decode,
    encode,
    layout,
    neutral_name,
    read_file,
    write_file,
)
from fixtures.assertions.tolerances import Tolerance


def item(name: str, case_id: str | None = None, /, **parameters: Any) -> SimpleNamespace:
    """Return what a test looks like to the code that names snapshots."""
    found = SimpleNamespace(name=name, originalname=name.partition("[")[0])
    if case_id is not None:
        found.callspec = SimpleNamespace(id=case_id, params=parameters)
    return found


@pytest.mark.parametrize(
    "test, name",
    [
        pytest.param(item("test_it"), "test_it", id="neither a case nor a device"),
        pytest.param(item("test_it[a-b]", "a-b", case="a-b"), "test_it[a-b]", id="a case"),
        pytest.param(item("test_it[cpu]", "cpu", device="cpu"), "test_it", id="a device"),
        pytest.param(item("test_it[a-b-cpu]", "a-b-cpu", case="a-b", device="cpu"), "test_it[a-b]",
                     id="a case and a device"),
        pytest.param(item("test_it[a-cuda:1]", "a-cuda:1", case="a", device="cuda:1"), "test_it[a]",
                     id="a numbered device"),
    ],
)  # fmt: skip
def test_a_name_has_no_device(test: Any, name: str) -> None:
    assert neutral_name(test) == name


@pytest.mark.parametrize("index, name", [(0, "test_it[a]"), (2, "test_it[a].2")], ids=str)
def test_a_name_counts_the_snapshots_of_a_case(index: int, name: str) -> None:
    place: Any = SimpleNamespace(item=item("test_it[a-cpu]", "a-cpu", case="a", device="cpu"))
    assert NumericRecording.get_snapshot_name(test_location=place, index=index) == name
    assert NumericRecording.get_snapshot_name(test_location=place) == "test_it[a]"


RESULTS = [
    pytest.param(torch.tensor([0.1, -0.0, 1e-45]), id="float32"),
    pytest.param(torch.tensor([[0.1], [2.0**-1074]], dtype=torch.float64), id="float64"),
    pytest.param(torch.tensor([0.1], dtype=torch.float16), id="float16"),
    pytest.param(torch.tensor([0.1], dtype=torch.bfloat16), id="bfloat16"),
    pytest.param(torch.tensor([math.nan, math.inf, -math.inf]), id="no finite numbers"),
    pytest.param(torch.tensor([[1 - 2j, 0.1j]]), id="complex"),
    pytest.param(torch.tensor([0.1j], dtype=torch.complex128), id="complex128"),
    pytest.param(torch.tensor([2**62 + 1, -1]), id="int64"),
    pytest.param(torch.tensor([True, False]), id="truth values"),
    pytest.param(torch.tensor(0.1), id="without dimensions"),
    pytest.param(torch.empty(0, 3), id="without entries"),
    pytest.param(torch.arange(6.0).reshape(2, 3).t(), id="transposed"),
    pytest.param({"a": [1, 0.1, "b", None, True], "c": {}}, id="values of Python"),
    pytest.param([math.inf, {"nan": math.nan}], id="floats that are no finite numbers"),
    pytest.param([{"w": torch.ones(2)}, []], id="nested"),
]


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_comes_back_exactly_as_it_was(result: Any) -> None:
    written = layout(encode(result))
    assert largest_difference(decode(json.loads(written)), result) is None


@pytest.mark.parametrize(
    "result, message",
    [
        pytest.param({0: 1.0}, "$: the key 0 is not a text", id="key"),
        pytest.param({"a": [{None: 1}]}, "$.a[0]: the key None is not a text", id="nested key"),
        pytest.param([1, {"a": 1j}], "$[1].a: complex has no snapshot form", id="complex"),
        pytest.param({1, 2}, "$: set has no snapshot form", id="set"),
        pytest.param(
            {"w": torch.eye(2).to_sparse()},
            "$.w: a tensor of layout torch.sparse_coo has no snapshot form",
            id="sparse",
        ),
    ],
)
def test_what_has_no_exact_form_is_refused_with_its_place(result: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        encode(result)
    assert str(caught.value) == message


def test_a_tensor_and_a_list_of_numbers_stand_on_a_line_each() -> None:
    written = layout(encode({"w": torch.tensor([0.5, 1.0]), "rates": [1, 2], "runs": [[3], {}]}))
    assert written.splitlines() == [
        "{",
        ' "w": {"dtype": "float32", "shape": [2], "values": [0.5, 1.0]},',
        ' "rates": [1, 2],',
        ' "runs": [',
        "  [3],",
        "  {}",
        " ]",
        "}",
    ]


@pytest.mark.parametrize(
    "value",
    [[math.nan], {"dtype": "float32", "shape": [1], "values": [math.inf]}],
    ids=["a list", "a tensor"],
)
def test_a_layout_refuses_what_is_no_json(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        layout(value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two snapshots."""
    path = tmp_path / "demo" / "__snapshots__" / "test_demo.json"
    write_file(path, {"test_b": [2.0], "test_a": {"w": encode(torch.ones(2))}})
    return path


def test_a_file_holds_its_snapshots_by_name_in_alphabetical_order(file: Path) -> None:
    assert file.read_text(encoding="utf-8").splitlines() == [
        "{",
        ' "snapshots": {',
        '  "test_a": {',
        '   "w": {"dtype": "float32", "shape": [2], "values": [1.0, 1.0]}',
        "  },",
        '  "test_b": [2.0]',
        " }",
        "}",
    ]


def test_a_file_is_read_back(file: Path) -> None:
    assert read_file(file) == {"test_a": {"w": encode(torch.ones(2))}, "test_b": [2.0]}


def test_a_file_that_is_missing_has_no_snapshots(tmp_path: Path) -> None:
    assert read_file(tmp_path / "missing.json") == {}


def test_a_file_that_was_written_again_is_read_again(file: Path) -> None:
    before = read_file(file)
    write_file(file, {"test_c": 3})
    assert (len(before), read_file(file)) == (2, {"test_c": 3})


def test_a_file_that_has_not_changed_is_read_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_file(file)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("read again"))
    assert read_file(file) == first


@pytest.mark.parametrize(
    "content",
    ['{"snapshots": {"test_it": [1', "", "[]", "{}", '{"snapshots": 1}', '"snapshots"'],
    ids=["cut", "empty", "a list", "no snapshots", "a number of them", "a text"],
)
def test_a_file_that_is_truncated_or_another_is_refused_and_left_alone(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "test_demo.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SnapshotFileError) as caught:
        read_file(path)
    said = f"{path}: truncated, or not a snapshot file; restore it from version control"
    assert str(caught.value) == said
    assert path.read_text(encoding="utf-8") == content


def test_a_truncated_file_is_not_added_to(file: Path) -> None:
    file.write_text('{"snapshots": {"test_a": 1', encoding="utf-8")
    with pytest.raises(SnapshotFileError):
        NumericRecording.write_snapshot_collection(snapshot_collection=collection(file, test_b="2"))
    assert file.read_text(encoding="utf-8") == '{"snapshots": {"test_a": 1'


def fails(code: int) -> Callable[..., None]:
    """Return a function that raises the error of the system with this number."""

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    "place", ["os.fsync", "pathlib.Path.replace"], ids=["writing", "replacing"]
)
def test_a_file_that_cannot_be_written_is_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    before = file.read_text(encoding="utf-8")
    monkeypatch.setattr(place, fails(errno.ENOSPC))
    with pytest.raises(SnapshotFileError) as caught:
        write_file(file, {"test_a": 1})
    assert str(caught.value) == (
        f"{file}: cannot be written (No space left on device); the snapshots in it are as they were"
    )
    assert file.read_text(encoding="utf-8") == before
    assert list(file.parent.iterdir()) == [file]


def test_a_file_is_never_half_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    synchronise = os.fsync

    def look(number: int) -> None:
        synchronise(number)
        seen.append(file.read_text(encoding="utf-8"))

    before = file.read_text(encoding="utf-8")
    monkeypatch.setattr("os.fsync", look)
    write_file(file, {"test_a": 1})
    assert seen == [before]
    assert read_file(file) == {"test_a": 1}


def test_without_a_snapshot_there_is_no_file(file: Path) -> None:
    write_file(file, {})
    write_file(file, {})
    assert not file.exists()


def collection(path: Path, **snapshots: str) -> SnapshotCollection:
    found = SnapshotCollection(location=str(path))
    for name, data in snapshots.items():
        found.add(Snapshot(name=name, data=data))
    return found


def test_snapshots_are_added_to_those_of_other_names_and_replace_those_of_the_same(
    file: Path,
) -> None:
    more = collection(file, test_b="[3.0]", test_c='"d"')
    NumericRecording.write_snapshot_collection(snapshot_collection=more)
    assert read_file(file) == {
        "test_a": {"w": encode(torch.ones(2))},
        "test_b": [3.0],
        "test_c": "d",
    }


def test_snapshots_are_read_as_the_texts_that_were_serialized(file: Path) -> None:
    recording = NumericRecording()
    found = recording.read_snapshot_collection(snapshot_location=str(file))
    texts = {snapshot.name: snapshot.data for snapshot in found}
    assert texts == {
        "test_a": recording.serialize({"w": torch.ones(2)}),
        "test_b": recording.serialize([2.0]),
    }


@pytest.mark.parametrize("name, data", [("test_b", "[2.0]"), ("test_z", None)], ids=["one", "none"])
def test_one_snapshot_is_read_by_its_name(file: Path, name: str, data: str | None) -> None:
    found = NumericRecording().read_snapshot_data_from_location(
        snapshot_location=str(file), snapshot_name=name, session_id=""
    )
    assert found == data


def test_snapshots_are_removed_by_name_and_the_file_with_the_last(file: Path) -> None:
    NumericRecording().delete_snapshots(snapshot_location=str(file), snapshot_names={"test_a", "x"})
    assert read_file(file) == {"test_b": [2.0]}
    NumericRecording().delete_snapshots(snapshot_location=str(file), snapshot_names={"test_b"})
    assert not file.exists()


@pytest.mark.parametrize("ulps, matches", [(0, True), (8, True), (9, False)], ids=str)
def test_a_snapshot_matches_within_the_tolerance(ulps: int, matches: bool) -> None:
    recording = NumericRecording()
    recording.tolerance = Tolerance(8, "eight roundings")
    seen = recording.serialize(torch.tensor([1.0 + ulps * 2.0**-23]))
    expected = recording.serialize(torch.ones(1))
    assert recording.matches(serialized_data=seen, snapshot_data=expected) is matches


def test_a_snapshot_matches_bit_for_bit_unless_a_tolerance_is_given() -> None:
    recording = NumericRecording()
    one, other = (recording.serialize([value]) for value in (1.0, 1.0 + 2.0**-52))
    assert recording.matches(serialized_data=one, snapshot_data=one)
    assert not recording.matches(serialized_data=other, snapshot_data=one)


def test_the_largest_difference_is_kept_with_what_was_seen_and_expected() -> None:
    recording = NumericRecording()
    recording.matches(serialized_data="[1.0, 3.0]", snapshot_data="[1.0, 2.0]")
    assert recording.difference
    assert (recording.difference.path, recording.difference.seen) == ("[1]", 3.0)
    recording.matches(serialized_data="[1.0]", snapshot_data="[1.0]")
    assert recording.difference is None
