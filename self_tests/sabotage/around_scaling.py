"""Faults around scaling: clipping of nothing, schedules over skipped steps, unbuilt optimizers."""

from collections import OrderedDict
from typing import Any

import torch
from torch.amp import GradScaler
from torch.nn.utils import clip_grad
from torch.optim import Optimizer, lr_scheduler

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("clipping.passes-over-empty-gradients")
def an_empty_gradient_counts_as_one_entry(_: Patch) -> None:
    edit(
        clip_grad,
        "norms.extend(",
        "norms.extend(torch.ones(()) for t in device_tensors if not t.numel()), norms.extend(",
    )


@breaks("clipping.used-up-generator-warns")
def an_empty_generator_is_clipped_silently(_: Patch) -> None:
    edit(clip_grad, "is_generator = isinstance", "is_generator = False and isinstance")


@breaks("clipping.used-up-generator-in-halves")
def an_empty_second_half_is_warned_of(patch: Patch) -> None:
    def refused(parameters: Any, *_: object) -> None:
        raise ValueError("no parameters")

    patch.setattr(torch.nn.utils, "clip_grads_with_norm_", refused)


@breaks("scaler-calls.missing-cuda-switches-off")
def a_scaler_is_on_without_cuda(patch: Patch) -> None:
    patch.setattr(GradScaler, "is_enabled", lambda _: True)


@breaks("own-optimizers.unbuilt-ones-step-until-cleared")
def clearing_puts_no_hooks_around_steps(patch: Patch) -> None:
    patch.setattr(Optimizer, "_optimizer_step_pre_hooks", OrderedDict(), raising=False)
    patch.setattr(Optimizer, "_optimizer_step_post_hooks", OrderedDict(), raising=False)


@breaks("own-optimizers.unbuilt-ones-have-no-hooks")
def every_class_has_hooks_on_saving(patch: Patch) -> None:
    for name in ("_optimizer_state_dict_pre_hooks", "_optimizer_state_dict_post_hooks"):
        patch.setattr(Optimizer, name, OrderedDict(), raising=False)


def _tell_of_every_step(patch: Patch) -> None:
    step = GradScaler.step

    def told(self: GradScaler, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        optimizer._opt_called = True
        return step(self, optimizer, *args, **kwargs)

    patch.setattr(GradScaler, "step", told)


@breaks("order.skipped-first-step-warns")
def a_skipped_step_counts_as_called(patch: Patch) -> None:
    _tell_of_every_step(patch)


@breaks("order.skipped-fused-step-is-silent")
def fused_steps_are_skipped_by_the_scaler(patch: Patch) -> None:
    for kind in (torch.optim.SGD, torch.optim.Adam):
        kept = kind.__init__

        def built(self: Any, *args: Any, kept: Any = kept, **kwargs: Any) -> None:
            kept(self, *args, **kwargs)
            self._step_supports_amp_scaling = False

        patch.setattr(kind, "__init__", built)


@breaks("order.skipped-steps-move-the-schedule")
def schedules_wait_for_the_first_step(patch: Patch) -> None:
    step = lr_scheduler.LRScheduler.step

    def waiting(self: Any, *args: Any) -> None:
        if self.last_epoch < 0 or getattr(self.optimizer, "_opt_called", False):
            step(self, *args)

    patch.setattr(lr_scheduler.LRScheduler, "step", waiting)
