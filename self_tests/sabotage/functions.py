"""Faults of the functions behind the classes."""

from torch.optim import (
    _adafactor,
    _muon,
    adagrad,
    adam,
    adamax,
    adamw,
    asgd,
    nadam,
    radam,
    rprop,
    sgd,
    sparse_adam,
)

from self_tests.sabotage.fault import Patch, breaks, give_default
from self_tests.support.loaded_code import edit


@breaks("functions.take-the-steps-of-their-rule")
def the_function_of_adamw_forgets_to_decouple(_: Patch) -> None:
    edit(adamw, "decoupled_weight_decay=True", "decoupled_weight_decay=False")


@breaks("functions.loop-by-default-on-the-cpu")
def the_function_of_sgd_takes_foreach_by_default(_: Patch) -> None:
    edit(
        sgd,
        "    if foreach and not torch.jit.is_scripting():",
        "    if foreach is not True and not torch.jit.is_scripting():",
    )


@breaks("functions.need-counts-as-tensors")
def the_function_of_radam_takes_any_counts(_: Patch) -> None:
    edit(
        radam,
        "    if not all(isinstance(t, torch.Tensor) for t in state_steps):",
        "    if not all(isinstance(t, object) for t in state_steps):",
    )


@breaks("functions.take-the-steps-of-their-rule")
def the_function_of_asgd_maximizes_by_default(_: Patch) -> None:
    edit(asgd, "        grad = grad if not maximize else -grad", "        grad = -grad")


@breaks("functions.take-the-steps-of-their-class")
def the_class_of_sparse_adam_doubles_its_eps(_: Patch) -> None:
    edit(sparse_adam, 'eps=group["eps"],', 'eps=1 + group["eps"],')


@breaks("functions.adafactor-refused-arguments")
def the_function_of_adafactor_takes_any_counts(_: Patch) -> None:
    edit(_adafactor, "isinstance(t, torch.Tensor) for t in", "isinstance(t, object) for t in")


@breaks("functions.muon-refused-arguments")
def the_function_of_muon_loops_when_asked_for_foreach(_: Patch) -> None:
    edit(_muon, "    if foreach is not None and foreach:", "    if foreach is None and foreach:")


@breaks("functions.take-the-steps-of-their-rule")
def the_function_of_sgd_says_that_gradients_are_sparse(_: Patch) -> None:
    edit(sgd, "    if has_sparse_grad:\n", "    if not has_sparse_grad:\n")


@breaks("functions.step-parts-of-complex-numbers")
def the_function_of_nadam_ignores_has_complex(_: Patch) -> None:
    edit(nadam, "        if has_complex:", "        if None:")


@breaks("functions.take-empty-lists")
def the_function_of_adamax_looks_into_empty_lists(_: Patch) -> None:
    edit(adamax, "    if len(params) == 0:", "    if params[0] is None:")


@breaks("functions.take-the-steps-of-their-rule")
def the_function_of_adagrad_does_not_maximize(_: Patch) -> None:
    edit(adagrad, "        grad = grad if not maximize else -grad", "        grad = +grad")


@breaks("functions.foreach-refuses-differentiable")
def the_function_of_adamw_forgets_differentiable(_: Patch) -> None:
    edit(
        adamw,
        "        differentiable=differentiable,\n        fused",
        "        differentiable=False,\n        fused",
    )


@breaks("functions.options-are-off-unless-given")
def rprop_takes_numbers_for_complex_ones(patch: Patch) -> None:
    give_default(patch, rprop.rprop, -1, True)


@breaks("functions.capturable-refused-on-the-cpu")
def the_function_of_adamw_forgets_to_be_capturable(_: Patch) -> None:
    edit(adamw, "        capturable=capturable,", "        capturable=False,")


@breaks("functions.fused-steps-call-the-kernel")
def the_function_of_adamw_forgets_to_fuse(_: Patch) -> None:
    edit(adamw, "        fused=fused,", "        fused=None,")


@breaks("functions.fused-steps-divide-by-scale")
def the_function_of_adamw_forgets_the_scale(_: Patch) -> None:
    edit(adamw, "        grad_scale=grad_scale,", "        grad_scale=None,")


@breaks("functions.fused-steps-skip-on-infinity")
def the_function_of_adamw_forgets_what_was_found(_: Patch) -> None:
    edit(adamw, "        found_inf=found_inf,", "        found_inf=None,")


@breaks("functions.nadam-needs-tensor-mu-products")
def the_function_of_nadam_looks_at_counts_alone(_: Patch) -> None:
    edit(
        nadam,
        "    if not all(isinstance(t, torch.Tensor) for t in mu_products):",
        "    if not all(isinstance(t, object) for t in mu_products):",
    )


@breaks("functions.adam-foreach-refuses-tensors")
def adam_takes_any_beta_by_lists(_: Patch) -> None:
    edit(
        adam,
        "    if isinstance(beta2, Tensor):\n        if not",
        "    if isinstance(beta2, Tensor):\n        if None is",
    )


@breaks("functions.adam-foreach-needs-one-element")
def adam_takes_rates_of_any_size_by_lists(_: Patch) -> None:
    edit(adam, "        if lr.numel() != 1:", "        if lr.numel() == 0:")
