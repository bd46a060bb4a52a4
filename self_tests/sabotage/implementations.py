"""Faults of the implementations: foreach, fused and the kinds of parameter."""

from torch.optim import adam, optimizer, sgd

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("step.passes-over-empty-parameters")
def empty_parameters_stop_the_step(patch: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i] if grads[i].numel() else grads[i].max()",
    )


@breaks("foreach.takes-the-documented-steps")
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


@breaks("chosen.a-loop-on-the-cpu")
def foreach_is_taken_on_the_cpu(_: Patch) -> None:
    edit(
        optimizer,
        "p.device.type in foreach_supported_devices",
        "p.device.type in [*foreach_supported_devices, 'cpu']",
    )


@breaks("complex.takes-gradients-that-are-conjugated-views")
def sgd_takes_a_conjugated_gradient_for_what_lies_in_memory(_: Patch) -> None:
    edit(
        sgd,
        "        grad = grads[i] if not maximize else -grads[i]",
        "        grad = grads[i].conj() if grads[i].is_conj() else grads[i]",
    )
