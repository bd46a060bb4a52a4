"""Breaks torch, one fault at a time, and sees which case of the named claim notices."""

import importlib
import pkgutil
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest

import self_tests.sabotage
from fixtures.devices import emulated
from self_tests.sabotage.fault import FAULTS, Fault
from self_tests.support.forked_cases import Outcome, Specification, Trial, in_specification
from self_tests.support.loaded_code import loaded_optim

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
    if on_the_cpu := [fault for fault in chosen if fault.device == "cpu"]:
        outcomes |= _commit(on_the_cpu, jobs, "-m", "cpu")
    if elsewhere := [fault.name for fault in chosen if fault.device != "cpu"]:
        # The emulated accelerator is there for good once it is registered, and does not learn of
        # gradients if a backward pass came before: in a process of its own, begun anew.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            outcomes |= process.submit(_commit_on_the_accelerator, elsewhere, jobs).result()
    return outcomes


def _commit_on_the_accelerator(names: list[str], jobs: int) -> dict[str, Outcome]:
    faults = [fault for fault in all_faults() if fault.name in names]
    return _commit(faults, jobs, "--device", emulated.NAME)


def _commit(faults: list[Fault], jobs: int, *arguments: str) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}

    def work(specification: Specification) -> None:
        trials = [
            Trial(
                fault.name,
                partial(fault.apply, pytest.MonkeyPatch()),
                specification.cases_of(fault.claim),
            )
            for fault in faults
        ]
        loaded_optim()
        for outcome in specification.try_all(trials, jobs):
            outcomes[outcome.name] = outcome

    in_specification(work, *arguments)
    return outcomes
