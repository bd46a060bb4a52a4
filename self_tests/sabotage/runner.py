"""Breaks torch, one fault at a time, and sees which case of the named claim notices."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import partial

import pytest

import self_tests.sabotage
from self_tests.forked_cases import Outcome, Specification, Trial, in_specification
from self_tests.loaded_code import loaded_optim
from self_tests.sabotage.fault import FAULTS, Fault

_NOT_FAULTS = ("fault", "runner", "__main__")


def all_faults() -> list[Fault]:
    """Return every fault of every chapter, in a stable order."""
    for module in sorted(m.name for m in pkgutil.iter_modules(self_tests.sabotage.__path__)):
        if module not in _NOT_FAULTS:
            importlib.import_module(f"self_tests.sabotage.{module}")
    return FAULTS


def commit(faults: Iterable[Fault], jobs: int = 2) -> dict[str, Outcome]:
    """Return, for each fault by name, what the cases of its claim made of it."""
    chosen = list(faults)
    outcomes: dict[str, Outcome] = {}

    def work(specification: Specification) -> None:
        trials = [
            Trial(
                fault.name,
                partial(fault.apply, pytest.MonkeyPatch()),
                specification.cases_of(fault.claim),
            )
            for fault in chosen
        ]
        loaded_optim()
        for outcome in specification.try_all(trials, jobs):
            outcomes[outcome.name] = outcome

    in_specification(work, "-m", "cpu")
    return outcomes
