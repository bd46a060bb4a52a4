"""Faults of saving and loading."""

from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import StepLR

from self_tests.sabotage.fault import Patch, breaks


@breaks("checkpoints.resume-bit-for-bit")
def loading_leaves_out_the_state(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def without_state(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, {**state_dict, "state": {}})

    patch.setattr(Optimizer, "load_state_dict", without_state)


@breaks("checkpoints.resume-bit-for-bit")
def loading_leaves_out_the_groups(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def without_groups(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, {**state_dict, "param_groups": self.state_dict()["param_groups"]})

    patch.setattr(Optimizer, "load_state_dict", without_groups)


@breaks("checkpoints.resume-bit-for-bit")
def loading_shares_the_moments_with_the_file(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def rounding(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, state_dict)
        for state in self.state.values():
            for key, value in state.items():
                if isinstance(value, torch.Tensor):
                    state[key] = value.to(torch.bfloat16).to(value.dtype)

    patch.setattr(Optimizer, "load_state_dict", rounding)


@breaks("checkpoints.rate-starts-over-without-the-scheduler")
def a_fresh_scheduler_believes_to_resume(patch: Patch) -> None:
    patch.setattr(StepLR.__init__, "__defaults__", (0.1, 0))


@breaks("checkpoints.a-loss-comes-back-requiring-grad")
def a_loaded_loss_is_detached(patch: Patch) -> None:
    load = torch.load

    def detaching(*args: Any, **options: Any) -> Any:
        loaded = load(*args, **options)
        loaded["loss"] = loaded["loss"].detach()
        return loaded

    patch.setattr(torch, "load", detaching)


@breaks("checkpoints.load-refuses-other-objects")
def load_unpickles_anything(patch: Patch) -> None:
    defaults = torch.load.__kwdefaults__ or {}
    patch.setattr(torch.load, "__kwdefaults__", {**defaults, "weights_only": False})
