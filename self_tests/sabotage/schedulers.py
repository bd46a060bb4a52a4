"""Faults of schedulers: rates, counts, warnings, state."""

from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler, StepLR

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("schedules.step-lr-as-printed")
def step_lr_is_off_by_one(patch: Patch) -> None:
    edit(
        lr_scheduler,
        "(self.last_epoch % self.step_size != 0)",
        "((self.last_epoch + 1) % self.step_size != 0)",
    )


@breaks("schedules.follow-their-closed-form")
def milestones_are_missed(patch: Patch) -> None:
    edit(
        lr_scheduler,
        "if self.last_epoch not in self.milestones",
        "if self.last_epoch - 1 not in self.milestones",
    )


@breaks("schedules.follow-their-closed-form")
def restarts_begin_at_the_bottom(patch: Patch) -> None:
    edit(
        lr_scheduler,
        "* (1 + math.cos(math.pi * self.T_cur / self.T_i))",
        "* (1 - math.cos(math.pi * self.T_cur / self.T_i))",
    )


@breaks("schedules.momentum-moves-against-rate")
def momentum_stays_where_it_ends(patch: Patch) -> None:
    edit(lr_scheduler, 'phase["start_momentum"]', 'phase["end_momentum"]')


@breaks("schedules.one-cycle-refuses-extra-steps")
def one_cycle_goes_on_for_ever(patch: Patch) -> None:
    edit(lr_scheduler, "if step_num > self.total_steps:", "if False:")


@breaks("schedules.plateau-waits-for-patience")
def patience_is_one_step_short(patch: Patch) -> None:
    edit(
        lr_scheduler, "self.num_bad_epochs > self.patience", "self.num_bad_epochs >= self.patience"
    )


@breaks("schedulers.last-rate-of-each-group")
def the_last_rate_is_the_first(patch: Patch) -> None:
    patch.setattr(LRScheduler, "get_last_lr", lambda self: self.base_lrs)


@breaks("order.get-lr-is-silent-inside-step")
def get_lr_does_not_warn(patch: Patch) -> None:
    patch.setattr(lr_scheduler, "_warn_get_lr_called_within_step", lambda _: None)


@breaks("schedulers.count-their-steps")
def steps_are_counted_twice(patch: Patch) -> None:
    edit(lr_scheduler, "self.last_epoch += 1", "self.last_epoch += 2")


@breaks("schedulers.remember-the-initial-rates")
def initial_rates_are_forgotten(patch: Patch) -> None:
    update = LRScheduler._update_lr

    def forgetting(self: LRScheduler, epoch: int | None = None) -> None:
        update(self, epoch)
        self.base_lrs = self.get_last_lr()

    patch.setattr(LRScheduler, "_update_lr", forgetting)


@breaks("schedulers.warn-of-the-wrong-order")
def the_wrong_order_is_taken(patch: Patch) -> None:
    edit(lr_scheduler, 'elif not getattr(self.optimizer, "_opt_called", False):', "elif False:")


@breaks("schedulers.state-restores-the-schedule")
def a_loaded_state_is_dropped(patch: Patch) -> None:
    patch.setattr(StepLR, "load_state_dict", lambda self, state: None)


@breaks("schedules.momentum-moves-against-rate")
def momentum_goes_with_the_rate(_: Patch) -> None:
    edit(
        lr_scheduler,
        "momentum = max_momentum - base_height",
        "momentum = max_momentum + base_height",
    )


@breaks("schedules.do-not-drift")
def rates_lose_a_little_at_every_step(_: Patch) -> None:
    edit(
        lr_scheduler,
        "+ self.eta_min\n            for group in self.optimizer.param_groups",
        "+ self.eta_min * (1 - 1e-12)\n            for group in self.optimizer.param_groups",
    )


@breaks("schedules.plateau-makes-no-tiny-change")
def tiny_changes_are_made(_: Patch) -> None:
    edit(lr_scheduler, "if old_lr - new_lr > self.eps:", "if old_lr - new_lr > 0:")


@breaks("schedules.warm-restarts-at-a-fraction")
def a_restart_at_a_fraction_has_the_old_length(_: Patch) -> None:
    edit(lr_scheduler, "self.T_i = self.T_0 * self.T_mult ** (n)", "self.T_i = self.T_0")


@breaks("schedulers.scale-of-a-cycle")
def a_cycle_is_scaled_by_another_power(patch: Patch) -> None:
    edit(lr_scheduler, "return 1 / (2.0 ** (x - 1))", "return 1 / (2.0 ** x)")


@breaks("schedulers.computed-rates-are-copies")
def computed_rates_are_those_of_the_groups(patch: Patch) -> None:
    patch.setattr(StepLR, "get_lr", lambda self: [g["lr"] for g in self.optimizer.param_groups])


@breaks("schedulers.rates-match-group-types")
def computed_rates_are_numbers(patch: Patch) -> None:
    def numbers(self: StepLR) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    patch.setattr(StepLR, "get_lr", numbers)


@breaks("schedulers.get-lr-writes-the-momentum")
def one_cycle_leaves_the_momentum(patch: Patch) -> None:
    edit(lr_scheduler, "if self.cycle_momentum:", "if self.cycle_momentum and 0:")


@breaks("schedulers.state-restores-any-schedule")
def warm_restarts_forget_where_they_are(patch: Patch) -> None:
    state_dict = LRScheduler.state_dict

    def without(self: LRScheduler) -> dict[str, object]:
        return {key: value for key, value in state_dict(self).items() if key != "T_cur"}

    patch.setattr(LRScheduler, "state_dict", without)


@breaks("sequences.undo-the-initial-steps")
def a_sequence_takes_nothing_back(patch: Patch) -> None:
    patch.setattr(lr_scheduler.SequentialLR, "recursive_undo", lambda self, sched=None: None)


@breaks("compositions.nest")
def a_sequence_takes_back_only_the_outermost(patch: Patch) -> None:
    def undo(self: lr_scheduler.SequentialLR, sched: object = None) -> None:
        for scheduler in getattr(self, "_schedulers", ()):
            if hasattr(scheduler, "last_epoch"):
                scheduler.last_epoch -= 1

    patch.setattr(lr_scheduler.SequentialLR, "recursive_undo", undo)


@breaks("schedulers.state-holds-callable-objects")
def callable_objects_are_not_loaded(patch: Patch) -> None:
    edit(lr_scheduler, "self.lr_lambdas[idx].__dict__.update(fn)", "self.lr_lambdas[idx].__dict__")


@breaks("schedules.hold-for-any-options")
def a_cycle_falls_as_slowly_as_it_rises(_: Patch) -> None:
    edit(
        lr_scheduler,
        "scale_factor = (x - 1) / (self.step_ratio - 1)",
        "scale_factor = (1 - x) / self.step_ratio",
    )


@breaks("schedules.take-tuples-for-lists")
def a_tuple_of_options_gives_every_group_the_first(_: Patch) -> None:
    edit(
        lr_scheduler,
        "    return list(map(_copy, param))",
        "    return [_copy(param[0] if isinstance(param, tuple) else p) for p in param]",
    )


@breaks("one-cycle.ends-at-its-minimum")
def one_cycle_ends_at_its_start(_: Patch) -> None:
    edit(lr_scheduler, '"end_lr": "min_lr"', '"end_lr": "initial_lr"')


@breaks("warm-restarts.begin-at-the-highest-rate")
def a_restart_is_missed(_: Patch) -> None:
    edit(lr_scheduler, "* (self.T_mult - 1) + 1), self.T_mult", "* (self.T_mult - 1)), self.T_mult")


@breaks("schedules.plateau-holds-for-any-metrics")
def a_plateau_rests_without_cooldown(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.cooldown_counter = self.cooldown",
        "self.cooldown_counter = self.cooldown + 1",
    )


@breaks("schedules.plateau-writes-tensor-in-place")
def a_plateau_replaces_the_tensor(_: Patch) -> None:
    edit(
        lr_scheduler,
        '_update_param_group_val(param_group, "lr", new_lr)',
        'param_group.update({"lr": param_group["lr"] * 0 + new_lr})',
    )


@breaks("schedules.plateau-min-lr-list-can-grow")
def the_floor_of_an_added_group_is_ignored(_: Patch) -> None:
    edit(lr_scheduler, "max(old_lr * self.factor, self.min_lrs[i])", "old_lr * self.factor")
