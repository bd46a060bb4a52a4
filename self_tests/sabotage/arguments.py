"""Faults by which numbers at the edge of what they can mean, and far from the start, count as others."""

from typing import Any

from torch import Tensor
from torch.amp import grad_scaler
from torch.nn.utils import clip_grad
from torch.optim import SGD, Optimizer, lr_scheduler

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("clipping.reverses-no-gradient")
def a_clipped_gradient_is_turned_round(_: Patch) -> None:
    edit(clip_grad, "torch.clamp(clip_coef, max=1.0)", "-torch.clamp(clip_coef, max=1.0)")


@breaks("clipping.bound-of-zero-clears")
def a_bound_of_zero_is_one_of_one(_: Patch) -> None:
    edit(clip_grad, "max_norm = float(max_norm)", "max_norm = float(max_norm) or 1.0")


@breaks("clipping.infinite-bound-changes-nothing")
def an_infinite_bound_is_one_of_one(_: Patch) -> None:
    edit(clip_grad, "max_norm = float(max_norm)", "max_norm = min(float(max_norm), 1.0)")


@breaks("clipping.bounds-count-as-numbers")
def a_bound_in_a_text_is_one_more(_: Patch) -> None:
    edit(
        clip_grad,
        "max_norm = float(max_norm)",
        "max_norm = float(max_norm) + isinstance(max_norm, str)",
    )


@breaks("clipping.any-norm-type")
def the_type_of_a_norm_has_no_sign(_: Patch) -> None:
    edit(clip_grad, "norm_type = float(norm_type)", "norm_type = abs(float(norm_type))")


@breaks("scaler.tiny-scale-spoils-no-step")
def gradients_are_divided_by_half_the_scale(_: Patch) -> None:
    edit(grad_scaler, ".double().reciprocal().float()", ".double().reciprocal().float() * 2")


@breaks("scaler-calls.interval-is-an-integer")
def an_interval_is_rounded(_: Patch) -> None:
    edit(grad_scaler, "                self._growth_interval,", "                2000,")


@breaks("scaler-calls.options-count-as-numbers")
def a_scale_that_is_no_float_is_one(_: Patch) -> None:
    edit(
        grad_scaler,
        "self._init_scale = init_scale",
        "self._init_scale = init_scale if isinstance(init_scale, float) else 1.0",
    )


@breaks("scaler-calls.growth-count-up-to-its-limit")
def a_loaded_count_is_cut(_: Patch) -> None:
    edit(
        grad_scaler,
        'self._init_growth_tracker = cast(int, state_dict["_growth_tracker"])',
        'self._init_growth_tracker = min(2**30, state_dict["_growth_tracker"])',
    )


@breaks("scheduler-options.edges-follow-the-closed-form")
def an_infinite_period_ends(_: Patch) -> None:
    edit(
        lr_scheduler, "self.last_epoch % self.step_size", "self.last_epoch % min(self.step_size, 5)"
    )


@breaks("scheduler-options.bools-count-as-numbers")
def true_is_two(_: Patch) -> None:
    edit(lr_scheduler, "self.T_max = T_max", "self.T_max = T_max + isinstance(T_max, bool)")


@breaks("scheduler-options.tensors-count-as-numbers")
def a_power_in_a_tensor_is_one_more(_: Patch) -> None:
    edit(lr_scheduler, "self.power = power", "self.power = power + isinstance(power, Tensor)")


@breaks("scheduler-options.one-element-tensors-count")
def a_power_in_a_vector_is_one_more(_: Patch) -> None:
    edit(lr_scheduler, "self.power = power", "self.power = power + hasattr(power, 'shape')")


@breaks("scheduler-options.tensors-are-refused")
def a_period_may_be_anything(_: Patch) -> None:
    edit(lr_scheduler, "T_0 <= 0 or not isinstance(T_0, int)", "T_0 <= 0")


@breaks("scheduler-options.lengths-out-of-range")
def a_period_may_be_negative(_: Patch) -> None:
    edit(lr_scheduler, "T_0 <= 0 or not isinstance(T_0, int)", "not isinstance(T_0, int)")


@breaks("scheduler-options.lengths-are-integers")
def a_period_may_be_a_fraction(_: Patch) -> None:
    edit(lr_scheduler, "T_0 <= 0 or not isinstance(T_0, int)", "T_0 <= 0")


@breaks("scheduler-options.factors-out-of-range")
def a_factor_may_be_negative(_: Patch) -> None:
    edit(lr_scheduler, "if factor > 1.0 or factor < 0:", "if factor > 1.0:")


@breaks("scheduler-options.later-values-are-not-checked")
def a_negative_factor_is_not_loaded(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.__dict__.update(state_dict)",
        "self.__dict__.update({k: v for k, v in state_dict.items() if k != 'gamma' or v > 0})",
    )


@breaks("scheduler-options.later-nan-spreads")
def nan_is_not_loaded(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.__dict__.update(state_dict)",
        "self.__dict__.update({k: v for k, v in state_dict.items() if v == v})",
    )


@breaks("schedules.a-thousand-cycles")
def the_thousandth_restart_is_late(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.T_cur = self.T_cur % self.T_i",
        "self.T_cur = self.T_cur % self.T_i + (self.last_epoch > 1000)",
    )


@breaks("schedules.far-by-epoch")
def powers_stop_at_a_thousand(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.gamma**self.last_epoch for",
        "self.gamma**min(self.last_epoch, 1000) for",
    )


@breaks("schedules.lengths-of-one")
def a_milestone_is_met_a_step_late_by_epoch(_: Patch) -> None:
    edit(
        lr_scheduler,
        "bisect_right(milestones, self.last_epoch)",
        "bisect_right(milestones, self.last_epoch - 1)",
    )


@breaks("schedules.no-iterations-by-epoch")
def no_iterations_are_nine(_: Patch) -> None:
    edit(
        lr_scheduler,
        "(self.last_epoch >= self.total_iters) *",
        "(self.last_epoch >= (self.total_iters or 9)) *",
    )


@breaks("schedules.odd-epochs")
def negative_epochs_are_the_first(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.gamma ** (self.last_epoch // self.step_size)",
        "self.gamma ** (max(self.last_epoch, 0) // self.step_size)",
    )


@breaks("warm-restarts.long-cycles-by-epoch")
def a_position_in_a_cycle_is_whole(_: Patch) -> None:
    edit(lr_scheduler, "self.T_cur = epoch % self.T_0", "self.T_cur = epoch // 1 % self.T_0")


@breaks("refused.later-values-are-taken")
def groups_are_looked_at(patch: Patch) -> None:
    add = Optimizer.add_param_group

    def add_checked(self: Optimizer, group: dict[str, Any]) -> None:
        if not group.get("lr", 0.0) >= 0.0:
            raise ValueError("negative")
        add(self, group)

    patch.setattr(Optimizer, "add_param_group", add_checked)


def otherwise(patch: Patch, kind: type) -> None:
    """Have SGD count a rate of a kind as one more."""
    build = SGD.__init__

    def built(self: SGD, params: Any, lr: Any = 1e-3, **options: Any) -> None:
        build(self, params, lr + isinstance(lr, kind), **options)

    patch.setattr(SGD, "__init__", built)


@breaks("refused.bools-count-or-raise")
def a_rate_that_is_a_bool_is_one_more(patch: Patch) -> None:
    otherwise(patch, bool)


@breaks("refused.one-element-tensors-count-or-raise")
def a_rate_in_a_tensor_is_one_more(patch: Patch) -> None:
    otherwise(patch, Tensor)
