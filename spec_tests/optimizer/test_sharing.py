"""One parameter in several modules."""

import torch
from torch.nn import Module, Parameter

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training


class Factor(Module):
    """Multiplies by a weight."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, x):
        """Return the weight times x."""
        return self.weight * x


class Tied(Module):
    """Two factors, and through them one weight."""

    def __init__(self, weight):
        super().__init__()
        self.first = Factor(weight)
        self.second = Factor(weight)


@claim("sharing.listed-once")
def test_a_shared_parameter_is_listed_once(device):
    weight = Parameter(torch.ones(2, device=device))
    listed = list(Tied(weight).parameters())
    assert [p is weight for p in listed] == [True], f"listed: {listed}"


@claim("sharing.gradients-add-up")
def test_the_gradient_of_a_shared_parameter_is_the_sum_over_its_uses(device):
    tied = Tied(Parameter(torch.tensor([3.0, 4.0], device=device)))
    to_first = torch.tensor([1.0, 2.0], device=device)
    to_second = torch.tensor([10.0, 20.0], device=device)
    (tied.first(to_first) + tied.second(to_second)).sum().backward()
    check.same(
        seen=tied.first.weight.grad,
        expected=torch.tensor([11.0, 22.0], device=device),
        source="d/dw of (1, 2)·w + (10, 20)·w",
    )


@claim("sharing.moved-once")
@optimizers.each()
def test_a_shared_parameter_trains_as_one_that_stands_alone(case, device):
    alone, shared = Training(case, device), Training(case, device)
    model = torch.nn.ModuleList(Tied(parameter) for parameter in shared.parameters)
    shared.optimizer = case.build(model.parameters())
    alone.run(2)
    shared.run(2)
    check.same(seen=shared.values(), expected=alone.values(), source="the same, not shared")
