"""Faults of saving, loading, resuming and copying schedulers."""

from typing import Any

from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("scheduler-state.all-but-the-optimizer")
def the_state_forgets_the_options(patch: Patch) -> None:
    read = LRScheduler.state_dict

    def without_gamma(self: LRScheduler) -> dict[str, Any]:
        return {key: value for key, value in read(self).items() if key != "gamma"}

    patch.setattr(LRScheduler, "state_dict", without_gamma)


@breaks("scheduler-state.is-plain-data")
def the_state_holds_a_function(patch: Patch) -> None:
    read = LRScheduler.state_dict
    patch.setattr(LRScheduler, "state_dict", lambda self: {**read(self), "step": lambda: None})


@breaks("scheduler-state.unchanged-by-later-steps")
def the_state_is_handed_out(patch: Patch) -> None:
    patch.setattr(LRScheduler, "state_dict", lambda self: self.__dict__)


@breaks("scheduler-state.functions-are-left-out")
def functions_are_saved_by_name(_: Patch) -> None:
    edit(
        lr_scheduler,
        'state_dict["lr_lambdas"] = [None] * len(self.lr_lambdas)',
        'state_dict["lr_lambdas"] = ["f"] * len(self.lr_lambdas)',
    )


@breaks("scheduler-state.callables-are-not-shared")
def the_attributes_of_an_object_are_handed_out(_: Patch) -> None:
    edit(lr_scheduler, "fn.__dict__.copy()", "fn.__dict__")


@breaks("scheduler-state.callables-are-restored")
def loaded_attributes_are_dropped(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.lr_lambdas[idx].__dict__.update(fn)",
        "dict(self.lr_lambdas[idx].__dict__).update(fn)",
    )


@breaks("scheduler-state.resumes-bit-for-bit")
def the_loaded_scheduler_is_a_step_behind(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        self.__dict__.update(state_dict)\n",
        "        self.__dict__.update(state_dict, last_epoch=0)\n",
    )


@breaks("scheduler-state.resume-at-any-time")
def loading_starts_the_plateau_over(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        self.__dict__.update(state_dict)\n        self._init_is_better(",
        "        self._reset() or self.__dict__.update({**state_dict, 'best': self.best})\n"
        "        self._init_is_better(",
    )


@breaks("scheduler-state.loading-writes-no-rate")
def loading_writes_the_rates(patch: Patch) -> None:
    load = LRScheduler.load_state_dict

    def writing(self: LRScheduler, state_dict: dict[str, Any]) -> None:
        load(self, state_dict)
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = rate

    patch.setattr(LRScheduler, "load_state_dict", writing)


@breaks("resuming-by-last-epoch.rates")
def resuming_takes_another_step(_: Patch) -> None:
    edit(lr_scheduler, "        self.o._is_initial = True", "        self.o._is_initial = False")


@breaks("resuming-by-last-epoch.counts")
def resuming_counts_from_zero(_: Patch) -> None:
    edit(lr_scheduler, "        self.last_epoch = last_epoch\n", "        self.last_epoch = -1\n")


@breaks("scheduler-copies.continue-independently")
def a_copy_shares_the_optimizer_of_the_original(patch: Patch) -> None:
    patch.setattr(LRScheduler, "__deepcopy__", lambda self, _: self, raising=False)
