"""Faults of the public surface: names, signatures and defaults."""

import inspect

import torch
from torch.optim import adam, lr_scheduler, sgd

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("names.of-2-0")
def a_name_is_gone(patch: Patch) -> None:
    patch.delattr(torch.optim, "Rprop")


@breaks("defaults.published-signature")
def a_default_of_the_signature_is_changed(patch: Patch) -> None:
    defaults = list(torch.optim.Adam.__init__.__defaults__ or ())
    defaults[0] = 1e-2
    patch.setattr(torch.optim.Adam.__init__, "__defaults__", tuple(defaults))


@breaks("defaults.reach-every-group")
def a_default_is_not_passed_on(patch: Patch) -> None:
    edit(adam, '"amsgrad": amsgrad,', '"amsgrad": True,')


@breaks("signatures.zero-grad-sets-to-none-by-default")
def zero_grad_zeroes_by_default(patch: Patch) -> None:
    patch.setattr(inspect.unwrap(torch.optim.Optimizer.zero_grad), "__defaults__", (False,))


@breaks("signatures.unknown-option-is-an-error")
def unknown_options_are_swallowed(patch: Patch) -> None:
    init = torch.optim.SGD.__init__
    known = init.__code__.co_varnames[: init.__code__.co_argcount + init.__code__.co_kwonlyargcount]

    def lenient(self: torch.optim.SGD, params: object, *args: object, **options: object) -> None:
        init(self, params, *args, **{k: v for k, v in options.items() if k in known})  # type: ignore[arg-type]

    patch.setattr(torch.optim.SGD, "__init__", lenient)


@breaks("verbose.is-gone")
def verbose_is_back(patch: Patch) -> None:
    for name in ("StepLR", "ReduceLROnPlateau", "OneCycleLR"):
        init = getattr(lr_scheduler, name).__init__

        def verbose(self, *args, init=init, verbose=False, **options):  # type: ignore[no-untyped-def]
            init(self, *args, **options)

        patch.setattr(getattr(lr_scheduler, name), "__init__", verbose)


@breaks("defaults.lbfgs-evaluations-follow-iterations")
def lbfgs_evaluates_without_end(patch: Patch) -> None:
    from torch.optim import lbfgs

    edit(lbfgs, "max_eval = max_iter * 5 // 4", "max_eval = max_iter * 4 // 5")


@breaks("defaults.adagrad-starts-plain")
def adagrad_decays_by_default(patch: Patch) -> None:
    defaults = list(torch.optim.Adagrad.__init__.__defaults__ or ())
    defaults[1] = 0.1
    patch.setattr(torch.optim.Adagrad.__init__, "__defaults__", tuple(defaults))


@breaks("defaults.sgd-rate")
def sgd_rate_is_another(patch: Patch) -> None:
    defaults = list(torch.optim.SGD.__init__.__defaults__ or ())
    defaults[0] = 1e-2
    patch.setattr(sgd.SGD.__init__, "__defaults__", tuple(defaults))
