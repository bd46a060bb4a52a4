"""Slips in a line of torch.optim, such as a change made in passing might bring."""

from torch.optim import (
    _adafactor,
    _functional,
    adagrad,
    adam,
    adamax,
    asgd,
    lbfgs,
    lr_scheduler,
    optimizer,
    rmsprop,
    sgd,
    swa_utils,
)  # fmt: skip

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("layouts.of-complex-parameters")
def parts_of_transposed_numbers_are_copies(_: Patch) -> None:
    edit(optimizer, "torch.view_as_real(s[i])", "torch.view_as_real(s[i].contiguous())")


@breaks("layouts.state-has-parameter-strides")
def moments_are_always_contiguous(_: Patch) -> None:
    edit(adam, "memory_format=torch.preserve_format", "memory_format=torch.contiguous_format")


@breaks("neighbours.change-no-step")
def the_last_parameter_says_whether_there_are_complex_ones(_: Patch) -> None:
    edit(adam, "has_complex |= torch.is_complex(p)", "has_complex = torch.is_complex(p)")


@breaks("neighbours.of-sparse-gradients")
def a_gradient_without_rows_ends_the_step(_: Patch) -> None:
    edit(
        _functional,
        "# Skip update for empty grad\n            continue",
        "# Skip update for empty grad\n            break",
    )


@breaks("neighbours.change-no-step")
def first_momenta_are_filed_under_other_parameters(_: Patch) -> None:
    edit(sgd, "                            indices[i]\n", "                            i\n")


@breaks("extremes.nan-stays-in-the-state")
def adamax_forgets_nan(_: Patch) -> None:
    edit(adamax, "            torch.maximum(", "            torch.fmax(")


@breaks("extremes.large-values-in-half-precision")
def adafactor_squares_in_the_dtype_of_the_parameter(_: Patch) -> None:
    edit(
        _adafactor,
        "param.norm(2).item() / (param.numel() ** 0.5)",
        "param.square().mean().sqrt().item()",
    )


@breaks("edges.take-the-documented-steps")
def adagrad_refuses_a_decay_of_its_rate_above_one(_: Patch) -> None:
    edit(adagrad, "if not 0.0 <= lr_decay:", "if not 0.0 <= lr_decay < 1.0:")


@breaks("edges.take-the-documented-steps")
def asgd_keeps_its_rate_without_a_decay(_: Patch) -> None:
    edit(asgd, "eta.copy_(new_eta)", "eta.copy_(new_eta) if lambd else None")


@breaks("adafactor.eps-of-zero-bounds-nothing")
def an_eps_of_zero_is_none(_: Patch) -> None:
    edit(_adafactor, "if eps1 is None:", "if not eps1:")


@breaks("tensor-lr.is-kept-as-given")
def rmsprop_reads_its_rate_once(_: Patch) -> None:
    edit(rmsprop, '"lr": lr,', '"lr": float(lr),')


@breaks("empty-parameters.have-state")
def adamax_passes_over_empty_parameters(_: Patch) -> None:
    edit(adamax, "if p.grad is None:", "if p.grad is None or not p.numel():")


@breaks("lbfgs.keeps-no-graph")
def the_loss_of_a_search_keeps_its_graph(_: Patch) -> None:
    edit(lbfgs, "loss = float(closure())", "loss = closure()")


@breaks("lbfgs.step-ends-at-limits")
def the_length_of_the_gradient_has_to_be_small(_: Patch) -> None:
    edit(
        lbfgs,
        "opt_cond = flat_grad.abs().max() <= tolerance_grad",
        "opt_cond = flat_grad.norm() <= tolerance_grad",
    )


@breaks("lbfgs.failed-line-search-moves-nothing")
def a_search_goes_back_by_subtraction(_: Patch) -> None:
    edit(lbfgs, "self._set_param(x)", "self._add_grad(-t, d)")


@breaks("loading.copies-the-groups")
def groups_are_copied_without_their_tensors(_: Patch) -> None:
    edit(
        optimizer,
        'saved_groups = deepcopy(state_dict["param_groups"])',
        'saved_groups = [dict(group) for group in state_dict["param_groups"]]',
    )


@breaks("state-dict.duplicates-share-one-number")
def numbers_of_two_groups_meet(_: Patch) -> None:
    edit(optimizer, 'start_index += len(packed["params"])', "start_index = len(param_mappings)")


@breaks("freezing.late-gradient-is-cleared")
def zero_grad_passes_over_what_is_frozen(_: Patch) -> None:
    edit(optimizer, "if p.grad is not None:", "if p.requires_grad and p.grad is not None:")


@breaks("rates.last-rates-are-of-own-steps")
def get_last_lr_reads_the_groups(_: Patch) -> None:
    edit(
        lr_scheduler,
        "return self._last_lr",
        'return [g["lr"] for g in self.optimizer.param_groups]',
    )


@breaks("schedules.plateau-copies-tensor-metrics")
def a_plateau_keeps_the_tensor(_: Patch) -> None:
    edit(lr_scheduler, "current = float(metrics)", "current = metrics")


@breaks("update-bn.changes-nothing-but-statistics")
def update_bn_resets_the_parameters_too(_: Patch) -> None:
    edit(swa_utils, "module.reset_running_stats()", "module.reset_parameters()")


@breaks("averaged-model.calls-module-hooks")
def an_average_calls_forward(_: Patch) -> None:
    edit(swa_utils, "return self.module(*args", "return self.module.forward(*args")


@breaks("swalr.replaces-the-targets-of-another")
def the_first_target_stays(_: Patch) -> None:
    edit(swa_utils, 'group["swa_lr"] = swa_lr', 'group.setdefault("swa_lr", swa_lr)')


@breaks("averaging-functions.no-float16-overflow")
def averages_are_sums_that_are_divided(_: Patch) -> None:
    edit(
        swa_utils,
        "averaged_param + (current_param - averaged_param) / (num_averaged + 1)",
        "(averaged_param * num_averaged + current_param) / (num_averaged + 1)",
    )
