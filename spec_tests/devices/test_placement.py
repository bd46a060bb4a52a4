"""Where results and state live, and moving a model."""

import pytest
import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.problems import TinyNet
from fixtures.claims import claim
from fixtures.training import Training


@claim("devices.results-stay")
def test_a_product_of_matrices_is_where_its_factors_are(device):
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], device=device)
    product = a @ torch.tensor([[1.0], [1.0]], device=device)
    check.same(
        seen=[product.device.type, product.cpu()],
        expected=[device.type, torch.tensor([[3.0], [7.0]])],
        source="rows times the column",
    )


@claim("devices.mixing-is-an-error")
def test_a_tensor_of_the_device_and_one_of_the_cpu_do_not_add_up(device):
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(2, device=device) + torch.ones(2)


@claim("devices.state-lives-with-the-parameter")
@optimizers.each(every_preset=True)
def test_state_of_the_parameters_shape_is_on_its_device(case, device):
    training = Training(case, device)
    training.run(1)
    elsewhere = [
        (key, str(entry.device))
        for parameter in training.parameters
        for key, entry in training.optimizer.state[parameter].items()
        if isinstance(entry, torch.Tensor)
        and entry.shape == parameter.shape
        and entry.device != parameter.device
    ]
    assert elsewhere == []


def trained(net, optimizer):
    for _ in range(3):
        optimizer.zero_grad()
        net.loss().backward()
        optimizer.step()
    return [parameter.detach() for parameter in net.parameters()]


def on_the_device_from_the_start(device):
    net = TinyNet(device)
    return trained(net, torch.optim.Adam(net.parameters(), lr=0.01))


@claim("devices.move-before-building")
def test_a_model_moved_first_trains_there(device):
    net = TinyNet(torch.device("cpu")).to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    check.same(
        seen=trained(net, optimizer),
        expected=on_the_device_from_the_start(device),
        source="a model made on the device",
    )


@claim("devices.moved-parameters-stay-referred-to")
def test_a_model_moved_after_building_trains_there(device):
    net = TinyNet(torch.device("cpu"))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    net.to(device)
    check.same(
        seen=trained(net, optimizer),
        expected=on_the_device_from_the_start(device),
        source="a model made on the device",
    )
