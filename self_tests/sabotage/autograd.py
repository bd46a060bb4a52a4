"""Faults of automatic differentiation, on which every step stands."""

from collections.abc import Callable
from typing import Any

import torch

from self_tests.sabotage.fault import Patch, breaks


def backward_as(patch: Patch, act: Callable[..., None]) -> None:
    """Put something in the place of backward(); it is given what backward() was, and its arguments."""
    backward: Any = torch.Tensor.backward
    patch.setattr(
        torch.Tensor,
        "backward",
        lambda self, *arguments, **options: act(backward, self, *arguments, **options),
    )


def twice(backward: Any, tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
    """Differentiate twice the tensor."""
    backward(tensor * 2, *arguments, **options)


@breaks("backward.derivative-of-a-power")
def derivatives_are_twice_as_large(patch: Patch) -> None:
    backward_as(patch, twice)


@breaks("backward.chain-rule")
def the_outer_derivative_counts_twice(patch: Patch) -> None:
    backward_as(patch, twice)


@breaks("backward.mean-over-the-batch")
def means_are_sums_of_two(patch: Patch) -> None:
    backward_as(patch, twice)


@breaks("backward.needs-a-scalar")
def any_tensor_is_summed(patch: Patch) -> None:
    backward_as(patch, lambda backward, tensor, *_, **options: backward(tensor.sum(), **options))


@breaks("backward.needs-a-graph")
def what_is_not_tracked_is_passed_over(patch: Patch) -> None:
    def pass_over(backward: Any, tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
        if tensor.requires_grad:
            backward(tensor, *arguments, **options)

    backward_as(patch, pass_over)


@breaks("retain-graph.second-backward-needs-it")
def graphs_are_always_retained(patch: Patch) -> None:
    def retaining(backward: Any, tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
        backward(tensor, *arguments, **{**options, "retain_graph": True})

    backward_as(patch, retaining)


@breaks("retain-graph.allows-another-backward")
def graphs_are_never_retained(patch: Patch) -> None:
    def forgetting(backward: Any, tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
        backward(tensor, *arguments, **{**options, "retain_graph": False})

    backward_as(patch, forgetting)


@breaks("accumulation.not-by-autograd-grad")
def autograd_grad_fills_grad(patch: Patch) -> None:
    grad: Any = torch.autograd.grad

    def filling(outputs: Any, inputs: Any, *arguments: Any, **options: Any) -> Any:
        found = grad(outputs, inputs, *arguments, **options)
        for leaf, value in zip([inputs] if torch.is_tensor(inputs) else inputs, found, strict=True):
            leaf.grad = value
        return found

    patch.setattr(torch.autograd, "grad", filling)


@breaks("tensors.rand-is-uniform")
def rand_is_normal(patch: Patch) -> None:
    patch.setattr(torch, "rand", torch.randn)


@breaks("relu.by-either-name")
def relu_is_the_absolute_value(patch: Patch) -> None:
    patch.setattr(torch, "relu", torch.abs)


@breaks("tensors.item-needs-one-element")
def item_is_the_first(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "item", lambda self: self.flatten()[0].tolist())


@breaks("detach.makes-a-constant")
def what_is_detached_is_still_tracked(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "detach", lambda self: self * 1.0)


@breaks("leaves.no-gradient-before-backward")
def gradients_are_there_from_the_start(patch: Patch) -> None:
    tensor: Any = torch.tensor

    def with_a_gradient(*arguments: Any, **options: Any) -> torch.Tensor:
        made: torch.Tensor = tensor(*arguments, **options)
        if made.requires_grad:
            made.grad = torch.zeros_like(made)
        return made

    patch.setattr(torch, "tensor", with_a_gradient)
