"""Faults of the implementations: foreach, fused and the kinds of parameter."""

from torch.optim import sgd

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("step.passes-over-empty-parameters")
def empty_parameters_stop_the_step(patch: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i] if grads[i].numel() else grads[i].max()",
    )
