"""Faults by which a contradiction is taken without a word."""

from torch.optim import (
    _adafactor,
    _muon,
    adagrad,
    adam,
    adamax,
    lbfgs,
    nadam,
    optimizer,
    sgd,
    sparse_adam,
)

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("refused.fused-with-foreach")
def sgd_is_fused_and_foreach_at_once(_: Patch) -> None:
    edit(
        sgd,
        "            if foreach:\n                raise",
        "            if False:\n                raise",
    )


@breaks("refused.fused-with-differentiable")
def a_fused_sgd_calls_itself_differentiable(_: Patch) -> None:
    edit(sgd, "            if differentiable:", "            if differentiable is None:")


@breaks("refused.foreach-with-differentiable")
def foreach_goes_on_where_a_graph_is_wanted(_: Patch) -> None:
    edit(adamax, "    if differentiable:\n        raise", "    if None:\n        raise")


@breaks("refused.capturable-on-the-cpu")
def capturable_is_taken_on_any_device(_: Patch) -> None:
    edit(
        optimizer,
        '    capturable_supported_devices = ["cuda", "xpu", "hpu"]',
        '    capturable_supported_devices = ["cuda", "xpu", "hpu", "cpu"]',
    )


@breaks("refused.rate-of-several-elements")
def a_rate_may_have_two_elements(_: Patch) -> None:
    edit(nadam, "lr.numel() != 1", "lr.numel() > 2")


@breaks("refused.tensor-rate-with-foreach")
def a_tensor_rate_passes_the_constructor(_: Patch) -> None:
    edit(
        adam,
        "            if foreach and not capturable:\n                raise ValueError",
        "            if None:\n                raise ValueError",
    )


@breaks("refused.one-tensor-beta")
def betas_may_be_mixed(_: Patch) -> None:
    edit(
        adam,
        "(isinstance(betas[0], float) and isinstance(betas[1], float))",
        "(isinstance(betas[0], float) or isinstance(betas[1], float))",
    )


@breaks("refused.nan")
def nan_passes_for_a_rate(_: Patch) -> None:
    edit(adamax, "        if not 0.0 <= lr:", "        if lr < 0.0:")


@breaks("refused.sparse-gradients")
def nadam_takes_sparse_gradients(_: Patch) -> None:
    edit(nadam, "if p.grad.is_sparse:", "if False:")


@breaks("refused.complex-parameters")
def muon_takes_complex_parameters(_: Patch) -> None:
    edit(_muon, "            if torch.is_complex(p):", "            if torch.is_complex(p.real):")


@breaks("refused.complex-params-of-sparse-adam")
def sparse_adam_takes_complex_parameters(_: Patch) -> None:
    edit(sparse_adam, "        if complex_params:", "        if None:")


@breaks("refused.unknown-line-search")
def any_line_search_is_the_known_one(_: Patch) -> None:
    edit(lbfgs, 'if line_search_fn != "strong_wolfe":', "if False:")


@breaks("refused.changes-nothing")
def adafactor_refuses_after_counting(_: Patch) -> None:
    edit(
        _adafactor,
        "            if p.grad.is_sparse:",
        "            if (self.state[p] and self.state[p]['step'].add_(1)) and p.grad.is_sparse:",
    )


@breaks("refused.capturable-names-the-devices")
def errors_name_cuda_alone(patch: Patch) -> None:
    edit(optimizer, '["cuda", "xpu", "hpu"]', '["cuda"]')


@breaks("refused.late-capturable-on-the-cpu")
def nadam_counts_before_it_looks(_: Patch) -> None:
    edit(
        nadam,
        "            capturable_supported_devices = _get_capturable_supported_devices()\n",
        "            step_t += 1; capturable_supported_devices = ()\n",
    )


@breaks("refused.late-tensors-with-foreach")
def foreach_takes_a_tensor_for_one_beta(_: Patch) -> None:
    edit(
        adam,
        "    if isinstance(beta1, Tensor):\n        if not capturable:",
        "    if isinstance(beta1, Tensor):\n        if None:",
    )


@breaks("refused.late-differentiable-with-foreach")
def adamax_counts_before_it_refuses(_: Patch) -> None:
    edit(
        adamax,
        "    if differentiable:\n        raise",
        "    if differentiable:\n        state_steps[0].add_(1); raise",
    )


@breaks("refused.late-differentiable-with-fused")
def fused_adam_takes_differentiable(_: Patch) -> None:
    edit(
        adam,
        "    if differentiable:\n        raise RuntimeError",
        "    if None:\n        raise RuntimeError",
    )


@breaks("refused.fused-on-another-device")
def fused_sgd_looks_at_no_device(_: Patch) -> None:
    edit(sgd, "                    _device_dtype_check_for_fused(p)", "                    pass")


@breaks("refused.fused-complex-in-a-group")
def a_fused_group_is_not_looked_at(_: Patch) -> None:
    edit(
        sgd,
        'self, "_need_device_dtype_check_for_fused", True',
        'self, "_need_device_dtype_check_for_fused", False',
    )


@breaks("refused.fused-complex-added-later")
def adam_looks_at_the_first_group_alone(_: Patch) -> None:
    edit(
        adam,
        "_device_dtype_check_for_fused(p)",
        "None if self.state else _device_dtype_check_for_fused(p)",
    )


@breaks("refused.fused-complex-added-to-adagrad")
def adagrad_looks_once(_: Patch) -> None:
    edit(
        adagrad,
        "                        _device_dtype_check_for_fused(p)\n",
        "                        pass\n",
    )


@breaks("refused.step-count-that-requires-grad")
def adam_takes_counts_that_require_grad(_: Patch) -> None:
    edit(adam, 'state["step"].requires_grad:', 'state["step"].is_sparse:')
