"""Faults of how schedulers are driven, composed and refused."""

from typing import Any

import torch
from torch.optim import lr_scheduler

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("rates.tensors-are-updated-in-place")
def a_rate_tensor_is_replaced(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        param_group[key].fill_(_to_scalar(val))",
        "        param_group[key] = torch.as_tensor(val)".replace(
            "torch.as_tensor", "Tensor.clone"
        ),
    )


@breaks("rates.tensors-are-not-aliased")
def rates_are_remembered_without_a_copy(_: Patch) -> None:
    edit(
        lr_scheduler,
        "group[key].clone() if isinstance(group[key], Tensor) else group[key]",
        "group[key] if isinstance(group[key], Tensor) else group[key]",
    )


@breaks("rates.manual-value-is-multiplied")
def exponential_starts_from_the_initial_rate(_: Patch) -> None:
    edit(
        lr_scheduler,
        'return [group["lr"] * self.gamma for group in self.optimizer.param_groups]',
        'return [group["initial_lr"] * self.gamma for group in self.optimizer.param_groups]',
    )


@breaks("rates.later-scheduler-reuses-initial-lr")
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


@breaks("epoch.jumps-on-the-schedule")
def an_epoch_is_one_further_on(_: Patch) -> None:
    edit(
        lr_scheduler,
        "                self.last_epoch = epoch\n",
        "                self.last_epoch = epoch + 1\n",
    )


@breaks("epoch.warm-restarts-refuse-negatives")
def a_negative_epoch_is_taken(_: Patch) -> None:
    edit(lr_scheduler, "            if epoch < 0:", "            if epoch < -9:")


@breaks("scheduler-errors.options-out-of-range")
def a_cycle_starts_anywhere(_: Patch) -> None:
    edit(lr_scheduler, "pct_start < 0 or pct_start > 1", "pct_start < 0 or pct_start > 2")


@breaks("scheduler-errors.want-momentum-to-cycle")
def momentum_is_cycled_where_there_is_none(_: Patch) -> None:
    edit(lr_scheduler, '"betas" not in optimizer.defaults', '"eps" not in optimizer.defaults')


@breaks("scheduler-errors.number-of-milestones")
def a_milestone_may_be_missing(_: Patch) -> None:
    edit(
        lr_scheduler, "len(milestones) != len(schedulers) - 1", "len(milestones) > len(schedulers)"
    )


@breaks("scheduler-errors.parts-include-a-plateau")
def a_plateau_is_composed(_: Patch) -> None:
    edit(lr_scheduler, "if isinstance(scheduler, ReduceLROnPlateau):", "if False:")


@breaks("scheduler-errors.leave-step-unchanged")
def the_step_is_replaced_before_the_options_are_checked(patch: Patch) -> None:
    build = lr_scheduler.ConstantLR.__init__

    def careless(
        self: lr_scheduler.ConstantLR, optimizer: torch.optim.Optimizer, **more: Any
    ) -> None:
        optimizer.step = optimizer.step  # type: ignore[method-assign]
        build(self, optimizer, **more)

    patch.setattr(lr_scheduler.ConstantLR, "__init__", careless)


@breaks("scheduler-errors.leave-groups-unchanged")
def a_refused_restart_marks_the_groups(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        if T_mult < 1 or not isinstance(T_mult, int):",
        "        if optimizer.param_groups[0].update(T_0=T_0) or T_mult < 1 or T_mult % 1:",
    )


@breaks("rates.later-scheduler-moves-found-rates")
def the_cosine_starts_over(_: Patch) -> None:
    edit(
        lr_scheduler,
        'if self._is_initial:\n            return _param_groups_val_list(self.optimizer, "lr")\n'
        "        elif",
        'if self._is_initial:\n            return _param_groups_val_list(self.optimizer, "initial_lr")\n'
        "        elif",
    )


@breaks("rates.manual-value-feeds-the-recursion")
def the_cosine_turns_at_the_initial_rate(_: Patch) -> None:
    edit(
        lr_scheduler,
        'group["lr"]\n                + (base_lr - self.eta_min) * (1',
        "base_lr * 0\n                + (base_lr - self.eta_min) * (1",
    )


@breaks("rates.no-other-option-changes")
def the_second_beta_is_lost(_: Patch) -> None:
    edit(lr_scheduler, '*param_group["betas"][1:])', "0.5)")


@breaks("added-groups.are-multiplied")
def an_added_group_is_passed_over(_: Patch) -> None:
    edit(
        lr_scheduler,
        "zip(self.optimizer.param_groups, values, strict=True):",
        "zip(self.optimizer.param_groups[:2], values, strict=False):",
    )


@breaks("own-schedulers.epoch-uses-closed-form")
def the_closed_form_is_never_asked(_: Patch) -> None:
    edit(lr_scheduler, 'if hasattr(self, "_get_closed_form_lr"):', "if False:")


@breaks("own-schedulers.return-too-many-rates")
def rates_for_nobody_are_taken(_: Patch) -> None:
    edit(
        lr_scheduler,
        "zip(self.optimizer.param_groups, values, strict=True):",
        "zip(self.optimizer.param_groups, values):",
    )


@breaks("order.warnings-name-the-calling-line")
def warnings_point_into_torch(_: Patch) -> None:
    edit(
        lr_scheduler,
        "warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)",
        "warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning)",
    )


@breaks("order.no-false-alarm-of-compositions")
def a_chain_warns_at_every_step(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        for scheduler in self._schedulers:\n            scheduler.step()",
        "        for scheduler in self._schedulers:\n            scheduler.step(), scheduler.get_lr()",
    )


@breaks("scheduler-lifetime.no-reference-cycle")
def a_scheduler_refers_to_itself(patch: Patch) -> None:
    begin = lr_scheduler.LRScheduler._initial_step

    def selfish(self: lr_scheduler.LRScheduler) -> None:
        begin(self)
        self.me = self  # type: ignore[attr-defined]

    patch.setattr(lr_scheduler.LRScheduler, "_initial_step", selfish)
