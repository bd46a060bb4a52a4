"""Faults of scaling, skipping and clipping."""

from typing import Any

import torch
from torch.nn.utils import clip_grad
from torch.optim import adagrad, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("scaler.divides-the-gradients")
def half_of_the_scale_is_divided_away(patch: Patch) -> None:
    reciprocal = torch.Tensor.reciprocal
    patch.setattr(torch.Tensor, "reciprocal", lambda self: 2 * reciprocal(self))


@breaks("scaler.matches-unscaled-training")
def steps_take_scaled_gradients(patch: Patch) -> None:
    patch.setattr(torch.amp.GradScaler, "_unscale_grads_", finds_nothing)


def finds_nothing(
    self: torch.amp.GradScaler, optimizer: torch.optim.Optimizer, *_: object
) -> dict[torch.device, torch.Tensor]:
    device = optimizer.param_groups[0]["params"][0].device
    return {device: torch.zeros(1, device=device)}


@breaks("scaler.skips-non-finite-steps")
def infinities_are_stepped(patch: Patch) -> None:
    def stepping(
        self: torch.amp.GradScaler, optimizer: torch.optim.Optimizer, *_: object
    ) -> object:
        return optimizer.step()

    patch.setattr(torch.amp.GradScaler, "_maybe_opt_step", stepping)


@breaks("scaler.skips-leave-no-trace")
def skipped_steps_decay_the_parameters(patch: Patch) -> None:
    maybe: Any = torch.amp.GradScaler._maybe_opt_step

    def decaying(
        self: torch.amp.GradScaler, optimizer: torch.optim.Optimizer, *arguments: object
    ) -> object:
        with torch.no_grad():
            optimizer.param_groups[0]["params"][0].mul_(0.5)
        return maybe(self, optimizer, *arguments)

    patch.setattr(torch.amp.GradScaler, "_maybe_opt_step", decaying)


@breaks("scaler.matches-unscaled-training")
def fused_kernels_know_no_scale(patch: Patch) -> None:
    edit(sgd, "grad_scale=device_grad_scale", "grad_scale=None")


@breaks("scaler.grows-and-backs-off")
def the_scale_never_grows(patch: Patch) -> None:
    update = torch._amp_update_scale_

    def shrinking(scale: Any, tracker: Any, found: Any, _: Any, backoff: Any, interval: Any) -> Any:
        return update(scale, tracker, found, 1.0, backoff, interval)

    patch.setattr(torch, "_amp_update_scale_", shrinking)


@breaks("scaler-calls.once-until-the-update")
def states_of_optimizers_are_forgotten(patch: Patch) -> None:
    unscale, step = torch.amp.GradScaler.unscale_, torch.amp.GradScaler.step

    def unscaling(self: torch.amp.GradScaler, optimizer: torch.optim.Optimizer) -> None:
        self._per_optimizer_states.clear()
        unscale(self, optimizer)

    def stepping(self: torch.amp.GradScaler, *arguments: Any) -> Any:
        self._per_optimizer_states.clear()
        return step(self, *arguments)

    patch.setattr(torch.amp.GradScaler, "unscale_", unscaling)
    patch.setattr(torch.amp.GradScaler, "step", stepping)


@breaks("scaler-calls.resumes-from-saved-state")
def the_count_is_not_loaded(patch: Patch) -> None:
    load = torch.amp.GradScaler.load_state_dict

    def forgetting(self: torch.amp.GradScaler, state_dict: dict[str, object]) -> None:
        load(self, {**state_dict, "_growth_tracker": 0})

    patch.setattr(torch.amp.GradScaler, "load_state_dict", forgetting)


@breaks("clipping.scales-by-the-common-norm")
def the_norm_has_no_small_number_beside_it(patch: Patch) -> None:
    clamp = torch.clamp
    patch.setattr(torch, "clamp", lambda tensor, **bounds: clamp(tensor * (1 + 1e-6), **bounds))


@breaks("clipping.clamps-each-entry")
def entries_are_clamped_from_above_alone(patch: Patch) -> None:
    patch.setattr(torch, "_foreach_clamp_min_", lambda *_: None)


@breaks("clipping.refuses-non-finite-norm")
def norms_are_not_looked_at(patch: Patch) -> None:
    patch.setattr(torch, "logical_or", lambda a, _: torch.zeros_like(a, dtype=torch.bool))


@breaks("clipping.happens-in-place")
def clipped_gradients_are_copies(patch: Patch) -> None:
    scale = clip_grad._clip_grads_with_norm_

    def copying(parameters: list[torch.Tensor], *arguments: Any) -> None:
        for parameter in parameters:
            parameter.grad = None if parameter.grad is None else parameter.grad.clone()
        scale(parameters, *arguments)

    patch.setattr(clip_grad, "_clip_grads_with_norm_", copying)


@breaks("scaler.fused-adagrad-skips-within-step")
def adagrad_leaves_scales_to_the_scaler(_: Patch) -> None:
    edit(
        adagrad, "self._step_supports_amp_scaling = True", "self._step_supports_amp_scaling = False"
    )
