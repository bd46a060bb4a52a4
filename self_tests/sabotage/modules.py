"""Faults of modules, modes and helpers around torch.optim."""

import inspect
from contextlib import nullcontext
from copy import deepcopy
from typing import Any

import torch
from torch.nn import Module, Parameter
from torch.optim import swa_utils

from self_tests.sabotage.fault import Patch, breaks


@breaks("backward.clone-changes-nothing")
def clones_are_twice_as_large(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "clone", lambda self, **_: self * 2)


@breaks("devices.at-sign-is-matmul")
def the_at_sign_multiplies_entries(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "__matmul__", torch.Tensor.__mul__)


@breaks("devices.to-keeps-the-parameters")
def to_makes_a_copy(patch: Patch) -> None:
    patch.setattr(Module, "to", lambda self, *_, **__: deepcopy(self))


@breaks("tensors.as-many-dimensions-as-lists")
def tensors_have_a_dimension_more(patch: Patch) -> None:
    tensor: Any = torch.tensor
    patch.setattr(torch, "tensor", lambda *a, **options: tensor(*a, **options).unsqueeze(0))


@breaks("no-grad.ends-with-its-block")
def no_grad_does_not_end(patch: Patch) -> None:
    patch.setattr(torch.no_grad, "__exit__", lambda self, *_: None)


@breaks("set-grad-enabled.called-as-a-function")
def set_grad_enabled_waits_for_its_block(patch: Patch) -> None:
    patch.setattr(torch, "set_grad_enabled", lambda mode: nullcontext())


@breaks("tracking.eval-does-not-end-it")
def eval_freezes(patch: Patch) -> None:
    patch.setattr(Module, "eval", lambda self: self.train(False).requires_grad_(False))


@breaks("registration.plain-tensors-are-not-found")
def tensors_become_parameters(patch: Patch) -> None:
    set_attribute: Any = Module.__setattr__

    def registering(self: Module, name: str, value: Any) -> None:
        plain = isinstance(value, torch.Tensor) and not isinstance(value, Parameter)
        set_attribute(self, name, Parameter(value) if plain else value)

    patch.setattr(Module, "__setattr__", registering)


@breaks("scaler-calls.scales-tensors-alone")
def the_scaler_takes_anything(patch: Patch) -> None:
    patch.setattr(torch.amp.GradScaler, "scale", lambda self, outputs: outputs)


@breaks("swa-utils.defaults-of-the-decay")
def averages_decay_faster(patch: Patch) -> None:
    for function in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        patch.setattr(function, "__defaults__", (0.9,))


@breaks("defaults.who-decays-unasked")
def sgd_decays_unasked(patch: Patch) -> None:
    constructor = inspect.unwrap(torch.optim.SGD.__init__)
    defaults = constructor.__defaults__ or ()
    patch.setattr(constructor, "__defaults__", (*defaults[:3], 0.01, *defaults[4:]))
