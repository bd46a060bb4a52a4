"""Faults of loading what was saved at another moment, or by somebody else."""

from typing import Any

import torch
from torch.amp import GradScaler
from torch.optim import Adam, AdamW, Optimizer, RAdam, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("checkpoints.before-the-first-step")
def an_empty_state_stays_empty(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def without_default(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, state_dict)
        if not state_dict["state"]:
            self.state = {}  # type: ignore[assignment]

    patch.setattr(Optimizer, "load_state_dict", without_default)


@breaks("checkpoints.before-the-first-step")
def an_empty_state_is_not_loaded(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def keeping(self: Optimizer, state_dict: dict[str, Any]) -> None:
        before = self.state
        load(self, state_dict)
        if not state_dict["state"]:
            self.state = before

    patch.setattr(Optimizer, "load_state_dict", keeping)


@breaks("checkpoints.gradients-are-not-saved")
def loading_clears_the_gradients(patch: Patch) -> None:
    step = Optimizer.load_state_dict

    def clearing(self: Optimizer, state_dict: dict[str, Any]) -> None:
        step(self, state_dict)
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = torch.ones_like(parameter)

    patch.setattr(Optimizer, "load_state_dict", clearing)


@breaks("loading.again-is-as-once")
def a_second_load_is_passed_over(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def once(self: Optimizer, state_dict: dict[str, Any]) -> None:
        if not self.__dict__.setdefault("loaded", False):
            load(self, state_dict)
        self.loaded = True  # type: ignore[attr-defined]

    patch.setattr(Optimizer, "load_state_dict", once)


@breaks("loading.another-class-fails-by-the-next-step")
def a_missing_option_gets_its_default(patch: Patch) -> None:
    set_state = Adam.__setstate__

    def with_defaults(self: Adam, state: dict[str, Any]) -> None:
        set_state(self, state)  # type: ignore[no-untyped-call]
        for group in self.param_groups:
            group.setdefault("weight_decay", 0.0)

    patch.setattr(Adam, "__setstate__", with_defaults)


@breaks("loading.similar-class-steps")
def radam_begins_the_moments_anew(patch: Patch) -> None:
    set_state = RAdam.__setstate__

    def forgetting(self: RAdam, state: dict[str, Any]) -> None:
        set_state(self, state)  # type: ignore[no-untyped-call]
        for entries in self.state.values():
            entries["exp_avg"].zero_()

    patch.setattr(RAdam, "__setstate__", forgetting)


@breaks("loading.adamw-stays-decoupled")
def adamw_takes_the_decay_of_adam(patch: Patch) -> None:
    patch.delattr(AdamW, "__setstate__")


@breaks("loading.refuses-other-objects")
def what_has_no_groups_is_passed_over(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def passing(self: Optimizer, state_dict: dict[str, Any]) -> None:
        if "param_groups" in state_dict:
            load(self, state_dict)

    patch.setattr(Optimizer, "load_state_dict", passing)


@breaks("scheduler-state.of-others-is-refused")
def cyclic_lr_asks_for_nothing(_: Patch) -> None:
    edit(
        lr_scheduler,
        'fn = state_dict.pop("_scale_fn_custom")',
        'fn = state_dict.pop("_scale_fn_custom", None)',
    )


@breaks("scheduler-state.of-others-becomes-attributes")
def unknown_entries_are_dropped(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        self.__dict__.update(state_dict)\n",
        "        self.__dict__.update({k: v for k, v in state_dict.items() if k in self.__dict__})\n",
    )


@breaks("scheduler-state.refused-changes-nothing")
def a_refused_state_sets_the_epoch(patch: Patch) -> None:
    load = lr_scheduler.LambdaLR.load_state_dict

    def setting(self: Any, state_dict: dict[str, Any]) -> None:
        self.last_epoch = 7
        load(self, state_dict)

    patch.setattr(lr_scheduler.LambdaLR, "load_state_dict", setting)


@breaks("scheduler-state.from-the-beginning")
def an_epoch_of_zero_is_no_epoch(patch: Patch) -> None:
    load = LRScheduler.load_state_dict

    def keeping(self: LRScheduler, state_dict: dict[str, Any]) -> None:
        load(self, {k: v for k, v in state_dict.items() if k != "last_epoch" or v})

    patch.setattr(LRScheduler, "load_state_dict", keeping)


@breaks("scheduler-state.of-fewer-or-more-groups")
def another_number_of_rates_is_refused(patch: Patch) -> None:
    load = LRScheduler.load_state_dict

    def counting(self: LRScheduler, state_dict: dict[str, Any]) -> None:
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError("another number of groups")
        load(self, state_dict)

    patch.setattr(LRScheduler, "load_state_dict", counting)


@breaks("scaler-state.before-the-first-loss")
def a_used_scaler_keeps_its_scale(patch: Patch) -> None:
    load = GradScaler.load_state_dict

    def keeping(self: GradScaler, state_dict: dict[str, Any]) -> None:
        scale = self._scale
        load(self, {**state_dict, "scale": state_dict["scale"] if scale is None else float(scale)})

    patch.setattr(GradScaler, "load_state_dict", keeping)


@breaks("scaler-state.forgets-the-unscaling")
def unscaling_shows_in_the_state(patch: Patch) -> None:
    unscale = GradScaler.unscale_

    def counting(self: GradScaler, one: Optimizer) -> None:
        unscale(self, one)
        self._growth_interval += 1

    patch.setattr(GradScaler, "unscale_", counting)


@breaks("scaler-state.loaded-scale-divides")
def a_scale_is_loaded_at_the_next_update(patch: Patch) -> None:
    load = GradScaler.load_state_dict

    def late(self: GradScaler, state_dict: dict[str, Any]) -> None:
        scale = self._scale
        self._scale = None
        load(self, state_dict)
        self._scale = scale

    patch.setattr(GradScaler, "load_state_dict", late)


@breaks("scaler-state.found-before-counts-after")
def loading_forgets_what_was_found(patch: Patch) -> None:
    load = GradScaler.load_state_dict

    def forgetting(self: GradScaler, state_dict: dict[str, Any]) -> None:
        load(self, state_dict)
        for state in self._per_optimizer_states.values():
            for found in state["found_inf_per_device"].values():
                found.zero_()

    patch.setattr(GradScaler, "load_state_dict", forgetting)


@breaks("scaler-state.refused-changes-nothing")
def a_missing_scale_is_a_scale_of_one(patch: Patch) -> None:
    load = GradScaler.load_state_dict
    patch.setattr(
        GradScaler, "load_state_dict", lambda self, state: load(self, {"scale": 1.0, **state})
    )


@breaks("scaler-state.of-others-is-refused")
def a_state_without_a_scale_is_passed_over(patch: Patch) -> None:
    load = GradScaler.load_state_dict
    patch.setattr(
        GradScaler,
        "load_state_dict",
        lambda self, state: load(self, state) if "scale" in state else None,
    )


@breaks("scaler-state.ignored-if-switched-off")
def a_scaler_that_is_off_asks_for_a_scale(patch: Patch) -> None:
    load = GradScaler.load_state_dict

    def asking(self: GradScaler, state_dict: dict[str, Any]) -> None:
        state_dict["scale"]
        load(self, state_dict)

    patch.setattr(GradScaler, "load_state_dict", asking)


@breaks("averaged-model.state-from-before-updates")
def a_count_of_zero_is_not_loaded(patch: Patch) -> None:
    load = AveragedModel.load_state_dict

    def keeping(self: AveragedModel, state_dict: dict[str, Any], *more: Any) -> Any:
        count = self.n_averaged.clone()
        found = load(self, state_dict, *more)
        if not state_dict["n_averaged"]:
            self.n_averaged.copy_(count)
        return found

    patch.setattr(AveragedModel, "load_state_dict", keeping)


@breaks("averaged-model.state-of-another-rule")
def the_loaded_count_is_one_more(patch: Patch) -> None:
    load = AveragedModel.load_state_dict

    def counting(self: AveragedModel, state_dict: dict[str, Any], *more: Any) -> Any:
        found = load(self, state_dict, *more)
        self.n_averaged.add_(1)
        return found

    patch.setattr(AveragedModel, "load_state_dict", counting)


@breaks("averaged-model.refuses-states-of-others")
def an_average_is_not_strict(patch: Patch) -> None:
    load = AveragedModel.load_state_dict
    patch.setattr(AveragedModel, "load_state_dict", lambda self, state: load(self, state, False))


@breaks("averaged-model.is-refused-by-the-model")
def an_average_is_saved_under_the_names_of_the_model(patch: Patch) -> None:
    save = AveragedModel.state_dict
    patch.setattr(
        AveragedModel,
        "state_dict",
        lambda self: {k.removeprefix("module."): v for k, v in save(self).items()},
    )


@breaks("devices.swapped-parameters-keep-their-state")
def a_step_casts_the_state(patch: Patch) -> None:
    save = Optimizer.state_dict

    def casting(self: Optimizer) -> dict[str, Any]:
        for parameter, state in self.state.items():
            for key in state.keys() & {"exp_avg"}:
                state[key] = state[key].to(parameter.dtype)
        return save(self)

    patch.setattr(Optimizer, "state_dict", casting)
