"""Faults of modules, modes and helpers around torch.optim."""

from contextlib import nullcontext
from copy import deepcopy
from typing import Any
from zipfile import ZipFile

import torch
from torch.nn import Module, Parameter, functional
from torch.optim import swa_utils

from self_tests.sabotage.autograd import backward_as, twice
from self_tests.sabotage.fault import Patch, breaks, give_default


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


@breaks("scaler-calls.scales-only-tensors")
def the_scaler_takes_anything(patch: Patch) -> None:
    patch.setattr(torch.amp.GradScaler, "scale", lambda self, outputs: outputs)


@breaks("swa-utils.defaults-of-the-decay")
def averages_decay_faster(patch: Patch) -> None:
    for function in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        give_default(patch, function, 0, 0.9)


@breaks("defaults.weight-decay")
def sgd_decays_unasked(patch: Patch) -> None:
    give_default(patch, torch.optim.SGD.__init__, 3, 0.01)


@breaks("swa-utils.defaults")
def swalr_anneals_faster(patch: Patch) -> None:
    give_default(patch, swa_utils.SWALR.__init__, 0, 5)


@breaks("swalr.wants-an-optimizer")
def swalr_is_mended_and_its_deviation_stays(patch: Patch) -> None:
    def refuse(_name: str, optimizer: Any, _rate: Any) -> None:
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")

    patch.setattr(swa_utils, "_format_param", refuse)


@breaks("defaults.stated-in-the-list-of-arguments")
def adadelta_has_another_rho_than_it_states(patch: Patch) -> None:
    give_default(patch, torch.optim.Adadelta.__init__, 1, 0.95)


@breaks("signatures.option-came-with-its-release")
def adadelta_takes_any_option(patch: Patch) -> None:
    class Adadelta(torch.optim.Adadelta):
        def __init__(self, params: Any, lr: float = 1.0, **options: Any):
            super().__init__(params, lr, **options)

    patch.setattr(torch.optim, "Adadelta", Adadelta)


@breaks("classifier.linear-map-by-hand")
def matrices_are_multiplied_entry_by_entry(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "__matmul__", lambda self, other: self[:, :1] * other[:1])


@breaks("freezing.gradient-passes-through")
def frozen_layers_are_the_end(patch: Patch) -> None:
    linear: Any = functional.linear
    patch.setattr(
        functional,
        "linear",
        lambda x, weight, bias=None: linear(
            x if weight.requires_grad else x.detach(), weight, bias
        ),
    )


@breaks("training.calling-the-module")
def evaluation_gives_other_predictions(patch: Patch) -> None:
    call: Any = Module.__call__
    patch.setattr(Module, "__call__", lambda self, x: call(self, x) + (not self.training))


@breaks("digits.features-of-the-convolution")
def convolutions_pad_by_themselves(patch: Patch) -> None:
    give_default(patch, torch.nn.Conv2d.__init__, 1, 1)


@breaks("digits.drop-last-keeps-batches-full")
def the_rest_is_always_a_batch(patch: Patch) -> None:
    sampler: Any = torch.utils.data.BatchSampler
    constructor = sampler.__init__
    patch.setattr(
        sampler,
        "__init__",
        lambda self, these, size, _drop_last: constructor(self, these, size, False),
    )


@breaks("temperatures.random-split")
def permutations_repeat_themselves(patch: Patch) -> None:
    patch.setattr(torch, "randperm", lambda n, **options: torch.randint(n, (n,), **options))


@breaks("temperatures.by-hand-printed-values")
def the_loop_by_hand_has_twice_the_rate(patch: Patch) -> None:
    backward_as(patch, twice)


@breaks("training.running-total-of-numbers")
def detach_keeps_the_graph(patch: Patch) -> None:
    patch.setattr(torch.Tensor, "detach", lambda self: self)


@breaks("files.a-flipped-bit-goes-unnoticed")
def torch_load_checks_the_sums(patch: Patch) -> None:
    load: Any = torch.load

    def checking(file: Any, **options: Any) -> Any:
        with ZipFile(file) as archive:
            if damaged := archive.testzip():
                raise RuntimeError(f"{damaged} is damaged")
        return load(file, **options)

    patch.setattr(torch, "load", checking)
