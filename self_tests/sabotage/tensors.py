"""Faults of tensors themselves: of leaves, and of what is done to them by hand."""

from typing import Any

import torch

from self_tests.sabotage.autograd import backward_as
from self_tests.sabotage.fault import Patch, breaks

_Base: Any = torch._C.TensorBase


@breaks("leaves.made-not-computed")
def only_what_requires_grad_is_a_leaf(patch: Patch) -> None:
    leaf = property(lambda self: self.requires_grad and self.grad_fn is None)
    patch.setattr(torch.Tensor, "is_leaf", leaf)


@breaks("leaves.computed-tensors-keep-no-gradient")
def what_is_summed_keeps_its_gradient(patch: Patch) -> None:
    def keeping(self: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        if self.requires_grad:
            self.retain_grad()
        return torch.sum(self, *arguments, **options)

    patch.setattr(torch.Tensor, "sum", keeping)


@breaks("leaves.integers-cannot-require-grad")
def integers_pass_over_what_they_are_asked(patch: Patch) -> None:
    ask = torch.Tensor.requires_grad_
    patch.setattr(
        torch.Tensor,
        "requires_grad_",
        lambda self, mode=True: ask(self, mode) if self.is_floating_point() else self,
    )


@breaks("leaves.gradient-fits-its-leaf")
def gradients_take_the_dtype_of_their_leaf(patch: Patch) -> None:
    def convert(self: torch.Tensor, gradient: Any) -> None:
        _Base.grad.__set__(self, None if gradient is None else gradient.to(self.dtype))

    patch.setattr(torch.Tensor, "grad", property(_Base.grad.__get__, convert))


@breaks("no-grad.leaves-may-still-be-made")
def no_grad_makes_constants(patch: Patch) -> None:
    tensor: Any = torch.tensor
    patch.setattr(
        torch,
        "tensor",
        lambda *arguments, requires_grad=False, **options: tensor(
            *arguments, **options, requires_grad=requires_grad and torch.is_grad_enabled()
        ),
    )


@breaks("tracking.inference-tensors-need-a-clone")
def inference_mode_is_no_grad(patch: Patch) -> None:
    patch.setattr(torch, "inference_mode", torch.no_grad)


@breaks("backward.relu-has-slope-0-at-0")
def relu_has_slope_1_at_0(patch: Patch) -> None:
    patch.setattr(torch, "relu", lambda x: torch.clamp(x, min=0))


@breaks("backward.records-what-requires-grad")
def comparisons_are_recorded(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "__gt__", lambda self, other: self - other)


@breaks("retain-graph.not-needed-if-nothing-saved")
def every_graph_serves_once(patch: Patch) -> None:
    served: list[torch.Tensor] = []

    def once(backward: Any, tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
        if any(tensor is other for other in served):
            raise RuntimeError("backward through the graph a second time")
        served.append(tensor)
        backward(tensor, *arguments, **options)

    backward_as(patch, once)


@breaks("versions.change-in-place-is-noticed")
def powers_save_a_copy_of_their_base(patch: Patch) -> None:
    _copy_the_base(patch)


@breaks("versions.change-of-data-goes-unnoticed")
def powers_do_not_see_their_base_change(patch: Patch) -> None:
    _copy_the_base(patch)


def _copy_the_base(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "__pow__", lambda self, other: torch.pow(self.clone(), other))


@breaks("by-hand.data")
def data_is_a_copy(patch: Patch) -> None:
    copy = property(lambda self: self.detach().clone(), lambda self, value: None)
    patch.setattr(torch.Tensor, "data", copy)


@breaks("by-hand.no-grad")
def in_place_subtraction_makes_a_new_tensor(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "__isub__", torch.Tensor.sub)


@breaks("by-hand.in-place-is-refused")
def tracked_leaves_may_be_changed_in_place(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "__isub__", torch.Tensor.sub)


@breaks("by-hand.out-of-place-is-no-leaf")
def differences_are_leaves(patch: Patch) -> None:
    _make_differences_leaves(patch)


@breaks("by-hand.no-grad-rebinding-ends-training")
def differences_require_grad(patch: Patch) -> None:
    _make_differences_leaves(patch)


def _make_differences_leaves(patch: Patch) -> None:
    patch.setattr(
        torch.Tensor,
        "__sub__",
        lambda self, other: torch.sub(self.detach(), other).requires_grad_(self.requires_grad),
    )


@breaks("devices.mixing-with-meta-raises")
def cat_makes_up_what_is_not_there(patch: Patch) -> None:
    cat: Any = torch.cat
    patch.setattr(
        torch, "cat", lambda these: cat([torch.zeros_like(t, device="cpu") for t in these])
    )


@breaks("devices.meta-factor-goes-unnoticed")
def products_ask_for_one_device(patch: Patch) -> None:
    def product(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        if self.device != other.device:
            raise RuntimeError(f"factors on {self.device} and {other.device}")
        return torch.matmul(self, other)

    patch.setattr(torch.Tensor, "__matmul__", product)


@breaks("devices.results-follow-their-inputs")
def products_go_to_the_default_device(patch: Patch) -> None:
    patch.setattr(
        torch.Tensor,
        "__matmul__",
        lambda self, other: torch.matmul(self, other).to(torch.get_default_device()),
    )
