"""Results in a report: what is packed can be read back, and everything counts for the digest."""

import base64
import math
import struct
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fixtures.assertions.packed_results import (
    ADDRESSES,
    ENTRIES,
    ENTRIES_OF_A_CASE,
    Account,
)
from fixtures.compare.drift import Leaf, Results

NAN, INF = math.nan, math.inf
FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int16", "int8")


def packed(*results: Any) -> dict[str, Any]:
    account = Account()
    for result in results:
        account.add(result)
    taken = account.take()
    assert taken
    return taken


def read(*takings: dict[str, Any]) -> Results:
    """Return results as they come back from a report that holds these."""
    layouts = [taken["layout"] for taken in takings]
    return Results(
        {
            "layouts": layouts,
            "results": [{**taken, "layout": i} for i, taken in enumerate(takings)],
        }
    )


def leaves(*results: Any) -> list[Leaf]:
    return read(packed(*results)).leaves(0)


def digest(*results: Any) -> str:
    return read(packed(*results)).digest(0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_come_back(dtype: str) -> None:
    values = [1.5, -0.25, 0.0, INF, -INF, 1.0 + 2.0**-7]
    found = leaves(torch.tensor(values, dtype=getattr(torch, dtype)))
    assert found == [("0", dtype, (6,), values)]


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_and_the_sign_of_zero_come_back(dtype: str) -> None:
    [(_, _, _, values)] = leaves(torch.tensor([NAN, -0.0], dtype=getattr(torch, dtype)))
    assert str(values) == "[nan, -0.0]"


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_largest_and_the_smallest_float_come_back(dtype: str) -> None:
    kind = getattr(torch, dtype)
    ends = [torch.finfo(kind).max, torch.finfo(kind).min, torch.finfo(kind).tiny]
    assert leaves(torch.tensor(ends, dtype=kind)) == [("0", dtype, (3,), ends)]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_numbers_come_back(dtype: str) -> None:
    kind = getattr(torch, dtype)
    ends = [torch.iinfo(kind).min, -1, 0, torch.iinfo(kind).max]
    assert leaves(torch.tensor(ends, dtype=kind)) == [("0", dtype, (4,), ends)]


def test_bytes_come_back() -> None:
    found = leaves(torch.tensor([0, 255], dtype=torch.uint8))
    assert found == [("0", "uint8", (2,), [0, 255])]


def test_truth_values_come_back() -> None:
    assert leaves(torch.tensor([True, False])) == [("0", "bool", (2,), [True, False])]


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_complex_numbers_come_back_as_pairs(dtype: str) -> None:
    found = leaves(torch.tensor([1 - 2j, 0.5j], dtype=getattr(torch, dtype)))
    assert found == [("0", dtype, (2,), [1.0, -2.0, 0.0, 0.5])]


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_whole_numbers_without_a_sign_come_back(dtype: str) -> None:
    kind = getattr(torch, dtype)
    ends = [0, 3, torch.iinfo(kind).max]
    assert leaves(torch.tensor(ends, dtype=kind)) == [("0", dtype, (3,), ends)]


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_floats_of_a_byte_come_back_as_their_bits(dtype: str) -> None:
    [(_, kind, shape, values)] = leaves(torch.tensor([0.0, 1.0]).to(getattr(torch, dtype)))
    assert (kind, shape, values[0]) == (dtype, (2,), 0)


def test_numbers_of_several_dtypes_come_back_one_after_another() -> None:
    result = [torch.tensor([1], dtype=torch.int8), torch.tensor([2.5]), 3, torch.tensor([True])]
    assert leaves(result) == [
        ("0[0]", "int8", (1,), [1]),
        ("0[1]", "float32", (1,), [2.5]),
        ("0[2]", "int64", (), [3]),
        ("0[3]", "bool", (1,), [True]),
    ]


def test_numbers_of_python_come_back() -> None:
    found = leaves({"rate": 0.1, "step": -3})
    assert found == [("0.rate", "float64", (), [0.1]), ("0.step", "int64", (), [-3])]


def test_a_path_names_the_result_the_key_and_the_entry() -> None:
    paths = [leaf[0] for leaf in leaves(1, {"b": [1, (2,)], "a": {"c": 3}})]
    assert paths == ["0", "1.a.c", "1.b[0]", "1.b[1][0]"]


@pytest.mark.parametrize(
    "tensor, values",
    [
        pytest.param(torch.arange(6.0).reshape(2, 3).t(), [0, 3, 1, 4, 2, 5], id="transposed"),
        pytest.param(torch.arange(6.0)[1::2], [1, 3, 5], id="every other entry"),
        pytest.param(torch.ones(1).expand(3), [1, 1, 1], id="one entry, seen thrice"),
        pytest.param(torch.tensor([1 + 2j]).conj(), [1, -2], id="conjugate"),
        pytest.param(torch.tensor([1 + 2j]).conj().imag, [-2], id="negative"),
        pytest.param(torch.ones(2, requires_grad=True), [1, 1], id="of a graph"),
        pytest.param(torch.tensor(7.0), [7], id="without dimensions"),
    ],
)
def test_a_tensor_comes_back_in_the_order_of_its_indices(
    tensor: torch.Tensor, values: list[float]
) -> None:
    [(_, _, shape, found)] = leaves(tensor)
    assert (shape, found) == (tuple(tensor.shape), values)


def test_a_sparse_tensor_comes_back_as_indices_and_values() -> None:
    indices, values = torch.tensor([[4, 1, 4]]), torch.tensor([1.0, 2.0, 3.0])
    tensor = torch.sparse_coo_tensor(indices, values, (9,), check_invariants=True)
    assert leaves(tensor) == [
        ("0.indices()", "int64", (1, 2), [1, 4]),
        ("0.values()", "float32", (2,), [2.0, 4.0]),
    ]


def test_a_result_is_kept_as_it_was() -> None:
    account, tensor = Account(), torch.ones(1)
    account.add(tensor)
    tensor.zero_()
    taken = account.take()
    assert taken
    assert read(taken).leaves(0) == [("0", "float32", (1,), [1.0])]


@pytest.mark.parametrize(
    "size, step, kept",
    [
        pytest.param(ENTRIES, 1, ENTRIES, id="all"),
        pytest.param(ENTRIES + 1, 2, 33, id="every other, the last one too"),
        pytest.param(2 * ENTRIES, 2, ENTRIES, id="every other"),
        pytest.param(2 * ENTRIES + 1, 3, 43, id="every third"),
    ],
)
def test_of_a_large_tensor_entries_at_even_steps_come_back(size: int, step: int, kept: int) -> None:
    [(_, _, shape, values)] = leaves(torch.arange(float(size)))
    assert (shape, len(values)) == ((size,), kept)
    assert values == [float(step * i) for i in range(kept)]


def test_of_a_large_complex_tensor_whole_numbers_come_back() -> None:
    [(_, _, _, values)] = leaves(torch.complex(torch.arange(128.0), -torch.arange(128.0)))
    assert values[:6] == [0, 0, 2, -2, 4, -4]
    assert len(values) == 2 * ENTRIES


def test_of_a_case_no_more_than_its_entries_come_back() -> None:
    eight = [torch.ones(ENTRIES)] * 8
    whole, more = packed(eight), packed([*eight, 1.0])
    assert len(read(whole).leaves(0)) == len(read(more).leaves(0)) == ENTRIES_OF_A_CASE // ENTRIES
    assert not read(whole).cut(0)
    assert read(more).cut(0)


def test_behind_what_there_was_no_room_for_nothing_comes_back() -> None:
    seven = [torch.ones(ENTRIES)] * 7
    paths = [leaf[0] for leaf in leaves([*seven, torch.ones(60), torch.ones(5), 1.0])]
    assert paths == [f"0[{i}]" for i in range(8)]


@pytest.mark.parametrize(
    "value", ["a text", None, True, b"bytes", object, ADDRESSES, -ADDRESSES, torch.empty(0),
              torch.ones(2, device="meta")],
    ids=["text", "None", "truth value", "bytes", "class", "address", "negative address", "empty",
         "meta"],
)  # fmt: skip
def test_what_is_no_number_has_a_digest_and_nothing_to_read(value: Any) -> None:
    assert leaves([1.0, value, 2.0]) == [
        ("0[0]", "float64", (), [1.0]),
        ("0[2]", "float64", (), [2.0]),
    ]


def test_an_integer_below_addresses_is_a_number() -> None:
    assert leaves(ADDRESSES - 1) == [("0", "int64", (), [ADDRESSES - 1])]


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param(1.0, 1.0 + 2.0**-52, id="a last bit"),
        pytest.param(0.0, -0.0, id="the sign of zero"),
        pytest.param(1, 1.0, id="the type"),
        pytest.param(1, True, id="a truth value"),
        pytest.param(torch.ones(2), torch.ones(2).double(), id="the dtype"),
        pytest.param(torch.ones(2), torch.ones(1, 2), id="the shape"),
        pytest.param(torch.empty(0), torch.empty(1, 0), id="the shape of nothing"),
        pytest.param({"a": 1}, {"b": 1}, id="the key"),
        pytest.param("a", "b", id="the text"),
        pytest.param(b"a", "a", id="bytes"),
        pytest.param(None, "None", id="None"),
        pytest.param([], [1], id="the length"),
        pytest.param(torch.arange(128.0), torch.arange(128.0).index_fill(0, torch.tensor(127), 0),
                     id="an entry that is not kept"),
        pytest.param([torch.ones(64)] * 9, [*[torch.ones(64)] * 8, torch.zeros(64)],
                     id="an entry for which there is no room"),
        pytest.param(torch.ones(2, device="meta"), torch.ones(3, device="meta"),
                     id="the shape on meta"),
        pytest.param(torch.eye(2).to_sparse(), torch.eye(2), id="the layout"),
    ],
)  # fmt: skip
def test_the_digest_tells_apart(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param(torch.ones(2), torch.ones(2, requires_grad=True), id="of a graph"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="the order of keys"),
        pytest.param([1, 2], (1, 2), id="a list or a tuple"),
        pytest.param(object(), object(), id="where an object lies"),
        pytest.param("<x at 0x7f01>", "<x at 0x7f02>", id="an address in a text"),
        pytest.param(ADDRESSES, ADDRESSES + 1, id="an address"),
        pytest.param(torch.eye(2), torch.eye(2).t().contiguous().t(), id="strides"),
    ],
)
def test_the_digest_does_not_tell_apart(one: Any, other: Any) -> None:
    assert digest(one) == digest(other)


def test_the_digest_is_sixteen_digits_of_which_ten_are_compared() -> None:
    kept = packed(1.0)["digest"]
    assert len(bytes.fromhex(kept)) == 8
    assert digest(1.0) == kept[:10]


def test_keys_of_several_types_come_in_the_order_of_their_texts() -> None:
    assert [leaf[0] for leaf in leaves({"b": 1, 3: 2, "1": 3})] == ["0.1", "0.3", "0.b"]


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_a_tensor_of_another_layout_has_a_digest_alone() -> None:
    rows = torch.eye(2).to_sparse_csr()
    assert leaves(rows) == []
    assert digest(rows) != digest(torch.eye(3).to_sparse_csr())


def test_the_digest_is_of_all_results_in_their_order() -> None:
    assert digest(1.0, 2.0) == digest(1.0, 2.0)
    assert digest(1.0, 2.0) != digest(2.0, 1.0)
    assert digest(1.0, 2.0) != digest(1.0)


def test_nothing_is_taken_where_nothing_was_added() -> None:
    assert Account().take() is None


def test_a_result_without_numbers_is_a_result() -> None:
    assert packed([])["layout"] == []


def test_what_was_taken_is_not_taken_again() -> None:
    account = Account()
    account.add([torch.ones(ENTRIES)] * 9)
    first = account.take()
    assert account.take() is None
    account.add(1.0)
    assert first != packed(1.0)
    assert account.take() == packed(1.0)


def test_results_of_drawn_inputs_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hypothesis", raising=False)
    assert not read(packed(1.0)).drawn(0)
    drawing = SimpleNamespace(currently_in_test_context=lambda: True)
    monkeypatch.setitem(sys.modules, "hypothesis", drawing)
    assert read(packed(1.0)).drawn(0)
    idle = SimpleNamespace(currently_in_test_context=lambda: False)
    monkeypatch.setitem(sys.modules, "hypothesis", idle)
    assert not read(packed(1.0)).drawn(0)


def test_the_cases_of_a_report_are_read_each_by_its_layout() -> None:
    results = read(packed(1.0), packed({"a": 2}))
    assert results.leaves(0) == [("0", "float64", (), [1.0])]
    assert results.leaves(1) == [("0.a", "int64", (), [2])]
    assert results.digest(0) != results.digest(1)


def test_the_bytes_are_little_endian_in_base64() -> None:
    expected = struct.pack("<fq", 1.5, 258)
    assert base64.b64decode(packed(torch.tensor(1.5), 258)["values"]) == expected
