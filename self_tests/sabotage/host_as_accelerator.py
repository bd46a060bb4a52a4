"""Faults of what torch does for accelerators, noticed with the CPU in the place of one."""

from importlib import import_module

from torch.optim import adadelta, adam, asgd, nadam, radam, rmsprop, rprop

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit

_MODULE = import_module("torch.optim.optimizer")  # torch.optim hides it


@breaks("implementations.follow-the-update-rule")
def asgd_averages_from_a_step_later_on(_: Patch) -> None:
    edit(asgd, "new_mus = torch._foreach_sub(grouped_state_steps, t0)",
         "new_mus = torch._foreach_sub(grouped_state_steps, t0 + 1)")  # fmt: skip


@breaks("tensor-lr.takes-the-documented-steps")
def adadelta_climbs(_: Patch) -> None:
    edit(adadelta, "torch._foreach_mul_(deltas, -lr)", "torch._foreach_mul_(deltas, lr)")


@breaks("tensor-betas.take-the-documented-steps")
def adam_takes_a_beta_for_the_other(_: Patch) -> None:
    edit(adam, "torch._foreach_mul(device_grads, 1 - beta2)",
         "torch._foreach_mul(device_grads, 1 - beta1)")  # fmt: skip


@breaks("complex.is-the-step-on-the-real-view")
def rmsprop_squares_complex_numbers(_: Patch) -> None:
    edit(rmsprop, "        is_complex_param = torch.is_complex(param)\n",
         "        is_complex_param = not capturable and torch.is_complex(param)\n")  # fmt: skip


@breaks("scalars.of-capturable-steps")
def nadam_keeps_its_product_coarse(_: Patch) -> None:
    edit(nadam, "torch.ones((), dtype=_get_scalar_dtype(), device=p.device)",
         "torch.ones((), device=p.device)")  # fmt: skip


@breaks("loading.capturable-moves-python-counters")
def radam_loads_a_count_coarsely(_: Patch) -> None:
    edit(radam, "step_val, dtype=_get_scalar_dtype(), device=p.device",
         "step_val, device=p.device")  # fmt: skip


@breaks("functions.take-the-steps-of-their-rule")
def rprop_grows_as_it_shrinks(_: Patch) -> None:
    edit(rprop, "torch.where(sign.gt(0), etaplus, sign)", "torch.where(sign.gt(0), etaminus, sign)")


@breaks("chosen-on-the-host.foreach")
def the_loop_is_always_taken(patch: Patch) -> None:
    patch.setattr(_MODULE, "_get_foreach_kernels_supported_devices", lambda: ["cuda"])


@breaks("chosen-on-the-host.loop-for-tensor-lr-of-adam")
def adam_takes_lists_whatever_its_rate(_: Patch) -> None:
    edit(
        adam,
        "        if foreach and isinstance(lr, Tensor) and not capturable:",
        "        if False:",
    )


@breaks("chosen-on-the-host.loop-if-differentiable")
def the_graph_is_forgotten(_: Patch) -> None:
    edit(rmsprop, "params, differentiable, use_fused=False", "params, False, use_fused=False")


@breaks("chosen-on-the-host.loop-for-subclasses")
def any_tensor_is_stepped_by_lists(_: Patch) -> None:
    edit(_MODULE, "type(p) in _foreach_supported_types", "isinstance(p, torch.Tensor)")


@breaks("graphs.capture-needs-capturable-on-host")
def rmsprop_does_not_ask_whether_it_is_captured(_: Patch) -> None:
    edit(rmsprop, "self._accelerator_graph_capture_health_check()", "pass")


@breaks("graphs.copy-warns-outside-capture-on-host")
def steps_outside_warn_again_and_again(_: Patch) -> None:
    edit(
        _MODULE,
        "                self._warned_capturable_if_run_uncaptured = True",
        "                self._warned_capturable_if_run_uncaptured = False",
    )


@breaks("graphs.matching-steps-are-silent-on-host")
def a_capture_is_refused_whatever_is_captured(_: Patch) -> None:
    edit(
        _MODULE,
        '            if capturing and not all(\n                group["capturable"]',
        '            if capturing and not all(\n                not group["capturable"]',
    )
