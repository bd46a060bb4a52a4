"""Faults that show on some kinds of parameter only: by layout, size and values."""

from typing import Any

import torch
from torch.optim import _functional, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit

_STEP = """\
        else:
            param.add_(grad, alpha=-lr)


def _multi"""


def _instead_of_the_step(statement: str) -> None:
    edit(sgd, _STEP, _STEP.replace("param.add_(grad, alpha=-lr)", statement))


@breaks("layouts.change-no-step")
def gradients_are_read_in_the_order_of_memory(_: Patch) -> None:
    _instead_of_the_step(
        "param.add_(torch.as_strided(grad, param.size(), param.stride()), alpha=-lr)"
    )


@breaks("layouts.with-sparse-gradients")
def looked_up_rows_are_those_of_a_copy(_: Patch) -> None:
    edit(
        _functional, "        param.add_(make_sparse", "        param.contiguous().add_(make_sparse"
    )


@breaks("layouts.nothing-beside-the-view-moves")
def the_whole_storage_is_stepped(_: Patch) -> None:
    _instead_of_the_step("(param if param._base is None else param._base).sub_(lr * grad.max())")


@breaks("sizes.large-parameters")
def what_is_left_over_from_the_vectors_stays(_: Patch) -> None:
    _instead_of_the_step(
        "param.flatten()[: param.numel() // 16 * 16 or None].add_("
        "grad.flatten()[: param.numel() // 16 * 16 or None], alpha=-lr)"
    )


@breaks("sizes.large-parameters")
def a_fused_kernel_forgets_the_last_elements(patch: Patch) -> None:
    kernel = torch._fused_sgd_

    def shortened(parameters: list[torch.Tensor], *others: Any, **options: Any) -> None:
        before = [parameter.flatten()[-1].clone() for parameter in parameters]
        kernel(parameters, *others, **options)
        for parameter, last in zip(parameters, before, strict=True):
            if parameter.numel() > 64:
                parameter.view(-1)[-1] = last

    patch.setattr(torch, "_fused_sgd_", shortened)


@breaks("sizes.scalar-parameters")
def scalars_are_passed_over(_: Patch) -> None:
    _instead_of_the_step("param.add_(grad, alpha=-lr if param.dim() else 0.0)")


@breaks("extremes.stay-in-their-element")
def a_gradient_that_is_not_finite_stops_the_step(_: Patch) -> None:
    _instead_of_the_step("param.add_(grad, alpha=-lr if grad.isfinite().all() else 0.0)")


@breaks("extremes.nan-is-not-forgotten")
def nan_counts_as_zero(_: Patch) -> None:
    _instead_of_the_step("param.add_(grad.nan_to_num(), alpha=-lr)")
