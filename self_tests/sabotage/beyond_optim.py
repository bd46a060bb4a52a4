"""Faults of what torch.optim stands on and of the names it is found under."""

from typing import Any

import torch
from torch.optim import lr_scheduler, swa_utils

from self_tests.sabotage.autograd import backward_as
from self_tests.sabotage.fault import Patch, breaks


@breaks("names.optimizers-are-classes")
def adagrad_is_a_function(patch: Patch) -> None:
    patch.setattr(torch.optim, "Adagrad", lambda *_, **__: None)


@breaks("names.added-since")
def adafactor_is_not_there(patch: Patch) -> None:
    patch.delattr(torch.optim, "Adafactor")


@breaks("names.all-lists-the-public-ones")
def all_forgets_one(patch: Patch) -> None:
    patch.setattr(torch.optim, "__all__", [n for n in torch.optim.__all__ if n != "Rprop"])


@breaks("names.multi-tensor-is-gone")
def multi_tensor_is_back(patch: Patch) -> None:
    patch.setattr(torch.optim, "_multi_tensor", object(), raising=False)


@breaks("names.schedulers")
def a_scheduler_is_not_there(patch: Patch) -> None:
    patch.delattr(lr_scheduler, "PolynomialLR")


@breaks("names.underscored-scheduler-stays")
def the_old_name_is_gone(patch: Patch) -> None:
    patch.delattr(lr_scheduler, "_LRScheduler")


@breaks("names.averaging")
def update_bn_is_not_there(patch: Patch) -> None:
    patch.delattr(swa_utils, "update_bn")


@breaks("relu.is-not-in-torch-functional")
def relu_is_in_torch_functional(patch: Patch) -> None:
    patch.setattr(torch.functional, "relu", torch.relu, raising=False)


@breaks("scaler.multiplies-the-loss")
def the_scaler_adds(patch: Patch) -> None:
    patch.setattr(torch.amp.GradScaler, "scale", lambda self, loss: loss + 1.0)


@breaks("scaler.can-be-given-a-scale")
def the_scaler_keeps_its_scale(patch: Patch) -> None:
    update: Any = torch.amp.GradScaler.update
    patch.setattr(torch.amp.GradScaler, "update", lambda self, new_scale=None: update(self))


@breaks("scaler-calls.options-can-be-read-and-set")
def the_growth_cannot_be_set(patch: Patch) -> None:
    patch.setattr(torch.amp.GradScaler, "set_growth_factor", lambda self, factor: None)


@breaks("leaves.retain-grad-keeps-it")
def nothing_is_retained(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "retain_grad", lambda self: None)


@breaks("detach.cuts-the-graph")
def detach_cuts_nothing(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "detach", lambda self: self)


@breaks("leaves.backward-fills-grad")
def backward_fills_nothing(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "backward", lambda self, *_, **__: None)


@breaks("accumulation.into-the-same-tensor")
def backward_fills_new_tensors(patch: Patch) -> None:
    _clear_first(patch)


@breaks("accumulation.small-batches-add-up")
def backward_forgets_what_was_there(patch: Patch) -> None:
    _clear_first(patch)


def _clear_first(patch: Patch) -> None:
    """Let backward() replace gradients instead of adding to them, for the leaves that it is told of."""

    def leaves(node: Any) -> Any:
        if hasattr(node, "variable"):
            yield node.variable
        for child, _ in getattr(node, "next_functions", ()):
            yield from leaves(child)

    def replacing(backward: Any, tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
        for leaf in leaves(tensor.grad_fn):
            leaf.grad = None
        backward(tensor, *arguments, **options)

    backward_as(patch, replacing)


@breaks("tensors.item-is-a-python-number")
def item_is_a_tensor(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "item", lambda self: self.clone())


@breaks("sharing.gradients-add-up")
def the_last_use_alone_counts(patch: Patch) -> None:
    backward_as(
        patch,
        lambda backward, tensor, *arguments, **options: backward(
            tensor * 0.5, *arguments, **options
        ),
    )
