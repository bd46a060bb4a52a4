"""Tensors of two devices in one operation."""

import pytest
import torch
from torch.nn.functional import conv2d, cross_entropy, linear, mse_loss

from fixtures.assertions import check
from fixtures.claims import claim

OPERATIONS = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "cat": lambda a, b: torch.cat([a, b]),
    "lerp": lambda a, b: torch.lerp(a, b, 0.5),
    "linear": lambda a, b: linear(a, b, b[0]),
    "mse_loss": mse_loss,
    "cross_entropy": cross_entropy,
}
# With meta these raise nothing: a claim of their own.
PRODUCTS = {
    "matmul": lambda a, b: a @ b,
    "linear_without_bias": linear,
    "conv2d": lambda a, b: conv2d(a[None, None], b[None, None]),
}
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def pair(*devices):
    return [torch.ones(2, 2, device=device) for device in devices]


@claim("devices.mixing-raises")
@pytest.mark.parametrize("swapped", [False, True], ids=["cpu_second", "cpu_first"])
@pytest.mark.parametrize(
    "operation", [*OPERATIONS.values(), *PRODUCTS.values()], ids=[*OPERATIONS, *PRODUCTS]
)
def test_an_operation_over_two_devices_is_refused(operation, swapped, device):
    tensors = pair(device, "cpu")[:: -1 if swapped else 1]
    with pytest.raises(RuntimeError, match=r"device|weight type"):
        operation(*tensors)


@claim("devices.mixing-with-meta-raises")
@pytest.mark.parametrize("devices", [("cpu", "meta"), ("meta", "cpu")], ids=["second", "first"])
@each_operation
def test_an_operation_with_a_tensor_without_values_is_refused(operation, devices):
    with pytest.raises(RuntimeError, match=r"(meta.*cpu)|(cpu.*meta)"):
        operation(*pair(*devices))


@claim("devices.meta-factor-goes-unnoticed")
@pytest.mark.parametrize("operation", PRODUCTS.values(), ids=PRODUCTS)
def test_a_product_with_a_tensor_without_values_is_a_tensor_with_values(operation):
    product = operation(*pair("cpu", "meta"))
    check.same(seen=str(product.device), expected="cpu", source="the device of the first factor")


@claim("devices.numbers-may-meet-any-device")
@pytest.mark.parametrize("operation", [torch.add, torch.mul, torch.pow], ids=lambda op: op.__name__)
def test_a_number_on_the_cpu_joins_a_tensor_on_the_device(operation, device):
    on_device, number = torch.tensor([1.0, 2.0], device=device), torch.tensor(3.0)
    results = [operation(on_device, number), operation(number, on_device)]
    check.same(
        seen=[str(result.device) for result in results],
        expected=[str(on_device.device)] * 2,
        source="the device of the tensor",
    )


@claim("devices.batch-on-another-device-raises")
@pytest.mark.parametrize("left_behind", ["images", "labels"])
def test_a_batch_that_was_left_behind_is_refused(left_behind, device):
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 3)
    ).to(device)
    batch = {
        "images": torch.ones(2, 1, 4, 4, device=device),
        "labels": torch.tensor([0, 2], device=device),
    }
    batch[left_behind] = batch[left_behind].cpu()
    with pytest.raises(RuntimeError, match=r"device|weight type"):
        cross_entropy(model(batch["images"]), batch["labels"])
