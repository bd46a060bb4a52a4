"""Faults between two calls: of scalers before the step, of schedulers beside others, of states swapped in."""

from typing import Any

import torch
from torch.amp import grad_scaler
from torch.optim import _stateless, lr_scheduler, optimizer
from torch.optim.optimizer import Optimizer
from torch.optim.swa_utils import AveragedModel

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("scaler.remembers-infinity-until-update")
def infinities_are_looked_for_again_at_the_step(_: Patch) -> None:
    edit(
        grad_scaler,
        '        if not sum(v.item() for v in optimizer_state["found_inf_per_device"].values()):',
        "        if not self._check_inf_per_device(optimizer):",
    )


@breaks("scaler.ignores-later-infinities")
def steps_look_at_the_gradients_once_more(patch: Patch) -> None:
    maybe: Any = torch.amp.GradScaler._maybe_opt_step

    def looking(self: torch.amp.GradScaler, opt: Optimizer, *arguments: object) -> object:
        grads = [p.grad for group in opt.param_groups for p in group["params"]]
        if all(torch.isfinite(grad).all() for grad in grads if grad is not None):
            return maybe(self, opt, *arguments)
        return None

    patch.setattr(torch.amp.GradScaler, "_maybe_opt_step", looking)


@breaks("scaler.divides-gradients-in-any-layout")
def gradients_are_unscaled_in_copies(_: Patch) -> None:
    edit(grad_scaler, "to_unscale = param.grad\n", "to_unscale = param.grad.contiguous()\n")


@breaks("scaler.finds-infinities-in-any-layout")
def the_last_gradient_of_each_dtype_is_passed_over(patch: Patch) -> None:
    unscale = torch._amp_foreach_non_finite_check_and_unscale_

    def passing_over(grads: Any, found: Any, scale: Any) -> None:
        unscale(grads[:-1], found, scale)
        grads[-1].mul_(scale)

    patch.setattr(torch, "_amp_foreach_non_finite_check_and_unscale_", passing_over)


@breaks("scaler.unscales-optimizers-separately")
def all_optimizers_share_one_state(_: Patch) -> None:
    edit(grad_scaler, "self._per_optimizer_states[id(optimizer)]", "self._per_optimizer_states[0]")


@breaks("scaler.trains-with-gradient-penalty")
def scaled_losses_are_cut_from_the_graph(patch: Patch) -> None:
    scale: Any = torch.amp.GradScaler.scale

    def cutting(self: torch.amp.GradScaler, outputs: torch.Tensor) -> Any:
        return scale(self, outputs.detach() * 0.5 + outputs * 0.5)

    patch.setattr(torch.amp.GradScaler, "scale", cutting)


@breaks("accumulated-steps.unscaled-too-early")
def step_unscales_what_was_unscaled(_: Patch) -> None:
    edit(
        grad_scaler,
        '        if optimizer_state["stage"] is OptState.READY:\n            self.unscale_(optimizer)\n',
        '        if optimizer_state["stage"] is not None:\n'
        '            optimizer_state["stage"] = OptState.READY; self.unscale_(optimizer)\n',
    )


@breaks("scaler.passes-itself-to-older-steps")
def no_step_is_given_the_scaler(_: Patch) -> None:
    edit(
        grad_scaler,
        'kwargs_.update({"grad_scaler": self})',
        'kwargs_.update({"grad_scaler": None})',
    )


@breaks("scaler.sets-scale-and-infinity")
def the_infinity_stays_on_the_optimizer(_: Patch) -> None:
    edit(
        grad_scaler,
        "                del optimizer.found_inf  # type",
        "                pass  # type",
    )


@breaks("scaler.multiplies-a-preset-scale")
def a_preset_scale_is_replaced(_: Patch) -> None:
    edit(grad_scaler, 'scaler * getattr(optimizer, "grad_scale", 1)', "scaler")


@breaks("scaler.failed-step-leaves-no-trace")
def a_failed_step_has_unscaled_twice(patch: Patch) -> None:
    step: Any = torch.amp.GradScaler.step

    def trying(self: torch.amp.GradScaler, opt: Optimizer, *arguments: Any) -> Any:
        try:
            return step(self, opt, *arguments)
        except LookupError:
            opt.param_groups[0]["lr"] = 2.0
            raise

    patch.setattr(torch.amp.GradScaler, "step", trying)


@breaks("rates.plateau-multiplies-beside-another")
def a_plateau_reduces_the_initial_rate(_: Patch) -> None:
    edit(
        lr_scheduler,
        'old_lr = float(param_group["lr"])\n',
        'old_lr = float(param_group.get("initial_lr", param_group["lr"]))\n',
    )


@breaks("rates.plateau-is-undone-by-another")
def warm_restarts_multiply_the_rate_that_they_find(patch: Patch) -> None:
    get_lr: Any = lr_scheduler.LambdaLR.get_lr

    def relative(self: lr_scheduler.LambdaLR) -> list[Any]:
        groups = self.optimizer.param_groups
        return [0.5 * rate + 0.5 * g["lr"] for rate, g in zip(get_lr(self), groups, strict=True)]

    patch.setattr(lr_scheduler.LambdaLR, "get_lr", relative)


@breaks("order.resumed-scheduler-warns")
def only_fresh_schedulers_watch_the_order(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        if self._step_count == 1:\n            if not hasattr",
        "        if self._step_count == 1 and self.last_epoch == 0:\n            if not hasattr",
    )


@breaks("order.overridden-step-hides-the-order")
def the_order_is_told_of_a_replaced_step_too(_: Patch) -> None:
    edit(
        lr_scheduler,
        '            elif not getattr(self.optimizer, "_opt_called", False):',
        '            if not getattr(self.optimizer, "_opt_called", False):',
    )


@breaks("order.wrong-order-skips-first-rate")
def the_first_rate_is_written_twice(patch: Patch) -> None:
    step: Any = lr_scheduler.LRScheduler.step

    def once_more(self: lr_scheduler.LRScheduler, epoch: Any = None) -> None:
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", False):
            self.last_epoch -= 1
        step(self, epoch)

    patch.setattr(lr_scheduler.LRScheduler, "step", once_more)


@breaks("own-schedulers.get-lr-is-given-nothing")
def nobody_asks_get_lr(_: Patch) -> None:
    edit(
        lr_scheduler,
        "                values = self.get_lr()",
        '                values = [group["lr"] for group in self.optimizer.param_groups]',
    )


@breaks("cycles.take-tensors-as-momenta")
def bounds_in_tensors_are_shared(_: Patch) -> None:
    edit(
        lr_scheduler,
        "return _param.clone() if isinstance(_param, Tensor) else _param",
        "return _param",
    )


@breaks("swalr.copies-a-tensor-target")
def targets_in_tensors_are_shared(_: Patch) -> None:
    edit(
        lr_scheduler,
        "return _param.clone() if isinstance(_param, Tensor) else _param",
        "return _param",
    )


@breaks("one-cycle.older-state-keeps-strategy")
def a_state_without_a_strategy_brings_the_line(patch: Patch) -> None:
    load: Any = lr_scheduler.OneCycleLR.load_state_dict

    def loading(self: lr_scheduler.OneCycleLR, state: dict[str, Any]) -> None:
        load(self, {"_anneal_func_type": "linear", **state})

    patch.setattr(lr_scheduler.OneCycleLR, "load_state_dict", loading)


@breaks("swapping-in.brings-names-along")
def names_are_not_swapped(_: Patch) -> None:
    edit(_stateless, 'if key == "params":', 'if key in ("params", "param_names"):')


@breaks("swapping-in.leaves-frozen-ones-without-state")
def frozen_parameters_are_given_a_state(_: Patch) -> None:
    edit(
        _stateless,
        "                swapin_state[swapin_param] = dict(state.get(param_id, {}))",
        "                swapin_state[swapin_param] = state.setdefault(param_id, {})",
    )


@breaks("swapping-in.can-be-traced")
def the_step_reads_a_rate_of_its_parameter(patch: Patch) -> None:
    step: Any = torch.optim.RMSprop.step

    def reading(self: torch.optim.RMSprop, *arguments: Any) -> Any:
        self.param_groups[0]["lr"] += 0 * float(self.param_groups[0]["params"][0].sum())
        return step(self, *arguments)

    patch.setattr(torch.optim.RMSprop, "step", reading)


@breaks("examples.page-registers-another-hook")
def loading_calls_no_hook(_: Patch) -> None:
    edit(optimizer, "self._optimizer_load_state_dict_pre_hooks.values()", "()")


@breaks("examples.page-averages-from-161")
def averages_are_counted_in_twos(patch: Patch) -> None:
    update: Any = AveragedModel.update_parameters

    def counting(self: AveragedModel, model: torch.nn.Module) -> None:
        update(self, model)
        self.n_averaged += 1

    patch.setattr(AveragedModel, "update_parameters", counting)


@breaks("amp-examples.train-as-without-a-scaler")
def every_second_scaled_step_is_skipped(patch: Patch) -> None:
    maybe: Any = torch.amp.GradScaler._maybe_opt_step
    counts = iter(range(1000))

    def skipping(self: torch.amp.GradScaler, *arguments: object) -> object:
        return maybe(self, *arguments) if next(counts) % 2 else None

    patch.setattr(torch.amp.GradScaler, "_maybe_opt_step", skipping)


@breaks("chosen.from-those-the-page-lists")
def rprop_has_no_lists(_: Patch) -> None:
    from torch.optim import rprop

    edit(rprop, "        func = _multi_tensor_rprop", "        func = _single_tensor_rprop")
