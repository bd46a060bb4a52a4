"""Faults of the base class: references, groups, state, closures, errors."""

from collections.abc import Callable, Iterator

import torch
from torch.optim import Optimizer, adagrad, adam, lbfgs, optimizer, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("references.parameters-by-identity")
def parameters_are_copied(patch: Patch) -> None:
    add = Optimizer.add_param_group

    def copying(self: Optimizer, group: dict[str, object]) -> None:
        add(self, group)
        last = self.param_groups[-1]
        last["params"] = [p.detach().clone().requires_grad_() for p in last["params"]]

    patch.setattr(Optimizer, "add_param_group", copying)


@breaks("references.updated-in-place")
def step_replaces_the_storage(patch: Patch) -> None:
    edit(
        sgd,
        "            param.add_(grad, alpha=-lr)",
        "            param.data = param.add(grad, alpha=-lr)",
    )


@breaks("sharing.listed-once")
def shared_parameter_is_listed_twice(patch: Patch) -> None:
    def parameters(self: torch.nn.Module, recurse: bool = True) -> Iterator[torch.nn.Parameter]:
        for _, parameter in self.named_parameters(recurse=recurse, remove_duplicate=False):
            yield parameter

    patch.setattr(torch.nn.Module, "parameters", parameters)


@breaks("param-groups.fall-back-to-the-defaults")
def group_gets_no_defaults(patch: Patch) -> None:
    edit(optimizer, "param_group.setdefault(name, default)", "param_group.setdefault(name, 0.0)")


@breaks("param-groups.act-as-separate-optimizers")
def group_override_is_ignored(patch: Patch) -> None:
    edit(adam, 'weight_decay=group["weight_decay"]', 'weight_decay=self.defaults["weight_decay"]')


@breaks("param-groups.rate-applies-to-next-step")
def rate_of_the_constructor_sticks(patch: Patch) -> None:
    edit(sgd, 'lr=group["lr"]', 'lr=self.defaults["lr"]')


@breaks("param-groups.added-group-trains")
def added_group_is_forgotten(patch: Patch) -> None:
    edit(sgd, "for group in self.param_groups:", "for group in self.param_groups[:1]:")


@breaks("state.empty-before-the-first-step")
def state_is_made_at_construction(patch: Patch) -> None:
    init = torch.optim.Adam.__init__

    def eager(self: torch.optim.Adam, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)  # type: ignore[arg-type]
        for parameter in self.param_groups[0]["params"]:
            self.state[parameter] = {}

    patch.setattr(torch.optim.Adam, "__init__", eager)


@breaks("state.is-kept-per-parameter")
def state_is_shared_between_parameters(patch: Patch) -> None:
    edit(adam, "state = self.state[p]", "state = self.state[group['params'][0]]")


@breaks("state.options-add-entries")
def amsgrad_keeps_no_maximum(patch: Patch) -> None:
    edit(
        adam,
        'if group["amsgrad"]:\n                        # Maintains',
        "if False:\n                        # Maintains",
    )


@breaks("state.adagrad-starts-with-its-sums")
def accumulator_starts_at_one(patch: Patch) -> None:
    edit(adagrad, "else initial_accumulator_value", "else initial_accumulator_value + 1")


@breaks("step.leaves-grad-alone")
def maximize_flips_the_gradient_in_place(patch: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i] if not maximize else grads[i].neg_()",
    )


@breaks("weight-decay.stays-out-of-grad")
def decay_leaks_into_grad(patch: Patch) -> None:
    edit(
        sgd,
        "            else:\n                grad = grad.add(param, alpha=weight_decay)",
        "            else:\n                grad = grad.add_(param, alpha=weight_decay)",
    )


@breaks("step.nothing-else-moves-parameters")
def state_dict_zeroes_the_parameters(patch: Patch) -> None:
    original = Optimizer.state_dict

    def moving(self: Optimizer) -> dict[str, object]:
        with torch.no_grad():
            self.param_groups[0]["params"][0].mul_(0.5)
        return original(self)

    patch.setattr(Optimizer, "state_dict", moving)


@breaks("step.moves-every-parameter")
def last_parameter_is_left_out(patch: Patch) -> None:
    edit(sgd, 'for p in group["params"]:', 'for p in group["params"][:1]:')


@breaks("step.sgd-equals-update-by-hand")
def step_adds_the_gradient(patch: Patch) -> None:
    edit(sgd, "            param.add_(grad, alpha=-lr)", "            param.add_(grad, alpha=lr)")


@breaks("closures.called-once")
def closure_is_called_twice(patch: Patch) -> None:
    edit(adam, "loss = closure()", "loss = closure() and closure()")


@breaks("closures.run-with-grad-enabled")
def closure_runs_without_grad(patch: Patch) -> None:
    edit(sgd, "with torch.enable_grad():", "with torch.no_grad():")


@breaks("closures.may-be-left-out")
def closure_is_required(patch: Patch) -> None:
    edit(sgd, "if closure is not None:", "if True:")


@breaks("closures.run-before-the-update")
def closure_result_is_lost(patch: Patch) -> None:
    edit(
        sgd,
        "            with torch.enable_grad():\n                loss = closure()",
        "            with torch.enable_grad():\n                loss = None",
    )


@breaks("closures.lbfgs-needs-one")
def lbfgs_steps_without_a_closure(patch: Patch) -> None:
    step: Callable[..., object] = torch.optim.LBFGS.step
    patch.setattr(
        torch.optim.LBFGS, "step", lambda self, closure=None: closure and step(self, closure)
    )


@breaks("closures.number-or-detached-loss")
def lbfgs_counts_a_tensor_loss_twice(patch: Patch) -> None:
    edit(
        lbfgs,
        "loss = float(orig_loss)",
        "loss = float(orig_loss) * (1 + torch.is_tensor(orig_loss)); flat = 0",
    )


@breaks("closures.loss-requiring-grad-is-silent")
def lbfgs_converts_under_grad(patch: Patch) -> None:
    edit(lbfgs, "loss = float(orig_loss)", "loss = torch.enable_grad()(float)(orig_loss)")


@breaks("errors.negative-rate")
def negative_rates_are_taken(patch: Patch) -> None:
    edit(adam, "if not 0.0 <= lr:", "if False:")


@breaks("errors.parameter-in-two-groups")
def parameter_in_two_groups_is_taken(patch: Patch) -> None:
    edit(optimizer, 'if not param_set.isdisjoint(set(param_group["params"])):', "if False:")


@breaks("errors.result-of-a-computation")
def result_of_a_computation_is_taken(patch: Patch) -> None:
    edit(optimizer, 'raise ValueError("can\'t optimize a non-leaf Tensor")', "pass")


@breaks("registration.empty-list-is-an-error")
def empty_parameter_list_is_taken(patch: Patch) -> None:
    edit(optimizer, 'raise ValueError("optimizer got an empty parameter list")', "return")


@breaks("registration.parameters-require-grad")
def parameters_are_born_frozen(patch: Patch) -> None:
    new = torch.nn.Parameter.__new__

    def frozen(cls: type, data: torch.Tensor, requires_grad: bool = False) -> torch.nn.Parameter:
        return new(cls, data, requires_grad)

    patch.setattr(torch.nn.Parameter, "__new__", frozen)


@breaks("state.adagrad-shares-its-sums")
def adagrad_shares_nothing(patch: Patch) -> None:
    patch.setattr(torch.optim.Adagrad, "share_memory", lambda self: None)


@breaks("param-groups.added-group-trains")
def adagrad_counts_added_parameters_from_one(_: Patch) -> None:
    edit(
        adagrad,
        '                    state["step"] = (\n                        torch.zeros(',
        '                    state["step"] = (\n                        torch.ones(',
    )
