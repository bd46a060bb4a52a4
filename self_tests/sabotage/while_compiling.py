"""Faults of the branches that torch keeps for its compiler."""

from torch.optim import nadam, rmsprop, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("while-compiling.follows-the-update-rule")
def nadam_counts_twice_while_compiling(_: Patch) -> None:
    edit(
        nadam,
        "        # update step\n        step_t += 1",
        "        # update step\n        step_t += 1 + torch.compiler.is_compiling()",
    )


@breaks("while-compiling.follows-the-update-rule")
def rmsprop_does_not_count_while_compiling(_: Patch) -> None:
    edit(
        rmsprop,
        "            torch._foreach_add_(grouped_state_steps, 1)",
        "            torch._foreach_add_(grouped_state_steps, 0)",
    )


@breaks("while-compiling.tensor-lr-of-sgd")
def sgd_climbs_while_compiling(_: Patch) -> None:
    edit(sgd, "torch._foreach_mul(device_grads, -lr)", "torch._foreach_mul(device_grads, lr)")
