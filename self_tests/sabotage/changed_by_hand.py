"""Faults of parameters, groups and state that are changed by hand."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Adam, Optimizer, adam, lr_scheduler, optimizer
from torch.optim.lr_scheduler import LRScheduler

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


def before_each_group_of_adam(patch: Patch, do: Callable[[Adam, dict[str, Any]], None]) -> None:
    """Have something done before Adam reads the state of a group."""
    begin = Adam._init_group

    def doing(self: Adam, group: dict[str, Any], *lists: Any) -> Any:
        do(self, group)
        return begin(self, group, *lists)  # type: ignore[no-untyped-call]

    patch.setattr(Adam, "_init_group", doing)


@breaks("groups-by-hand.returned-parameter-continues")
def a_step_forgets_who_is_in_no_group(patch: Patch) -> None:
    def forget(self: Adam, _: dict[str, Any]) -> None:
        inside = {p for group in self.param_groups for p in group["params"]}
        for parameter in [p for p in self.state if p not in inside]:
            del self.state[parameter]

    before_each_group_of_adam(patch, forget)


@breaks("checkpoints.changed-by-hand")
def state_stays_in_its_group(patch: Patch) -> None:
    def stay(self: Adam, group: dict[str, Any]) -> None:
        seen = group.setdefault("seen", set())
        for parameter in group["params"]:
            if id(parameter) not in seen:
                seen.add(id(parameter))
                self.state.pop(parameter, None)

    before_each_group_of_adam(patch, stay)


@breaks("checkpoints.changed-by-hand")
def zero_grad_remembers_the_parameters(patch: Patch) -> None:
    clear = Optimizer.zero_grad

    def remembering(self: Optimizer, set_to_none: bool = True) -> None:
        known = self.__dict__.setdefault("known", set())
        known |= {p for group in self.param_groups for p in group["params"]}
        clear(self, set_to_none)
        for parameter in known:
            parameter.grad = None

    patch.setattr(Optimizer, "zero_grad", remembering)


@breaks("groups-by-hand.new-parameter-begins")
def a_new_parameter_inherits(patch: Patch) -> None:
    def inherit(self: Adam, group: dict[str, Any]) -> None:
        for parameter in group["params"]:
            for other, state in list(self.state.items()):
                if not self.state.get(parameter) and other.shape == parameter.shape:
                    self.state[parameter] = dict(state)

    before_each_group_of_adam(patch, inherit)


@breaks("groups-by-hand.loading-forgets-removed")
def loading_keeps_the_state_of_everybody(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def keeping(self: Optimizer, state_dict: dict[str, Any]) -> None:
        before = dict(self.state)
        load(self, state_dict)
        self.state.update({p: state for p, state in before.items() if p not in self.state})

    patch.setattr(Optimizer, "load_state_dict", keeping)


@breaks("groups-by-hand.nothing-to-step")
def a_step_asks_for_parameters(patch: Patch) -> None:
    step = Adam.step

    def asking(self: Adam, closure: Any = None) -> Any:
        if not any(group["params"] for group in self.param_groups):
            raise RuntimeError("no parameters")
        return step(self, closure)

    patch.setattr(Adam, "step", asking)


@breaks("groups-by-hand.generator-is-used-up")
def zero_grad_makes_lists(patch: Patch) -> None:
    clear = Optimizer.zero_grad

    def listing(self: Optimizer, set_to_none: bool = True) -> None:
        for group in self.param_groups:
            group["params"] = list(group["params"])
        clear(self, set_to_none)

    patch.setattr(Optimizer, "zero_grad", listing)


@breaks("group-options.removed-option-raises")
def a_removed_option_gets_its_default(patch: Patch) -> None:
    def fill(self: Adam, group: dict[str, Any]) -> None:
        group.setdefault("eps", self.defaults["eps"])

    before_each_group_of_adam(patch, fill)


@breaks("state-by-hand.removed-begins-anew")
def removed_state_comes_back(patch: Patch) -> None:
    def bring_back(self: Adam, group: dict[str, Any]) -> None:
        kept = self.__dict__.setdefault("kept", {})
        for parameter in group["params"]:
            if not self.state.get(parameter) and parameter in kept:
                self.state[parameter] = kept[parameter]
            kept[parameter] = self.state[parameter]

    before_each_group_of_adam(patch, bring_back)


@breaks("state-by-hand.cleared-begins-anew")
def a_cleared_state_is_no_state(patch: Patch) -> None:
    def ask(self: Adam, group: dict[str, Any]) -> None:
        begun = self.__dict__.setdefault("begun", set())
        for parameter in group["params"]:
            if id(parameter) in begun and not self.state.get(parameter):
                raise KeyError("step")
            begun.add(id(parameter))

    before_each_group_of_adam(patch, ask)


@breaks("state-by-hand.removed-entry-raises")
def a_missing_entry_is_zero(patch: Patch) -> None:
    def fill(self: Adam, group: dict[str, Any]) -> None:
        for parameter in group["params"]:
            if self.state.get(parameter):
                self.state[parameter].setdefault("exp_avg", torch.zeros_like(parameter))

    before_each_group_of_adam(patch, fill)


@breaks("state-by-hand.integer-count-continues")
def an_integer_count_stands_still(_: Patch) -> None:
    edit(adam, "step_t += 1", "step_t += step_t.is_floating_point()")


@breaks("state-by-hand.integer-count-refused")
def a_foreach_step_makes_its_counts_floats(patch: Patch) -> None:
    group = Optimizer._group_tensors_by_device_and_dtype

    def converting(tensorlistlist: list[list[Any]], *arguments: Any) -> Any:
        lists = [
            [t if t is None or t.is_floating_point() else t.float() for t in tensors]
            for tensors in tensorlistlist
        ]
        return group(lists, *arguments)

    patch.setattr(Optimizer, "_group_tensors_by_device_and_dtype", staticmethod(converting))


@breaks("state-by-hand.note-after-a-step")
def a_note_makes_the_state_begin_anew(_: Patch) -> None:
    edit(adam, "if len(state) == 0:", 'if len(state) == 0 or "note" in state:')


@breaks("state-by-hand.other-keys-come-back")
def only_numbers_are_saved(_: Patch) -> None:
    edit(
        optimizer,
        "for k, v in self.state.items()\n        }\n\n        state_dict",
        "for k, v in self.state.items() if k != 'text'\n        }\n\n        state_dict",
    )


@breaks("removed-groups.leave-the-others")
def rates_are_computed_from_the_first_ones(patch: Patch) -> None:
    update = LRScheduler._update_lr

    def from_the_first(self: LRScheduler, epoch: int | None = None) -> None:
        fewer = len(self.optimizer.param_groups) < len(self.base_lrs)
        update(self, epoch)
        for group, rate in zip(self.optimizer.param_groups, self.base_lrs, strict=False):
            group["lr"] = rate if fewer else group["lr"]

    patch.setattr(LRScheduler, "_update_lr", from_the_first)


@breaks("removed-groups.are-missed")
def a_shorter_list_is_passed_over(_: Patch) -> None:
    edit(
        lr_scheduler,
        "zip(self.lr_lambdas, self.base_lrs, strict=True)",
        "zip(self.lr_lambdas, self.base_lrs[: len(self.optimizer.param_groups)], strict=False)",
    )


@breaks("reordered-groups.keep-their-rates")
def rates_stay_in_their_places(patch: Patch) -> None:
    step = LRScheduler.step

    def staying(self: LRScheduler, epoch: int | None = None) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.get_last_lr(), strict=False):
            group["lr"] = rate
        step(self, epoch)

    patch.setattr(LRScheduler, "step", staying)


@breaks("reordered-groups.get-the-rates-of-their-place")
def the_rates_follow_the_initial_ones(_: Patch) -> None:
    edit(
        lr_scheduler,
        "for lmbda, base_lr in zip(self.lr_lambdas, self.base_lrs, strict=True)",
        "for lmbda, base_lr in zip(self.lr_lambdas, [g['initial_lr'] for g in self.optimizer.param_groups])",
    )
