"""Faults of how schedulers are driven, composed and refused."""

import torch
from torch.optim import lr_scheduler

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("rates.stay-the-tensor-they-are")
def a_rate_tensor_is_replaced(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        param_group[key].fill_(_to_scalar(val))",
        "        param_group[key] = torch.as_tensor(val)".replace(
            "torch.as_tensor", "Tensor.clone"
        ),
    )


@breaks("rates.are-aliased-by-nothing")
def rates_are_remembered_without_a_copy(_: Patch) -> None:
    edit(
        lr_scheduler,
        "group[key].clone() if isinstance(group[key], Tensor) else group[key]",
        "group[key] if isinstance(group[key], Tensor) else group[key]",
    )


@breaks("rates.set-by-hand-are-gone-on-from")
def exponential_starts_from_the_initial_rate(_: Patch) -> None:
    edit(
        lr_scheduler,
        'return [group["lr"] * self.gamma for group in self.optimizer.param_groups]',
        'return [group["initial_lr"] * self.gamma for group in self.optimizer.param_groups]',
    )


@breaks("rates.begin-again-for-a-later-scheduler")
def a_later_scheduler_starts_where_the_rate_is(_: Patch) -> None:
    edit(
        lr_scheduler,
        'group.setdefault("initial_lr", initial_lr)',
        'group["initial_lr"] = initial_lr',
    )


@breaks("rates.are-all-that-changes")
def a_scheduler_shrinks_parameters(patch: Patch) -> None:
    update = lr_scheduler.LRScheduler._update_lr

    def shrinking(self: lr_scheduler.LRScheduler, epoch: int | None = None) -> None:
        update(self, epoch)
        with torch.no_grad():
            for group in self.optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.mul_(0.5)

    patch.setattr(lr_scheduler.LRScheduler, "_update_lr", shrinking)


@breaks("order.warns-once")
def the_wrong_order_is_warned_of_at_every_step(_: Patch) -> None:
    edit(lr_scheduler, "        if self._step_count == 1:", "        if self._step_count >= 1:")


@breaks("order.an-overridden-step-is-noticed")
def an_overridden_step_is_taken(_: Patch) -> None:
    edit(
        lr_scheduler,
        '            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):',
        "            if False:",
    )


@breaks("epoch.is-deprecated")
def an_epoch_is_taken_without_a_word(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        if epoch is not None:\n            warnings",
        "        if False:\n            warnings",
    )


@breaks("epoch.is-a-place-on-the-schedule")
def an_epoch_is_one_further_on(_: Patch) -> None:
    edit(
        lr_scheduler,
        "                self.last_epoch = epoch\n",
        "                self.last_epoch = epoch + 1\n",
    )


@breaks("epoch.of-warm-restarts-is-not-negative")
def a_negative_epoch_is_taken(_: Patch) -> None:
    edit(lr_scheduler, "            if epoch < 0:", "            if epoch < -9:")


@breaks("scheduler-errors.options-out-of-range")
def a_cycle_starts_anywhere(_: Patch) -> None:
    edit(lr_scheduler, "pct_start < 0 or pct_start > 1", "pct_start < 0 or pct_start > 2")


@breaks("scheduler-errors.want-momentum-to-cycle")
def momentum_is_cycled_where_there_is_none(_: Patch) -> None:
    edit(lr_scheduler, '"betas" not in optimizer.defaults', '"eps" not in optimizer.defaults')


@breaks("scheduler-errors.as-many-milestones-as-changes")
def a_milestone_may_be_missing(_: Patch) -> None:
    edit(
        lr_scheduler, "len(milestones) != len(schedulers) - 1", "len(milestones) > len(schedulers)"
    )


@breaks("scheduler-errors.no-plateau-in-a-composition")
def a_plateau_is_composed(_: Patch) -> None:
    edit(lr_scheduler, "if isinstance(scheduler, ReduceLROnPlateau):", "if False:")
