"""Faults of the public surface: names, signatures and defaults."""

import inspect
import sys
import warnings
from typing import Any

import torch
from torch.optim import adam, lr_scheduler

from self_tests.sabotage.fault import Patch, breaks, give_default
from self_tests.support.loaded_code import edit


@breaks("names.of-2-0")
def a_name_is_gone(patch: Patch) -> None:
    patch.delattr(torch.optim, "Rprop")


@breaks("defaults.published-signature")
def a_default_of_the_signature_is_changed(patch: Patch) -> None:
    give_default(patch, torch.optim.Adam.__init__, 0, 1e-2)


@breaks("defaults.reach-every-group")
def a_default_is_not_passed_on(patch: Patch) -> None:
    edit(adam, '"amsgrad": amsgrad,', '"amsgrad": True,')


@breaks("signatures.zero-grad-defaults-to-none")
def zero_grad_zeroes_by_default(patch: Patch) -> None:
    patch.setattr(inspect.unwrap(torch.optim.Optimizer.zero_grad), "__defaults__", (False,))


@breaks("signatures.unknown-option-raises")
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


@breaks("defaults.lbfgs-max-eval-from-max-iter")
def lbfgs_evaluates_without_end(patch: Patch) -> None:
    from torch.optim import lbfgs

    edit(lbfgs, "max_eval = max_iter * 5 // 4", "max_eval = max_iter * 4 // 5")


@breaks("defaults.adagrad-options-are-zero")
def adagrad_decays_by_default(patch: Patch) -> None:
    give_default(patch, torch.optim.Adagrad.__init__, 1, 0.1)


@breaks("defaults.sgd-rate")
def sgd_rate_is_another(patch: Patch) -> None:
    give_default(patch, torch.optim.SGD.__init__, 0, 1e-2)


@breaks("names.no-other")
def a_name_is_new(patch: Patch) -> None:
    patch.setattr(torch.optim, "Lion", type("Lion", (torch.optim.Optimizer,), {}), raising=False)
    patch.setattr(torch.optim, "__all__", [*torch.optim.__all__, "Lion"])


@breaks("names.every-published-one")
def a_scheduler_is_gone(patch: Patch) -> None:
    patch.delattr(lr_scheduler, "PolynomialLR")
    listed = [name for name in lr_scheduler.__all__ if name != "PolynomialLR"]
    patch.setattr(lr_scheduler, "__all__", listed)


@breaks("names.listed-by-their-modules")
def a_name_is_no_longer_listed(patch: Patch) -> None:
    patch.setattr(sys.modules["torch.optim.adam"], "__all__", ["Adam"])


@breaks("names.of-annotations")
def an_alias_is_gone(patch: Patch) -> None:
    patch.delattr(sys.modules["torch.optim.optimizer"], "ParamsT")


@breaks("members.every-published-one")
def a_method_is_renamed(patch: Patch) -> None:
    method = torch.optim.Optimizer.register_step_pre_hook
    patch.setattr(torch.optim.Optimizer, "register_pre_step_hook", method, raising=False)
    patch.delattr(torch.optim.Optimizer, "register_step_pre_hook")


@breaks("members.no-other")
def a_method_is_new(patch: Patch) -> None:
    patch.setattr(lr_scheduler.LRScheduler, "reset", lambda self: None, raising=False)


@breaks("signatures.every-published-parameter")
def a_parameter_is_gone(patch: Patch) -> None:
    def shorter(self, optimizer, step_size, last_epoch=-1):  # type: ignore[no-untyped-def]
        """As before, but without gamma."""

    patch.setattr(lr_scheduler.StepLR, "__init__", shorter)


@breaks("signatures.every-published-parameter")
def a_default_of_a_scheduler_is_changed(patch: Patch) -> None:
    patch.setattr(lr_scheduler.StepLR.__init__, "__defaults__", (0.2, -1))


@breaks("signatures.every-published-parameter")
def an_option_comes_by_keyword_only(patch: Patch) -> None:
    def keywords(self, optimizer, step_size, *, gamma=0.1, last_epoch=-1):  # type: ignore[no-untyped-def]
        """As before, but gamma and last_epoch cannot be given by position."""

    patch.setattr(lr_scheduler.StepLR, "__init__", keywords)


@breaks("signatures.no-other-parameter")
def a_parameter_is_new(patch: Patch) -> None:
    def longer(self, set_to_none=True, in_place=False):  # type: ignore[no-untyped-def]
        """As before, but with one more option."""

    patch.setattr(torch.optim.Optimizer, "zero_grad", longer)


@breaks("defaults.no-other-in-a-group")
def a_group_holds_one_more_option(patch: Patch) -> None:
    edit(adam, '"amsgrad": amsgrad,', '"amsgrad": amsgrad, "cautious": False,')


@breaks("defaults.kept-by-the-optimizer")
def the_optimizer_has_other_defaults(patch: Patch) -> None:
    edit(
        sys.modules["torch.optim.optimizer"],
        "self.defaults = defaults",
        'self.defaults = {k: v for k, v in defaults.items() if k != "lr"}',
    )


@breaks("state-dict.entries-of-each-optimizer")
def a_key_of_the_state_is_renamed(patch: Patch) -> None:
    edit(sys.modules["torch.optim.adagrad"], 'state["sum"]', 'state["total"]')


@breaks("classes.derived-as-published")
def a_scheduler_has_another_base(patch: Patch) -> None:
    patch.setattr(lr_scheduler.StepLR, "__bases__", (lr_scheduler.ExponentialLR,))


@breaks("classes.pickled-by-name")
def a_class_has_moved(patch: Patch) -> None:
    patch.setattr(torch.optim.SGD, "__module__", "torch.optim")


@breaks("members.attributes")
def an_attribute_is_renamed(patch: Patch) -> None:
    edit(lr_scheduler, "self.step_size = step_size", "self.period = self.step_size = step_size")


@breaks("members.keys-of-the-state-dict")
def an_entry_of_the_state_dict_is_gone(patch: Patch) -> None:
    edit(lr_scheduler, 'if key != "optimizer"', 'if key[0] != "_"')


@breaks("members.nothing-warns")
def building_is_deprecated(patch: Patch) -> None:
    init = torch.optim.Rprop.__init__

    def warning(self: torch.optim.Rprop, *args: Any, **options: Any) -> None:
        warnings.warn("Rprop is deprecated", FutureWarning, stacklevel=2)
        init(self, *args, **options)

    patch.setattr(torch.optim.Rprop, "__init__", warning)


def _rewrite(patch: Patch, thing: Any, old: str, new: str) -> None:
    """Change what a docstring says."""
    patch.setattr(thing, "__doc__", (thing.__doc__ or "").replace(old, new))


@breaks("docstrings.list-only-parameters")
def an_argument_is_listed_under_another_name(patch: Patch) -> None:
    _rewrite(patch, lr_scheduler.StepLR, "gamma (float)", "decay (float)")


@breaks("docstrings.list-every-parameter")
def an_argument_is_not_listed(patch: Patch) -> None:
    _rewrite(patch, torch.optim.SGD, "dampening (float, optional)", "of the momentum")


@breaks("docstrings.state-scheduler-defaults")
def another_default_is_stated(patch: Patch) -> None:
    _rewrite(patch, lr_scheduler.StepLR, "Default: 0.1", "Default: 0.2")


@breaks("docstrings.examples-run")
def an_example_misspells_an_argument(patch: Patch) -> None:
    _rewrite(patch, lr_scheduler.StepLR, "step_size=30", "period=30")


@breaks("docstrings.examples-run")
def an_example_warns(patch: Patch) -> None:
    _rewrite(patch, lr_scheduler.CosineAnnealingLR, ">>> for", ">>> scheduler.step(3)\n    >>> for")
