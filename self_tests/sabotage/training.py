"""Faults that show in whole loops."""

from typing import TYPE_CHECKING

import torch
from torch.optim import Optimizer, adam, lbfgs, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit

if TYPE_CHECKING:
    from collections.abc import Callable


@breaks("temperatures.by-hand")
def gradients_are_a_little_too_large(patch: Patch) -> None:
    backward: Callable[[torch.Tensor], None] = torch.Tensor.backward
    patch.setattr(torch.Tensor, "backward", lambda self: backward(self * 1.01))


@breaks("temperatures.adam-fits-raw-input")
def first_moment_is_not_corrected(patch: Patch) -> None:
    edit(adam, "bias_correction1 = 1 - beta1**step", "bias_correction1 = 1")


@breaks("temperatures.validation")
def rate_is_a_little_too_large(patch: Patch) -> None:
    edit(sgd, "param.add_(grad, alpha=-lr)", "param.add_(grad, alpha=-1.01 * lr)")


@breaks("temperatures.sgd-needs-normalised-input")
def gradients_are_normalised(patch: Patch) -> None:
    edit(sgd, "param.add_(grad, alpha=-lr)", "param.add_(grad / grad.norm(), alpha=-lr)")


@breaks("training.order-of-a-round")
def zero_grad_clears_nothing(patch: Patch) -> None:
    patch.setattr(Optimizer, "zero_grad", lambda self, set_to_none=True: None)


@breaks("chain.one-weight-trains")
def momentum_is_on_by_default(patch: Patch) -> None:
    edit(sgd, 'momentum=group["momentum"],', "momentum=0.1,")


@breaks("chain.diverges-at-the-printed-rate")
def gradients_are_clipped(patch: Patch) -> None:
    edit(sgd, "param.add_(grad, alpha=-lr)", "param.add_(grad.clamp(-1, 1), alpha=-lr)")


@breaks("training.lbfgs-needs-fewer-evaluations")
def lbfgs_forgets_its_history(patch: Patch) -> None:
    edit(lbfgs, "if ys > 1e-10:", "if False:")


@breaks("classifier.bias-moves-at-most-by-lr")
def the_rate_is_doubled(patch: Patch) -> None:
    edit(sgd, "param.add_(grad, alpha=-lr)", "param.add_(grad, alpha=-20 * lr)")


@breaks("classifier.means-stay")
def decay_is_always_on(patch: Patch) -> None:
    edit(sgd, "        if weight_decay != 0:", "        if weight_decay := 0.5:")


@breaks("digits.loss-falls-every-epoch")
def adam_climbs(patch: Patch) -> None:
    edit(adam, "value=-step_size)", "value=step_size)")
