"""Faults of schedulers that are composed of others."""

from torch.optim import lr_scheduler

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("sequences.begin-with-their-first-part")
def a_sequence_leaves_the_rate_of_its_parts(_: Patch) -> None:
    edit(
        lr_scheduler,
        '_update_param_group_val(group, "lr", group["initial_lr"])',
        '_update_param_group_val(group, "lr", group["lr"])',
    )


@breaks("sequences.hand-over-at-a-milestone")
def a_part_goes_on_where_it_was(_: Patch) -> None:
    edit(lr_scheduler, "            scheduler._update_lr(0)\n", "            scheduler.step()\n")


@breaks("sequences.of-several-parts")
def a_part_is_a_step_late(_: Patch) -> None:
    edit(
        lr_scheduler,
        "idx = bisect_right(self._milestones, self.last_epoch)",
        "idx = bisect_right(self._milestones, self.last_epoch - 1)",
    )


@breaks("sequences.hold-for-any-parts")
def an_undone_step_is_forgotten(_: Patch) -> None:
    edit(lr_scheduler, "scheds.last_epoch -= 1", "scheds.last_epoch -= 0")


@breaks("sequences.milestone-at-the-start")
def a_milestone_at_the_start_is_missed(_: Patch) -> None:
    edit(
        lr_scheduler,
        "idx = bisect_right(self._milestones, 0)",
        "idx = bisect_right(self._milestones, -1)",
    )


@breaks("chains.apply-each-part-in-turn")
def a_chain_goes_backwards(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        for scheduler in self._schedulers:\n            scheduler.step()",
        "        for scheduler in self._schedulers[::-1]:\n            scheduler.step()",
    )


@breaks("chains.last-rates")
def a_chain_remembers_the_rates_before(_: Patch) -> None:
    edit(
        lr_scheduler,
        "            scheduler.step()\n        self._last_lr =",
        "            scheduler.step()\n        self._first_lr =",
    )


@breaks("chains.refuse-another-optimizer")
def a_chain_takes_any_optimizer(_: Patch) -> None:
    edit(lr_scheduler, "if optimizer != scheduler.optimizer:", "if False:")


@breaks("compositions.single-part-is-unchanged")
def a_chain_takes_two_steps_at_a_time(_: Patch) -> None:
    edit(
        lr_scheduler,
        "        for scheduler in self._schedulers:\n            scheduler.step()",
        "        for scheduler in [*self._schedulers] * 2:\n            scheduler.step()",
    )
