"""Faults of gradients that are clipped, and of scalers that are given what makes no sense."""

import torch
from torch.amp import grad_scaler
from torch.nn.utils import clip_grad

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("clipping.leaves-gradients-below-max-norm")
def short_gradients_are_made_longer(_: Patch) -> None:
    edit(clip_grad, "torch.clamp(clip_coef, max=1.0)", "clip_coef")


@breaks("clipping.passes-over-missing-gradients")
def the_norm_of_nothing_is_not_a_number(_: Patch) -> None:
    edit(clip_grad, "torch.tensor(0.0)", "torch.tensor(float('nan'))")


@breaks("clipping.accepts-iterables-and-tensors")
def the_first_parameter_is_passed_over(_: Patch) -> None:
    edit(clip_grad, "for p in parameters if", "for p in list(parameters)[1:] if")


@breaks("clipping.counts-dtypes-together")
def the_norm_is_that_of_the_last_dtype(_: Patch) -> None:
    edit(clip_grad, "norms.extend(", "norms = list(")


@breaks("clipping.complex-norm-uses-magnitudes")
def imaginary_parts_have_no_size(_: Patch) -> None:
    edit(
        clip_grad,
        "torch._foreach_norm(device_tensors, norm_type)",
        "torch._foreach_norm([torch.real(t) for t in device_tensors], norm_type)",
    )


@breaks("clipping.by-value-refuses-complex")
def parts_of_complex_numbers_are_clamped(_: Patch) -> None:
    edit(
        clip_grad,
        "torch._foreach_clamp_min_(cast(list[Tensor], grads), -clip_value)",
        "grads = [torch.view_as_real(g) if g.is_complex() else g for g in grads]",
    )


@breaks("clipping.spreads-non-finite-entries")
def what_is_not_finite_clears_everything(_: Patch) -> None:
    edit(
        clip_grad,
        "clip_coef = max_norm / (total_norm + 1e-6)",
        "clip_coef = torch.nan_to_num(max_norm / (total_norm + 1e-6))",
    )


@breaks("clipping.sparse-was-refused")
def sparse_gradients_have_a_norm(_: Patch) -> None:
    edit(
        clip_grad,
        "norm_type = float(norm_type)\n    if len(tensors)",
        "norm_type = float(norm_type); tensors = [t.to_dense() for t in tensors]\n    if len(tensors)",
    )


@breaks("clipping.in-two-halves")
def the_norm_of_clip_grad_norm_is_always_euclidean(_: Patch) -> None:
    edit(clip_grad, "_get_total_norm(grads, norm_type,", "_get_total_norm(grads, 2.0,")


@breaks("scaler-calls.factors-out-of-range")
def a_scale_may_grow_by_one(_: Patch) -> None:
    edit(grad_scaler, "if growth_factor <= 1.0:", "if growth_factor < 1.0:")


@breaks("scaler-calls.refuses-empty-state-dict")
def an_empty_state_is_passed_over(patch: Patch) -> None:
    load = torch.amp.GradScaler.load_state_dict

    def leniently(self: torch.amp.GradScaler, state: dict[str, object]) -> None:
        if state:
            load(self, state)

    patch.setattr(torch.amp.GradScaler, "load_state_dict", leniently)
