"""Where the results of operations live, and what `@` is."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from fixtures.assertions import check
from fixtures.claims import claim

OPERATIONS = {
    "add": lambda a, b: a + b,
    "matmul": torch.matmul,
    "at": lambda a, b: a @ b,
    "relu": lambda a, _: torch.relu(a),
    "mean": lambda a, _: a.mean(),
    "compare": lambda a, b: a > b,
    "select": lambda a, b: a[a > b],
    "cat": lambda a, b: torch.cat([a, b]),
    "argmax": lambda a, _: a.argmax(),
    "cross_entropy": lambda a, b: cross_entropy(a, b.argmax(1)),
}
PRODUCTS = {
    # The factors of 002-1: a matrix and a vector.
    "matrix.vector": ([[2.0, 0.0], [2.0, 0.0]], [1.0, 2.0], [2.0, 2.0]),
    "vector.vector": ([1.0, 2.0], [3.0, 4.0], 11.0),
    "matrix.matrix": ([[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [1.0, 1.0]], [[2.0, 3.0], [4.0, 7.0]]),
    "batch.matrix": ([[[1.0, 2.0]], [[3.0, 4.0]]], [[0.0], [1.0]], [[[2.0]], [[4.0]]]),
}


def factors(device):
    a = torch.tensor([[1.0, -2.0], [0.5, 3.0]], device=device, requires_grad=True)
    return a, torch.tensor([[0.0, 1.0], [2.0, 0.0]], device=device)


@claim("devices.results-follow-their-inputs")
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_result_is_where_its_inputs_are(operation, device):
    a, b = factors(device)
    with torch.device("meta"):
        result = operation(a, b)
    check.same(seen=str(result.device), expected=str(a.device), source="the device of the inputs")


@claim("devices.results-follow-their-inputs")
def test_a_gradient_is_where_its_leaf_is(device):
    a, b = factors(device)
    with torch.device("meta"):
        (a @ b).sum().backward()
    check.same(seen=str(a.grad.device), expected=str(a.device), source="the device of the leaf")


@claim("devices.at-sign-is-matmul")
@pytest.mark.parametrize("left, right, product", PRODUCTS.values(), ids=PRODUCTS)
def test_the_product_is_that_of_matrices(left, right, product, device):
    a, b = torch.tensor(left, device=device), torch.tensor(right, device=device)
    check.same(
        seen=[str((a @ b).device), a @ b, torch.matmul(a, b)],
        expected=[str(a.device), torch.tensor(product), torch.tensor(product)],
        source="rows times columns",
    )
