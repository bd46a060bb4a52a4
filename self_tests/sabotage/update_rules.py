"""Faults of single update rules: signs, powers, corrections, buffers."""

import torch
from torch.optim import adagrad, adam, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("sgd.momentum-starts-at-the-gradient")
def momentum_buffer_is_not_cloned(patch: Patch) -> None:
    edit(sgd, "buf = grad.detach().clone()", "buf = grad.detach()")


@breaks("sgd.weight-decay-adds-to-the-gradient")
def decay_is_subtracted(patch: Patch) -> None:
    edit(
        sgd,
        "grad = grad.add(param, alpha=weight_decay)",
        "grad = grad.sub(param, alpha=weight_decay)",
    )


@breaks("sgd.momentum-starts-at-the-gradient")
def momentum_starts_at_zero(patch: Patch) -> None:
    edit(sgd, "buf = grad.detach().clone()", "buf = grad.detach() * momentum")


@breaks("sgd.dampening-skips-the-first-step")
def dampening_applies_at_once(patch: Patch) -> None:
    edit(sgd, "buf = grad.detach().clone()", "buf = grad.detach() * (1 - dampening)")


@breaks("sgd.nesterov-adds-velocity-to-gradient")
def nesterov_looks_back(patch: Patch) -> None:
    edit(sgd, "grad = grad.add(buf, alpha=momentum)", "grad = grad.sub(buf, alpha=momentum)")


@breaks("sgd.rate-multiplies-the-whole-velocity")
def velocity_keeps_the_rate_it_had(patch: Patch) -> None:
    edit(sgd, "                grad = buf\n", "                grad = buf / lr\n")


@breaks("sgd.steps-on-the-bowl")
def gradient_is_clipped(patch: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i].clamp(-1, 1)",
    )


@breaks("adagrad.update-rule")
def adagrad_eps_moves_inside_the_root(patch: Patch) -> None:
    edit(adagrad, "std = state_sum.sqrt().add_(eps)", "std = state_sum.add(eps).sqrt()")


@breaks("adagrad.rate-of-each-element")
def adagrad_uses_one_rate(patch: Patch) -> None:
    edit(adagrad, "std = state_sum.sqrt().add_(eps)", "std = state_sum.mean().sqrt().add_(eps)")


@breaks("adagrad.sparse-gradients")
def adagrad_forgets_the_square_of_sparse_gradients(patch: Patch) -> None:
    edit(
        adagrad,
        "state_sum.add_(_make_sparse(grad, grad_indices, grad_values.pow(2)))",
        "state_sum.add_(_make_sparse(grad, grad_indices, grad_values.abs()))",
    )


@breaks("update-rules.hold-for-any-options")
def adagrad_decays_its_rate_from_the_first_step_on(_: Patch) -> None:
    edit(adagrad, "lr / (1 + (step - 1) * lr_decay)", "lr / (1 + step * lr_decay)")


@breaks("update-rules.hold-for-any-options")
def fused_adagrad_forgets_the_decay(_: Patch) -> None:
    edit(
        adagrad,
        "            weight_decay=weight_decay,\n            eps=eps,\n            maximize",
        "            weight_decay=0.0,\n            eps=eps,\n            maximize",
    )


@breaks("asgd.accepted-negative-lambd-and-alpha")
def negative_lambd_is_refused_early(patch: Patch) -> None:
    original = torch.optim.ASGD.__init__

    def construct(self: torch.optim.ASGD, *arguments: object, **options: object) -> None:
        if isinstance(options.get("lambd"), float) and options["lambd"] < 0:  # type: ignore[operator]
            raise ValueError(f"Invalid lambd value: {options['lambd']}")
        original(self, *arguments, **options)  # type: ignore[arg-type]

    patch.setattr(torch.optim.ASGD, "__init__", construct)


@breaks("edges.infinite-rate")
def a_rate_is_bounded(_: Patch) -> None:
    edit(
        sgd,
        "        else:\n            param.add_(grad, alpha=-lr)",
        "        else:\n            param.add_(grad, alpha=-min(lr, 1e300))",
    )


@breaks("edges.infinite-eps")
def an_eps_is_bounded(_: Patch) -> None:
    edit(
        adam,
        "denom = (exp_avg_sq.sqrt() / bias_correction2_sqrt).add_(eps)",
        "denom = (exp_avg_sq.sqrt() / bias_correction2_sqrt).add_(min(eps, 1.0))",
    )
