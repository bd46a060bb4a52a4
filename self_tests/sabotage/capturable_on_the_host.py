"""Faults of capturable steps, noticed where the CPU is in the place of an accelerator."""

from torch.optim import adadelta, adam, asgd, nadam, radam, rmsprop, rprop

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("capturable-on-the-host.takes-the-documented-steps")
def asgd_averages_from_a_step_later_on(_: Patch) -> None:
    edit(asgd, "new_mus = torch._foreach_sub(grouped_state_steps, t0)",
         "new_mus = torch._foreach_sub(grouped_state_steps, t0 + 1)")  # fmt: skip


@breaks("capturable-on-the-host.takes-a-tensor-as-rate")
def adadelta_climbs(_: Patch) -> None:
    edit(adadelta, "torch._foreach_mul_(deltas, -lr)", "torch._foreach_mul_(deltas, lr)")


@breaks("capturable-on-the-host.takes-tensors-as-betas")
def adam_takes_a_beta_for_the_other(_: Patch) -> None:
    edit(adam, "torch._foreach_mul(device_grads, 1 - beta2)",
         "torch._foreach_mul(device_grads, 1 - beta1)")  # fmt: skip


@breaks("capturable-on-the-host.steps-the-parts-of-complex-numbers")
def rmsprop_squares_complex_numbers(_: Patch) -> None:
    edit(rmsprop, "        is_complex_param = torch.is_complex(param)\n",
         "        is_complex_param = not capturable and torch.is_complex(param)\n")  # fmt: skip


@breaks("capturable-on-the-host.keeps-its-scalars-fine")
def nadam_keeps_its_product_coarse(_: Patch) -> None:
    edit(nadam, "torch.ones((), dtype=_get_scalar_dtype(), device=p.device)",
         "torch.ones((), device=p.device)")  # fmt: skip


@breaks("loading.counters-of-python-become-fine-tensors-when-capturable")
def radam_loads_a_count_coarsely(_: Patch) -> None:
    edit(radam, "step_val, dtype=_get_scalar_dtype(), device=p.device",
         "step_val, device=p.device")  # fmt: skip


@breaks("functions.take-capturable-steps-on-the-host")
def rprop_grows_as_it_shrinks(_: Patch) -> None:
    edit(rprop, "torch.where(sign.gt(0), etaplus, sign)", "torch.where(sign.gt(0), etaminus, sign)")
