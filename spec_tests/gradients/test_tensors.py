"""Tensors and the Python numbers inside them."""

import struct

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - the name that every torch user reads

from fixtures.assertions import check
from fixtures.catalogue.document_problems import leaf
from fixtures.claims import claim

MADE_FROM = {
    "number": (7, 0, []),
    "list": ([7, 7], 1, [2]),
    "list_of_one": ([7], 1, [1]),
    "list_of_lists": ([[7, 7], [7, 7], [7, 7]], 2, [3, 2]),
}
ONE_ELEMENT = {
    "int": (7, 7),
    "float": (1.5, 1.5),
    "bool": (True, True),
    "vector": ([0.25], 0.25),
    "matrix": ([[-3]], -3),
    "rounded": (0.1, struct.unpack("f", struct.pack("f", 0.1))[0]),
}
RELU = {"torch.relu": torch.relu, "torch.nn.functional.relu": F.relu}


@claim("tensors.as-many-dimensions-as-lists")
@pytest.mark.parametrize("values, ndim, shape", MADE_FROM.values(), ids=MADE_FROM)
def test_each_list_around_the_numbers_is_a_dimension(values, ndim, shape, device):
    tensor = torch.tensor(values, device=device)
    check.same(
        seen={"ndim": tensor.ndim, "shape": list(tensor.shape), "values": tensor.tolist()},
        expected={"ndim": ndim, "shape": shape, "values": values},
        source="the nesting of the lists",
    )


@claim("tensors.rand-is-uniform")
@pytest.mark.parametrize("size", [(3, 4), (100, 100)], ids=["3x4", "100x100"])
def test_rand_is_float32_of_the_size_within_0_and_1(size, device):
    tensor = torch.rand(size=size, device=device)
    seen = {
        "dtype": str(tensor.dtype),
        "shape": tuple(tensor.shape),
        "outside": int(((tensor < 0) | (tensor >= 1)).sum()),
    }
    expected = {"dtype": "torch.float32", "shape": size, "outside": 0}
    check.same(seen=seen, expected=expected, source="003-1")


@claim("tensors.rand-is-uniform")
def test_rand_fills_every_tenth_of_the_interval(device):
    tenths = (torch.rand(size=(100, 100), device=device) * 10).floor().flatten().tolist()
    counts = [tenths.count(float(tenth)) for tenth in range(10)]
    # Of 10,000 each expects 1,000 with a standard deviation of 30.
    assert all(800 < count < 1200 for count in counts), f"of 10,000, in each tenth: {counts}"


@claim("tensors.item-is-a-python-number")
@pytest.mark.parametrize("values, number", ONE_ELEMENT.values(), ids=ONE_ELEMENT)
def test_item_of_one_element_is_a_python_number(values, number, device):
    seen = torch.tensor(values, device=device).item()
    check.same(seen=seen, expected=number, source="the number that went in, as float32 holds it")


@claim("tensors.item-is-a-python-number")
def test_item_of_a_tracked_loss_is_a_plain_float(device):
    loss = (leaf((1.0, 2.0), device) * 3).sum()
    check.same(seen=loss.item(), expected=9.0, source="3·(1 + 2)")


@claim("tensors.item-needs-one-element")
@pytest.mark.parametrize("values", [[1.0, 2.0], []], ids=["two", "none"])
def test_item_of_another_number_of_elements_is_an_error(values, device):
    tensor = torch.tensor(values, device=device)
    with pytest.raises(RuntimeError, match="cannot be converted to Scalar"):
        tensor.item()


@claim("relu.by-either-name")
@pytest.mark.parametrize("relu", RELU.values(), ids=RELU)
def test_relu_keeps_what_is_positive(relu, device):
    seen = relu(torch.tensor([-2.0, -0.5, 0.0, 0.5, 3.0], device=device))
    expected = torch.tensor([0.0, 0.0, 0.0, 0.5, 3.0])
    check.same(seen=seen, expected=expected, source="max(x, 0)")


@claim("relu.is-not-in-torch-functional")
def test_torch_functional_has_no_relu():
    with pytest.raises(AttributeError, match="relu"):
        torch.functional.relu  # noqa: B018 - looking the name up is the act
