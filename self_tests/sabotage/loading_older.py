"""Faults of what loading makes of state and groups that older releases saved."""

from torch.optim import adagrad, adam, adamw, nadam, rmsprop, rprop, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("loading.python-counters-become-tensors")
def the_product_of_nadam_takes_the_default_dtype(_: Patch) -> None:
    edit(
        nadam,
        "torch.tensor(mu_prod_val, dtype=_get_scalar_dtype())",
        "torch.tensor(mu_prod_val)",
    )


@breaks("loading.later-counters-become-tensors")
def the_counter_of_rprop_stays_a_number(_: Patch) -> None:
    edit(
        rprop,
        "else torch.tensor(step_val, dtype=_get_scalar_dtype())",
        "else step_val",
    )


@breaks("loading.fused-casts-python-counters")
def the_counter_of_fused_adam_takes_the_default_dtype(_: Patch) -> None:
    edit(adam, "dtype=_get_scalar_dtype(is_fused=fused)", "dtype=_get_scalar_dtype()")


@breaks("loading.missing-options-get-defaults")
def rmsprop_is_centered_by_a_checkpoint_that_does_not_say(_: Patch) -> None:
    edit(rmsprop, 'group.setdefault("centered", False)', 'group.setdefault("centered", True)')


@breaks("loading.missing-options-get-defaults")
def adagrad_forgets_whether_it_is_fused(_: Patch) -> None:
    edit(adagrad, 'group.setdefault("fused", None)', 'group.get("fused", None)')


@breaks("loading.missing-decoupling-follows-class")
def adamw_decays_as_adam_after_loading(_: Patch) -> None:
    edit(adamw, 'group["decoupled_weight_decay"] = True', "pass")


@breaks("loading.missing-fused-of-sgd-is-false")
def sgd_fuses_what_it_loads(_: Patch) -> None:
    edit(sgd, 'group.setdefault("fused", False)', 'group.setdefault("fused", True)')
