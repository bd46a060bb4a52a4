"""Options that are written into the groups between two steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS, TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.optimizer_record import DENSE, Case, Preset
from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.claims import claim
from fixtures.runs.each_implementation import in_each
from fixtures.runs.optimizer_run import OptimizerRun, check_in_each
from fixtures.runs.training import Training

# Twenty iterations a step tell no more than three; the limit of evaluations is made from max_iter once.
FIRST = {"LBFGS": {"line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 5}}


@dataclass(frozen=True)
class Change:
    """An option that is written into the groups of an optimizer with some others."""

    case: Case
    later: Mapping[str, Any]

    @property
    def id(self):
        """The stable name: ``adam.betas``."""
        return self.case.id

    @property
    def comes_too_late(self):
        """Whether the option needs an entry of the state that only a first step makes."""
        entries = {entry.option for entry in self.case.optimizer.states}
        late = not self.case.optimizer.has("begins_late_state")
        return late and bool(entries & self.later.keys())

    def why_not_applicable(self):
        """Return what the installed torch lacks for both, or None."""
        options = {**self.case.preset.options, **self.later}
        return Case(self.case.optimizer, Preset("both", options)).why_not_applicable()


def changes(entry):
    """Return a change of each option, to its value in the first preset that sets it.

    What else the preset sets is set from the start, so that nesterov finds a momentum.
    """
    first = {"lr": entry.lr * 3, **FIRST.get(entry.name, {})}
    found = {}
    for options in (first, *(preset.options for preset in entry.presets)):
        for option, value in options.items():
            base = {k: v for k, v in options.items() if k != option}
            found.setdefault(option, Change(Case(entry, Preset(option, base)), {option: value}))
    return list(found.values())


CHANGES = [change for entry in OPTIMIZERS for change in changes(entry)]
LATE = [c for c in CHANGES if c.comes_too_late]
HEEDED = [c for c in CHANGES if not c.comes_too_late]
BY_ORACLE = [c for c in HEEDED if c.case.optimizer.oracle]
WITHOUT_ORACLE = [c for c in HEEDED if not c.case.optimizer.oracle]


def each(chosen):
    """Parametrize a test with changes."""
    return pytest.mark.parametrize("change", [pytest.param(c, id=c.id) for c in chosen])


def write(training, options):
    for group in training.optimizer.param_groups:
        group.update(options)


@claim("group-options.apply-to-next-step")
@each(BY_ORACLE)
def test_an_option_counts_from_the_next_step_on(change, implementations, device):
    dense = change.case.optimizer.parameters == DENSE
    table = gradient_tables.ORDINARY if dense else gradient_tables.SPARSE

    def run(case):
        return OptimizerRun(case, device, table=table, later=change.later)

    check_in_each(
        change.case,
        implementations,
        device,
        run,
        source="the algorithm, whose option changes at the same step",
        tolerance=TEN_STEPS,
    )


@claim("group-options.apply-to-next-step")
@each(WITHOUT_ORACLE)
def test_an_option_written_later_counts_as_one_of_the_constructor(change, device):
    case, later = change.case, change.later
    written, built = Training(case, device), Training(case, device)
    for training in (written, built):
        training.run(2)
    write(written, later)
    state = built.optimizer.state
    built.optimizer = case.build(built.parameters, **later)
    built.optimizer.state.update(state)
    for training in (written, built):
        training.run(2)
    check.same(
        seen=written.values(),
        expected=built.values(),
        source="an optimizer built with the option, that goes on from the same state",
    )


@claim("group-options.missing-state-entry-raises")
@each(LATE)
def test_an_option_that_needs_an_entry_of_the_state_comes_too_late(change, implementations, device):
    def turn_on_late(case):
        training = Training(case, device)
        training.run(1)
        write(training, change.later)
        with pytest.raises(KeyError, match=r"max_exp_avg_sq|momentum_buffer|grad_avg"):
            training.run(1)

    in_each(change.case, implementations, device, turn_on_late)


@claim("group-options.foreach-may-change")
@pytest.mark.parametrize("foreach", [True, False], ids=["to_foreach", "to_loop"])
@optimizers.each(taking=("foreach",))
def test_foreach_may_be_turned_on_and_off_between_steps(case, foreach, device):
    changed, plain = Training(case, device, foreach=not foreach), Training(case, device)
    for training in (changed, plain):
        training.run(2)
    write(changed, {"foreach": foreach})
    for training in (changed, plain):
        training.run(2)
    check.close(
        seen=changed.values(), expected=plain.values(), source="steps by default", tolerance=STEPS
    )


@claim("group-options.defaults-for-later-groups")
@optimizers.each(but="takes_one_group")
def test_a_changed_default_is_that_of_groups_to_come(case, device):
    training = Training(case, device)
    first, second = training.parameters
    optimizer = case.build([first], lr=0.25)
    optimizer.defaults["lr"] = 0.5
    optimizer.add_param_group({"params": [second]})
    seen = [group["lr"] for group in optimizer.param_groups]
    check.same(seen=seen, expected=[0.25, 0.5], source="the default when each group came")
