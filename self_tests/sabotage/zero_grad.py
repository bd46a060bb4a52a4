"""Faults of clearing, and of what is frozen."""

import torch
from torch.optim import Optimizer, optimizer, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("zero-grad.sets-none")
def the_second_group_is_not_cleared(patch: Patch) -> None:
    loop = (
        '            for group in self.param_groups:\n                for p in group["params"]:\n'
    )
    found = "                    if p.grad is not None:"
    edit(optimizer, loop + found, loop.replace("param_groups:", "param_groups[:1]:") + found)


@breaks("zero-grad.leaves-no-zeros")
def gradients_are_filled_with_zeros(patch: Patch) -> None:
    edit(optimizer, "p.grad = None", "p.grad.zero_()")


@breaks("zero-grad.fills-when-asked")
def a_new_tensor_takes_the_place_of_the_gradient(patch: Patch) -> None:
    edit(optimizer, "p.grad.zero_()", "p.grad = torch.zeros_like(p.grad)")


@breaks("zero-grad.cuts-the-graph-of-a-gradient")
def the_graph_of_a_gradient_stays(patch: Patch) -> None:
    edit(optimizer, "p.grad.detach_()", "pass")


@breaks("zero-grad.creates-no-gradient")
def missing_gradients_are_made(patch: Patch) -> None:
    zero_grad = Optimizer.zero_grad

    def making(self: Optimizer, set_to_none: bool = True) -> None:
        zero_grad(self, set_to_none)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None and not set_to_none:
                    parameter.grad = torch.zeros_like(parameter)

    patch.setattr(Optimizer, "zero_grad", making)


@breaks("zero-grad.touches-nothing-else")
def clearing_resets_the_state(patch: Patch) -> None:
    zero_grad = Optimizer.zero_grad

    def resetting(self: Optimizer, set_to_none: bool = True) -> None:
        zero_grad(self, set_to_none)
        self.state.clear()

    patch.setattr(Optimizer, "zero_grad", resetting)


@breaks("freezing.not-updated-and-without-state")
def frozen_parameters_decay(patch: Patch) -> None:
    step = torch.optim.SGD.step

    def decaying(self: torch.optim.SGD, closure: None = None) -> None:
        with torch.no_grad():
            for parameter in self.param_groups[0]["params"]:
                if parameter.grad is None:
                    parameter.mul_(0.9)
        step(self, closure)

    patch.setattr(torch.optim.SGD, "step", decaying)


@breaks("freezing.late-leaves-the-gradient")
def frozen_parameters_are_passed_over(patch: Patch) -> None:
    edit(sgd, "if p.grad is not None:", "if p.grad is not None and p.requires_grad:")


@breaks("freezing.zero-is-not-none")
def gradients_of_zeros_are_passed_over(patch: Patch) -> None:
    edit(sgd, "if p.grad is not None:", "if p.grad is not None and p.grad.any():")


@breaks("zero-grad.fills-every-kind-of-gradient")
def gradients_go_on_requiring_grad(patch: Patch) -> None:
    edit(optimizer, "p.grad.requires_grad_(False)", "pass")


@breaks("zero-grad.removes-every-kind-of-gradient")
def gradients_that_are_taken_away_are_zeroed(patch: Patch) -> None:
    edit(optimizer, "p.grad = None", "p.grad.detach().zero_(); p.grad = None")


@breaks("zero-grad.foreach-or-fused-fills-at-once")
def foreach_without_fused_fills_one_by_one(patch: Patch) -> None:
    edit(
        optimizer,
        'self.defaults.get("foreach", False) or self',
        'self.defaults.get("foreach", False) and self',
    )
