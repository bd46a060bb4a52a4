"""Faults of placement and parity."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch.optim import nadam, rmsprop

from fixtures.devices.emulated import NAME
from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


def after_a_step(patch: Patch, cls: type, act: Callable[[Any], object]) -> None:
    """Let an optimizer do something more at the end of each step."""
    step: Any = cls.step  # type: ignore[attr-defined]

    def and_more(self: Any, closure: Any = None) -> Any:
        loss = step(self, closure)
        act(self)
        return loss

    patch.setattr(cls, "step", and_more)


@breaks("devices.same-steps-everywhere")
def nadam_looks_less_far_ahead(patch: Patch) -> None:
    edit(nadam, "0.96", "0.95")


@breaks("devices.state-lives-with-the-parameter", device=NAME)
def adam_leaves_its_moments_on_the_cpu(patch: Patch) -> None:
    def leave(optimizer: Any) -> None:
        for state in optimizer.state.values():
            state["exp_avg"] = state["exp_avg"].cpu()

    after_a_step(patch, torch.optim.Adam, leave)


@breaks("devices.state-on-the-device", device=NAME)
def rmsprop_keeps_the_counter_on_the_cpu(patch: Patch) -> None:
    edit(rmsprop, 'if group["capturable"]', 'if not group["capturable"]')


@breaks("devices.foreach-is-the-default", device=NAME)
def only_cuda_has_kernels_over_lists(patch: Patch) -> None:
    module = import_module("torch.optim.optimizer")  # torch.optim hides it
    patch.setattr(module, "_get_foreach_kernels_supported_devices", lambda: ["cuda"])


@breaks("reads.most-read-nothing", device=NAME)
def sgd_looks_whether_all_is_finite(patch: Patch) -> None:
    def look(optimizer: Any) -> None:
        for parameter in optimizer.param_groups[0]["params"]:
            bool(parameter.isfinite().all())

    after_a_step(patch, torch.optim.SGD, look)


@breaks("devices.checkpoint-continues-elsewhere", device=NAME)
def loading_leaves_the_state_where_it_was(patch: Patch) -> None:
    patch.setattr(
        torch.optim.Optimizer,
        "_process_value_according_to_param_policy",
        staticmethod(lambda param, value, *rest, **named: value),
    )


@breaks("reads.capturable-reads-no-rate", device=NAME)
def adam_looks_at_its_rate(patch: Patch) -> None:
    after_a_step(patch, torch.optim.Adam, lambda optimizer: float(optimizer.param_groups[0]["lr"]))
