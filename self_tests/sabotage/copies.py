"""Faults of hooks around saving and loading, of copies, and of swapping in."""

from torch.optim import _stateless, optimizer

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("state-dict-hooks.are-called-once-each")
def hooks_before_saving_are_forgotten(patch: Patch) -> None:
    edit(
        optimizer,
        "for pre_hook in self._optimizer_state_dict_pre_hooks.values():",
        "for pre_hook in ():",
    )


@breaks("state-dict-hooks.run-in-order")
def a_prepended_hook_runs_last(patch: Patch) -> None:
    edit(
        optimizer,
        "self._optimizer_load_state_dict_pre_hooks.move_to_end(handle.id, last=False)",
        "self._optimizer_load_state_dict_pre_hooks.move_to_end(handle.id, last=True)",
    )


@breaks("state-dict-hooks.before-loading-may-replace")
def hooks_before_loading_are_given_the_dict_itself(patch: Patch) -> None:
    edit(optimizer, "state_dict = state_dict.copy()", "state_dict = state_dict")


@breaks("state-dict-hooks.after-saving-may-replace")
def what_a_hook_after_saving_returns_is_ignored(patch: Patch) -> None:
    edit(
        optimizer,
        "hook_result = post_hook(self, state_dict)",
        "hook_result = post_hook(self, state_dict) and None",
    )


@breaks("copies.continue-with-their-parameters")
def pickling_leaves_out_the_state(patch: Patch) -> None:
    edit(optimizer, '"state": self.state,\n', '"state": type(self.state)(dict),\n')


@breaks("copies.accept-hooks")
def a_copy_has_no_room_for_hooks(patch: Patch) -> None:
    edit(
        optimizer,
        'if "_optimizer_state_dict_pre_hooks" not in self.__dict__:',
        'if "_optimizer_state_dict_pre_hooks" not in type(self).__annotations__ and False:',
    )


@breaks("copies.take-more-groups")
def a_copy_takes_its_defaults_from_the_first_group(patch: Patch) -> None:
    edit(optimizer, '"defaults": self.defaults,', '"defaults": dict(self.param_groups[0]),')


@breaks("swapping-in.steps-given-parameters")
def swapping_in_leaves_the_parameters(patch: Patch) -> None:
    edit(
        _stateless,
        'info.live_group["params"] = info.swapin_params',
        'info.live_group["params"] = info.live_group["params"]',
    )


@breaks("swapping-in.restores-everything")
def swapping_in_keeps_the_state(patch: Patch) -> None:
    edit(_stateless, "        optimizer.state = original_state", "        pass")


@breaks("swapping-in.changes-only-tensors")
def swapping_in_lends_the_dicts_themselves(patch: Patch) -> None:
    edit(_stateless, "dict(state.get(param_id, {}))", "state.get(param_id, {})")


@breaks("copies.forget-hooks")
def a_copy_keeps_the_hooks(patch: Patch) -> None:
    edit(
        optimizer,
        '"defaults": self.defaults,\n',
        '"defaults": self.defaults, **{k: v for k, v in vars(self).items() if "hooks" in k},\n',
    )


@breaks("copies.step-without-later-options")
def differentiable_is_on_where_it_is_missing(patch: Patch) -> None:
    edit(
        optimizer,
        'self.defaults.setdefault("differentiable", False)',
        'self.defaults.setdefault("differentiable", True)',
    )


@breaks("state-dict-hooks.survive-loading")
def loading_forgets_the_hooks_around_steps(patch: Patch) -> None:
    edit(
        optimizer,
        'if "_optimizer_step_post_hooks" not in self.__dict__:',
        'if "_optimizer_step_post_hooks" in self.__dict__:',
    )


@breaks("swapping-in.refuses-what-does-not-fit")
def swapping_in_takes_other_options(patch: Patch) -> None:
    edit(_stateless, "if swapin_only or live_only:", "if swapin_only and live_only:")


@breaks("swapping-in.refused-changes-nothing")
def swapping_in_drops_the_state_before_it_looks(patch: Patch) -> None:
    edit(_stateless, "if not optimizer.state:", "if optimizer.state and optimizer.state.clear():")
