"""Faults of the implementations: foreach, fused and the kinds of parameter."""

from torch.optim import adagrad, adam, adamax, asgd, nadam, optimizer, radam, sgd

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("empty-parameters.are-skipped")
def empty_parameters_stop_the_step(patch: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i] if grads[i].numel() else grads[i].max()",
    )


@breaks("implementations.follow-the-update-rule")
def foreach_ignores_maximize(_: Patch) -> None:
    edit(sgd, "device_grads = torch._foreach_neg(", "torch._foreach_neg(")


@breaks("differentiable.by-the-momentum")
def momentum_starts_off_the_graph_at_every_step(_: Patch) -> None:
    edit(
        sgd,
        "                buf.mul_(momentum).add_(grad, alpha=1 - dampening)",
        "                buf.mul_(float(momentum)).add_(grad, alpha=1 - dampening)",
    )


@breaks("differentiable.by-the-start")
def the_start_is_cut_off(_: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i].detach() if not maximize else -grads[i]",
    )


@breaks("differentiable.decay-stays-out-of-grad")
def decoupled_decay_passes_through_the_gradient(_: Patch) -> None:
    edit(
        adam,
        "                param.mul_(1 - lr * weight_decay)\n",
        "                grad.add_(param.detach() * float(weight_decay))\n",
    )


@breaks("dtypes.float64-is-kept-throughout")
def the_rate_passes_through_float32(_: Patch) -> None:
    edit(
        sgd,
        "            param.add_(grad, alpha=-lr)\n\n\ndef _multi",
        "            param.add_(grad, alpha=-torch.tensor(lr).item())\n\n\ndef _multi",
    )


@breaks("chosen.loop-on-the-cpu")
def foreach_is_taken_on_the_cpu(_: Patch) -> None:
    edit(
        optimizer,
        "p.device.type in foreach_supported_devices",
        "p.device.type in [*foreach_supported_devices, 'cpu']",
    )


@breaks("complex.accepts-conjugated-gradients")
def sgd_takes_a_conjugated_gradient_for_what_lies_in_memory(_: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i].conj() if grads[i].is_conj() else grads[i]",
    )


@breaks("tensor-lr.takes-the-documented-steps")
def foreach_ignores_a_rate_that_is_a_tensor(_: Patch) -> None:
    edit(
        radam,
        "unrect_step_size = [\n                (lr * rect / bc) * -1",
        "unrect_step_size = [\n                (lr * rect / bc) * (-1 if type(lr) is float else -2)",
    )


@breaks("tensor-lr.may-be-a-vector")
def a_rate_in_a_vector_is_halved(_: Patch) -> None:
    edit(
        adamax,
        "        lr = _to_scalar(lr)\n\n    for i, param",
        "        lr = _to_scalar(lr) / (1 + getattr(lr, 'ndim', 0))\n\n    for i, param",
    )


@breaks("tensor-lr.takes-the-documented-steps")
def the_fused_kernel_is_given_another_rate_for_a_tensor(_: Patch) -> None:
    edit(adagrad, "            lr=lr,\n", "            lr=lr if type(lr) is float else lr * 2,\n")


@breaks("tensor-betas.take-the-documented-steps")
def betas_that_are_tensors_change_places(_: Patch) -> None:
    edit(
        adam,
        "        exp_avg.lerp_(grad, 1 - device_beta1)",
        "        exp_avg.lerp_(grad, 1 - (beta2 if isinstance(beta2, Tensor) else beta1))",
    )


@breaks("tensor-betas.may-be-vectors")
def betas_in_vectors_are_halved(_: Patch) -> None:
    edit(adam, "map(_to_scalar, betas)", "(b / (1 + getattr(b, 'ndim', 0)) for b in betas)")


@breaks("tensor-options.when-differentiable")
def a_decay_that_needs_no_gradient_is_left_out(_: Patch) -> None:
    edit(
        sgd,
        "                else:\n                    grad = grad.add(param, alpha=weight_decay)",
        "                else:\n                    grad = grad + 0",
    )


@breaks("complex.is-the-step-on-the-real-view")
def complex_numbers_are_squared_whole(_: Patch) -> None:
    edit(
        adagrad,
        "            is_complex = torch.is_complex(param)",
        "            is_complex = torch.is_complex(param) and not differentiable",
    )


@breaks("scaling.only-fused-steps-take-a-scale")
def a_loop_takes_a_scale_and_forgets_it(_: Patch) -> None:
    edit(
        adam,
        "    if grad_scale is not None or found_inf is not None:\n        raise",
        "    if grad_scale is not None and found_inf is not None:\n        raise",
    )


@breaks("invariants.ignore-the-default-device")
def steps_are_counted_on_the_default_device(_: Patch) -> None:
    edit(
        asgd,
        'torch.tensor(1.0, device="cpu"), alpha=1.0',
        "torch.tensor(1.0), alpha=1.0",
    )


@breaks("implementations.follow-the-update-rule")
def momentum_that_starts_late_is_damped(_: Patch) -> None:
    edit(sgd, "] = device_grads[i].detach().clone()", "] = device_grads[i].detach() * momentum")


@breaks("scalars.of-other-steps")
def nadam_multiplies_in_the_default_dtype(_: Patch) -> None:
    edit(nadam, "torch.tensor(1.0, dtype=_get_scalar_dtype())", "torch.tensor(1.0)")
