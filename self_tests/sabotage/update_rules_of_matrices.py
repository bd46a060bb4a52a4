"""Faults of the update rules that see more than one element at a time: LBFGS, Adafactor, Muon, SparseAdam."""

from torch.optim import _adafactor, _functional, _muon, lbfgs

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("lbfgs.line-search-brackets")
def a_line_search_goes_five_times_as_far(_: Patch) -> None:
    edit(lbfgs, "max_step = t * 10", "max_step = t * 5")


@breaks("lbfgs.line-search-zooms")
def a_line_search_never_leaves_the_end_of_its_bracket(_: Patch) -> None:
    edit(lbfgs, "                insuf_progress = True", "                insuf_progress = False")


@breaks("lbfgs.line-search-ends-at-max-eval")
def a_line_search_ends_where_it_is(_: Patch) -> None:
    edit(lbfgs, "        bracket_f = [f, f_new]", "        bracket_f = [f_new + 1, f_new]")


@breaks("lbfgs.line-search-ends-at-a-lower-loss")
def a_line_search_takes_the_higher_end(_: Patch) -> None:
    edit(lbfgs, "if bracket_f[0] <= bracket_f[-1] else", "if bracket_f[0] >= bracket_f[-1] else")


@breaks("lbfgs.step-ends-at-limits")
def the_smallest_entry_of_the_gradient_ends_a_step(_: Patch) -> None:
    edit(
        lbfgs, "flat_grad.abs().max() <= tolerance_grad", "flat_grad.abs().min() <= tolerance_grad"
    )


@breaks("lbfgs.sees-one-vector")
def lbfgs_sees_half_of_a_sparse_gradient(_: Patch) -> None:
    edit(lbfgs, "p.grad.to_dense().view(-1)", "(p.grad.to_dense() / 2).view(-1)")


@breaks("lbfgs.continues-with-nan")
def nan_ends_a_step(_: Patch) -> None:
    edit(lbfgs, "if abs(loss - prev_loss) < tolerance_change:", "if not abs(loss) < 1e30:")


@breaks("adafactor.factors-last-two-dimensions")
def adafactor_mixes_the_matrices_of_a_stack(_: Patch) -> None:
    edit(_adafactor, "row_var.mean(dim=-2, keepdim=True)", "row_var.mean(dim=0, keepdim=True)")


@breaks("adafactor.accepts-a-tensor-as-rate")
def adafactor_reads_a_tensor_for_its_reciprocal(_: Patch) -> None:
    edit(_adafactor, "    lr = _to_scalar(lr)", "    lr = 1 / lr if hasattr(lr, 'dtype') else lr")


@breaks("muon.orthogonalizing-keeps-the-buffer")
def muon_keeps_another_buffer_in_float16(_: Patch) -> None:
    edit(
        _muon,
        "        buf.lerp_(grad, 1 - momentum)",
        "        buf.lerp_(grad, 1 - momentum).mul_(1 + (buf.element_size() == 2))",
    )


@breaks("muon.steps-in-coarse-dtypes")
def muon_steps_twice_as_far_in_float32(_: Patch) -> None:
    edit(
        _muon,
        "        param.add_(update, alpha=-adjusted_lr)",
        "        param.add_(update, alpha=-adjusted_lr * (1 + (param.element_size() == 4)))",
    )


@breaks("muon.iteration-options-out-of-range")
def muon_iterates_for_ever(_: Patch) -> None:
    edit(_muon, "    if ns_steps >= 100:", "    if ns_steps >= 1000:")


@breaks("sparse-adam.any-number-of-dimensions")
def sparse_adam_passes_over_values_of_more_dimensions(_: Patch) -> None:
    edit(_functional, "        if grad_values.numel() == 0:", "        if grad_values.dim() > 2:")
