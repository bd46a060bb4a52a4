"""Faults around a step: hooks, profiles, grad mode, options that are written between steps."""

from collections.abc import Callable

import torch
from torch.optim import Optimizer, adam, optimizer

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("step-hooks.are-called-around-the-step")
def own_hooks_after_the_step_are_forgotten(patch: Patch) -> None:
    edit(optimizer, "self._optimizer_step_post_hooks.values(),", "(),")


@breaks("step-hooks.call-order")
def common_hooks_run_as_registered_last(patch: Patch) -> None:
    edit(
        optimizer,
        "_global_optimizer_pre_hooks.values(),",
        "reversed(_global_optimizer_pre_hooks.values()),",
    )


@breaks("step-hooks.change-the-arguments")
def replaced_arguments_are_ignored(patch: Patch) -> None:
    edit(
        optimizer,
        "args, kwargs = result  # type: ignore[assignment]",
        "_, _ = result  # type: ignore[assignment]",
    )


@breaks("step-hooks.return-arguments-or-nothing")
def false_is_taken_for_nothing(patch: Patch) -> None:
    edit(optimizer, "if result is not None:", "if result:")


@breaks("step-hooks.can-be-removed")
def removing_a_hook_removes_all(patch: Patch) -> None:
    register: Callable[..., object] = Optimizer.register_step_pre_hook

    def forgetful(self: Optimizer, hook: Callable[..., object]) -> object:
        handle = register(self, hook)
        patch.setattr(handle, "remove", self._optimizer_step_pre_hooks.clear)
        return handle

    patch.setattr(Optimizer, "register_step_pre_hook", forgetful)


@breaks("step-hooks.own-hooks-run-for-one")
def hooks_are_shared_by_all(patch: Patch) -> None:
    edit(
        optimizer,
        "handle = hooks.RemovableHandle(self._optimizer_step_pre_hooks)",
        "self = Optimizer; self._optimizer_step_pre_hooks = _global_optimizer_pre_hooks; "
        "handle = hooks.RemovableHandle(self._optimizer_step_pre_hooks)",
    )


@breaks("step-hooks.errors-reach-the-caller")
def errors_in_hooks_are_swallowed(patch: Patch) -> None:
    class Swallowing(torch.autograd.profiler.record_function):
        def __exit__(self, *arguments: object) -> bool:
            super().__exit__(*arguments)
            return True

    patch.setattr(torch.autograd.profiler, "record_function", Swallowing)


@breaks("profiling.names-steps-and-clearing")
def steps_go_by_the_name_of_the_base_class(patch: Patch) -> None:
    edit(
        optimizer,
        'f"Optimizer.step#{self.__class__.__name__}.step"',
        'f"Optimizer.step#{Optimizer.__name__}.step"',
    )


@breaks("profiling.shows-parameters-and-state")
def profilers_find_no_place_to_look(patch: Patch) -> None:
    edit(optimizer, "                self._optimizer_step_code()", "                pass")


@breaks("step.leaves-grad-mode-as-it-was")
def grad_mode_is_on_after_a_step(patch: Patch) -> None:
    edit(optimizer, "torch.set_grad_enabled(prev_grad)", "torch.set_grad_enabled(True)")


@breaks("closures.errors-reach-the-caller")
def steps_are_counted_before_the_closure(patch: Patch) -> None:
    step: Callable[..., object] = torch.optim.Adam.step

    def counting(self: torch.optim.Adam, closure: object = None) -> object:
        for state in self.state.values():
            state["step"] += 1
        return step(self, closure)

    patch.setattr(torch.optim.Adam, "step", counting)


@breaks("inference-mode.steps-are-the-same")
def inference_mode_takes_no_step(patch: Patch) -> None:
    edit(
        adam,
        "        self._accelerator_graph_capture_health_check()",
        "        if torch.is_inference_mode_enabled(): return",
    )


@breaks("group-options.apply-to-next-step")
def betas_are_those_of_the_constructor(patch: Patch) -> None:
    edit(adam, 'group["betas"]', 'self.defaults["betas"]')


@breaks("group-options.defaults-for-later-groups")
def defaults_are_heeded_by_groups_that_are_there(patch: Patch) -> None:
    add = Optimizer.add_param_group

    def overwriting(self: Optimizer, group: dict[str, object]) -> None:
        for there in self.param_groups:
            there.update(self.defaults)
        add(self, group)

    patch.setattr(Optimizer, "add_param_group", overwriting)
