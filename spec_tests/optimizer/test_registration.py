"""How the parameters of a module come to an optimizer, and how they fail to."""

import pytest
import torch
from torch.nn import Module, Parameter

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import TenPointClassifier
from fixtures.claims import claim
from fixtures.runs.training import Training


class Holder(Module):
    """Two tensors, set on a module as they are given."""

    def __init__(self, first, second):
        super().__init__()
        self.first = first
        self.second = second


@claim("registration.parameter-of-a-module")
@optimizers.each()
def test_a_parameter_set_on_a_module_is_listed_and_trained(case, device):
    direct, through_module = Training(case, device), Training(case, device)
    through_module.optimizer = case.build(Holder(*through_module.parameters).parameters())
    direct.run(3)
    through_module.run(3)
    check.same(
        seen=through_module.values(), expected=direct.values(), source="the same, without a module"
    )


@claim("registration.layers-written-by-hand")
@optimizers.each(which="accepts_vectors")
def test_the_weight_and_the_bias_of_a_layer_by_hand_are_trained(case, device):
    layer = TenPointClassifier(device)
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    optimizer = case.build(layer.parameters())

    def closure():
        optimizer.zero_grad()
        loss = layer.loss()
        loss.backward()
        return loss.item()

    optimizer.step(closure)
    moved = {name: not torch.equal(p, before[name]) for name, p in layer.named_parameters()}
    check.same(seen=moved, expected={"weight": True, "bias": True}, source="000-2")


@claim("registration.starts-from-given-values")
def test_a_step_goes_on_from_the_values_that_the_parameter_was_given(device):
    weight = Parameter(torch.tensor([2.0, -3.0], device=device))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    weight.sum().backward()
    optimizer.step()
    expected = torch.tensor([2.0 - 0.5, -3.0 - 0.5], device=device)
    check.same(seen=weight, expected=expected, source="each entry less half a gradient of 1")


@claim("registration.parameters-require-grad")
@pytest.mark.parametrize("grad_mode", [True, False], ids=["grad", "no_grad"])
def test_a_parameter_requires_grad_without_being_told_to(grad_mode, device):
    with torch.set_grad_enabled(grad_mode):
        parameter = Parameter(torch.zeros(2, device=device))
    seen = {"requires_grad": parameter.requires_grad, "is_leaf": parameter.is_leaf}
    check.same(seen=seen, expected={"requires_grad": True, "is_leaf": True}, source="002-15")


@claim("registration.plain-tensors-are-not-found")
@pytest.mark.parametrize("requires_grad", [True, False], ids=["requires_grad", "no_grad"])
def test_a_plain_tensor_set_on_a_module_is_not_listed(requires_grad, device):
    plain = torch.ones(2, device=device, requires_grad=requires_grad)
    parameter = Parameter(torch.zeros(2, device=device))
    listed = [name for name, _ in Holder(plain, parameter).named_parameters()]
    check.same(seen=listed, expected=["second"], source="only the second is an nn.Parameter")


@claim("registration.empty-list-is-an-error")
@optimizers.each()
def test_an_optimizer_refuses_an_empty_list(case, device):
    plain = torch.ones(2, device=device, requires_grad=True)
    with pytest.raises(ValueError, match="empty parameter list"):
        case.build(Holder(plain, plain).parameters())
