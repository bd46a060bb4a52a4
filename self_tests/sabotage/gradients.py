"""Faults of what an optimizer stands on: accumulation, tracking, detaching."""

from typing import TYPE_CHECKING

import torch

from self_tests.sabotage.fault import Patch, breaks

if TYPE_CHECKING:
    from collections.abc import Callable


@breaks("accumulation.backward-adds")
def backward_replaces_the_gradient(patch: Patch) -> None:
    backward: Callable[..., None] = torch.Tensor.backward

    def replacing(self: torch.Tensor, **options: object) -> None:
        waiting = [self.grad_fn]
        while waiting:
            node = waiting.pop()
            if hasattr(node, "variable"):
                node.variable.grad = None  # type: ignore[union-attr] # hasattr() has asked
            waiting += [following for following, _ in getattr(node, "next_functions", ())]
        backward(self, **options)

    patch.setattr(torch.Tensor, "backward", replacing)


@breaks("detach.shares-memory")
def detach_copies(patch: Patch) -> None:
    detach = torch.Tensor.detach
    patch.setattr(torch.Tensor, "detach", lambda self: detach(self).clone())


@breaks("no-grad.results-require-no-grad")
def no_grad_tracks(patch: Patch) -> None:
    patch.setattr(torch.no_grad, "__enter__", lambda self: setattr(self, "prev", True))


@breaks("set-grad-enabled.follows-the-flag")
def the_flag_is_ignored(patch: Patch) -> None:
    patch.setattr(torch, "set_grad_enabled", lambda mode: torch.enable_grad())


@breaks("by-hand.new-leaf")
def a_new_leaf_keeps_its_graph(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "detach", lambda self: self * 1)
