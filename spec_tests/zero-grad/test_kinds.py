"""Gradients of every kind, cleared by the kernels that the optimizer was built for."""

from functools import partial

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import Operators
from fixtures.runs.training import Training

BY_DEFAULT = partial(torch.optim.SGD, lr=0.1)
SOME = optimizers.each(only=optimizers.SAMPLES, taking=("foreach",))


def gradients_of_every_kind(device):
    """Return parameters with a gradient of each kind; of the last there is none."""
    kinds = {
        "plain": torch.ones(2, device=device),
        "float64": torch.ones(3, dtype=torch.float64, device=device),
        "bfloat16": torch.ones(2, 2, dtype=torch.bfloat16, device=device),
        "requiring_grad": torch.ones(2, device=device, requires_grad=True),
        "with_a_graph": 2 * torch.ones(2, device=device, requires_grad=True),
        "strided": torch.ones(2, 4, device=device)[:, ::2],
        "scalar": torch.tensor(1.0, device=device),
        "empty": torch.ones(0, device=device),
        "sparse": torch.eye(2, device=device).to_sparse(),
        "on_the_cpu": torch.ones(2),
        "not_finite": torch.tensor([float("nan"), float("inf")], device=device),
    }
    parameters = []
    for gradient in kinds.values():
        parameter = torch.zeros(gradient.shape, dtype=gradient.dtype, device=gradient.device)
        parameters.append(parameter.requires_grad_())
        parameters[-1].grad = gradient
    parameters.append(torch.zeros(2, device=device, requires_grad=True))
    return parameters, list(kinds)


@claim("zero-grad.fills-every-kind-of-gradient")
@SOME
def test_gradients_of_every_kind_are_filled_in_place(case, device):
    check_filling(case.build, device)


@claim("zero-grad.fills-every-kind-of-gradient")
def test_gradients_of_every_kind_are_filled_by_default(device):
    check_filling(BY_DEFAULT, device)


def check_filling(build, device):
    __tracebackhide__ = True
    parameters, kinds = gradients_of_every_kind(device)
    optimizer = build(parameters)
    before = [parameter.grad for parameter in parameters]
    optimizer.zero_grad(set_to_none=False)
    after = dict(zip(kinds, (parameter.grad for parameter in parameters), strict=False))
    same = [
        parameter.grad is gradient for parameter, gradient in zip(parameters, before, strict=True)
    ]
    check.same(
        seen=[{k: [g.to_dense(), g.requires_grad] for k, g in after.items()}, all(same)],
        expected=[
            {k: [torch.zeros_like(g.to_dense()), False] for k, g in after.items()},
            True,
        ],
        source="zeros, in the same tensors, which require no gradient of their own",
    )


@claim("zero-grad.removes-every-kind-of-gradient")
@SOME
def test_gradients_of_every_kind_are_taken_away(case, device):
    check_removing(case.build, device)


@claim("zero-grad.removes-every-kind-of-gradient")
def test_gradients_of_every_kind_are_taken_away_by_default(device):
    check_removing(BY_DEFAULT, device)


def check_removing(build, device):
    __tracebackhide__ = True
    parameters, _ = gradients_of_every_kind(device)
    gradients = [parameter.grad for parameter in parameters[:-1]]
    copies = [gradient.detach().clone().to_dense() for gradient in gradients]
    build(parameters).zero_grad()
    check.same(
        seen=[
            [parameter.grad for parameter in parameters],
            [bool(torch.equal(g.detach().to_dense().nan_to_num(), c.nan_to_num()))
             for g, c in zip(gradients, copies, strict=True)],
        ],
        expected=[[None] * len(parameters), [True] * len(copies)],
        source="no gradients; whoever holds one of them finds it as it was",
    )  # fmt: skip


def kernels_of_clearing(training):
    """Return whether gradients are filled together or one by one."""
    training.backward()
    with Operators() as called:
        training.optimizer.zero_grad(set_to_none=False)
    return sorted({"_foreach_zero_", "zero_"} & called.names)


@claim("zero-grad.foreach-or-fused-fills-at-once")
@optimizers.each(taking=("foreach",))
def test_an_optimizer_with_foreach_or_fused_fills_gradients_together(case, device):
    seen = kernels_of_clearing(Training(case, device))
    check.same(seen=seen, expected=["_foreach_zero_"], source="one call for all of them")


@claim("zero-grad.loop-fills-one-by-one")
@optimizers.each()
def test_an_optimizer_fills_gradients_one_by_one_unless_told_otherwise(case, device):
    seen = kernels_of_clearing(Training(case, device))
    check.same(seen=seen, expected=["zero_"], source="a call for each of them")


@claim("zero-grad.loop-fills-one-by-one")
@optimizers.each(adding={"foreach": False})
def test_an_optimizer_without_foreach_fills_gradients_one_by_one(case, device):
    seen = kernels_of_clearing(Training(case, device))
    check.same(seen=seen, expected=["zero_"], source="a call for each of them")
