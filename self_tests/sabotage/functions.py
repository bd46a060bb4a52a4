"""Faults of the functions behind the classes."""

from torch.optim import adamw, asgd, radam, sgd

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("functions.take-the-steps-of-their-rule")
def the_function_of_adamw_forgets_to_decouple(_: Patch) -> None:
    edit(adamw, "decoupled_weight_decay=True", "decoupled_weight_decay=False")


@breaks("functions.loop-unless-asked")
def the_function_of_sgd_takes_foreach_by_default(_: Patch) -> None:
    edit(
        sgd,
        "    if foreach and not torch.jit.is_scripting():",
        "    if foreach is not True and not torch.jit.is_scripting():",
    )


@breaks("functions.want-counts-as-tensors")
def the_function_of_radam_takes_any_counts(_: Patch) -> None:
    edit(
        radam,
        "    if not all(isinstance(t, torch.Tensor) for t in state_steps):",
        "    if not all(isinstance(t, object) for t in state_steps):",
    )


@breaks("functions.take-the-steps-of-their-rule")
def the_function_of_asgd_maximizes_by_default(_: Patch) -> None:
    edit(asgd, "        grad = grad if not maximize else -grad", "        grad = -grad")
