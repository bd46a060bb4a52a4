"""Fused kernels, and parameters and gradients that do not lie in memory one element after another."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim

GRADIENT = ((1.0, -2.0, 3.0), (-4.0, 5.0, -6.0))


def stepped(case, parameter, gradient):
    parameter.requires_grad_()
    optimizer = case.build([parameter])
    parameter.grad = gradient
    optimizer.step()
    return parameter.detach().clone()


@claim("fused.moves-only-the-elements-of-a-view")
@optimizers.each(taking=("fused",))
def test_the_storage_around_a_strided_view_keeps_its_values(case):
    gradient = torch.tensor(GRADIENT)
    moved = stepped(case, torch.ones(2, 3), gradient)
    storage = torch.ones(2, 6)
    stepped(case, storage[:, ::2], gradient.clone())
    expected = torch.ones(2, 6)
    expected[:, ::2] = moved
    check.same(
        seen=storage,
        expected=expected,
        source="ones around the same step on a contiguous parameter",
    )


@claim("fused.pairs-elements-with-gradients")
@optimizers.each(taking=("fused",))
def test_a_gradient_of_other_strides_moves_the_elements_it_belongs_to(case):
    gradient = torch.tensor(GRADIENT)
    check.same(
        seen=stepped(case, torch.ones(3, 2).t(), gradient),
        expected=stepped(case, torch.ones(2, 3), gradient.clone()),
        source="the same step on a contiguous parameter",
    )


@claim("fused.momentum-may-start-late")
@optimizers.each(only=("SGD",))
def test_a_gradient_that_comes_late_starts_a_momentum_buffer(case, device):
    early = torch.ones(2, device=device, requires_grad=True)
    late = torch.ones(2, device=device, requires_grad=True)
    optimizer = case.build([early, late], momentum=0.5)
    early.grad = torch.ones(2, device=device)
    optimizer.step()
    late.grad = torch.full((2,), 2.0, device=device)
    optimizer.step()
    check.same(
        seen=optimizer.state[late]["momentum_buffer"],
        expected=torch.full((2,), 2.0),
        source="the update rule: the first buffer is the first gradient",
    )
