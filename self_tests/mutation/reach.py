"""Which cases reach which lines of torch.optim, seen by tracing one run of each case."""

import functools
import gc
import inspect
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from _pytest.runner import runtestprotocol

from self_tests.support.forked_cases import ROOT, Specification

# A file and a line.
Place = tuple[str, int]


@dataclass
class Reach:
    """What a run of all cases reached.

    Attributes:
        cases_at: (file, line) to the node ids of the cases that reach it, the quickest first.
        failing: The cases that fail without any change; they can notice nothing.
    """

    cases_at: dict[Place, list[str]] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def of(self, path: Path, lines: tuple[int, int]) -> list[str]:
        """Return the cases that reach any of the lines from first to last, the quickest first."""
        found: dict[str, None] = {}
        for line in range(lines[0], lines[1] + 1):
            found.update(dict.fromkeys(self.cases_at.get((str(path), line), ())))
        return list(found)

    def by_case(self) -> dict[str, frozenset[Place]]:
        """Return, for each case that reaches any line, all that it reaches."""
        found: dict[str, set[Place]] = defaultdict(set)
        for place, cases in self.cases_at.items():
            for case in cases:
                found[case].add(place)
        return {case: frozenset(places) for case, places in found.items()}


def measure(
    specification: Specification, folder: Path, cases: Iterable[str] | None = None
) -> Reach:
    """Run cases once, traced, and return what they reached; the arguments are those of ``trace()``."""
    traced = trace(specification, folder, cases)
    reach = Reach(failing=[case for case, facts in traced.items() if facts["failed"]])
    cases_at: dict[Place, list[str]] = defaultdict(list)
    for case, facts in sorted(traced.items(), key=lambda entry: entry[1]["seconds"]):
        for file, lines in facts["lines"].items() if not facts["failed"] else ():
            for line in lines:
                cases_at[file, line].append(case)
    reach.cases_at = dict(cases_at)
    return reach


def trace(
    specification: Specification, folder: Path, cases: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Run cases once, traced, in a forked process.

    Args:
        specification: The collected specification.
        folder: Of the files whose lines count.
        cases: The node ids of the cases to run: all unless given.

    Returns:
        For each node id, its ``seconds``, whether it ``failed``, and the ``lines`` it reached in each file.
    """
    chosen = list(specification.items if cases is None else cases)
    return dict(_in_a_fork(lambda: _trace_all(specification, str(folder), chosen)))


def _in_a_fork(work: Callable[[], Any]) -> Any:
    """Return what some work gives in a process of its own, as JSON has it; this one stays as it was."""
    reading_end, writing_end = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.close(reading_end)
            with os.fdopen(writing_end, "w") as pipe:
                json.dump(work(), pipe)
        finally:
            os._exit(0)
    os.close(writing_end)
    with os.fdopen(reading_end) as pipe:
        found = json.load(pipe)
    os.waitpid(process, 0)
    return found


def time_each(specification: Specification, cases: Sequence[str]) -> dict[str, float]:
    """Return how many seconds of the processor each case takes, untraced, in a forked process.

    Each is run twice, and the second counts, with what the tests keep computed anew: torch is warm, and a
    case that computes for many others has the costs.
    """

    def work() -> dict[str, float]:
        caches = _caches_of_the_suite()
        return {case: _seconds(specification.items[case], caches) for case in cases}

    return dict(_in_a_fork(work))


def _seconds(item: pytest.Item, caches: Iterable[Any]) -> float:
    runtestprotocol(item, nextitem=None, log=False)
    for cache in caches:
        cache.cache_clear()
    start = time.process_time()
    runtestprotocol(item, nextitem=None, log=False)
    return time.process_time() - start


def _trace_all(
    specification: Specification, folder: str, cases: list[str]
) -> dict[str, dict[str, Any]]:
    """Trace each case as if it ran alone: with its own fixtures, and nothing computed before."""
    caches = _caches_of_the_suite()
    result = {}
    for case in cases:
        for cache in caches:
            cache.cache_clear()
        _forget_the_hooks()
        lines: dict[str, set[int]] = defaultdict(set)
        start = time.perf_counter()
        failed = _traced(specification.items[case], folder, lines)
        result[case] = {
            "seconds": time.perf_counter() - start,
            "failed": failed,
            "lines": {file: sorted(found) for file, found in lines.items()},
        }
    return result


def _caches_of_the_suite() -> list[Any]:
    """Return the caches of what tests compute, which would hide from a case what it reaches."""
    gc.unfreeze()  # the run has hidden from the collector what it loaded
    inside = str(ROOT / "spec_tests")
    return [
        thing
        for thing in gc.get_objects()
        if type(thing) is functools._lru_cache_wrapper
        and inspect.isfunction(thing.__wrapped__)
        and thing.__wrapped__.__code__.co_filename.startswith(inside)
    ]


def _forget_the_hooks() -> None:
    """Take off what torch puts around the step of a class when it is built for the first time."""
    ahead = [torch.optim.Optimizer]
    while ahead:
        kind = ahead.pop()
        ahead += kind.__subclasses__()
        step: Any = vars(kind).get("step")
        if getattr(step, "hooked", False):
            kind.step = step.__wrapped__  # type: ignore[method-assign]


def _traced(item: pytest.Item, folder: str, lines: dict[str, set[int]]) -> bool:
    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            lines[frame.f_code.co_filename].add(frame.f_lineno)
        return local

    def at_call(frame: FrameType, _event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(folder):
            return None
        lines[frame.f_code.co_filename].add(frame.f_lineno)
        return local

    sys.settrace(at_call)
    try:
        return any(r.failed for r in runtestprotocol(item, nextitem=None, log=False))
    finally:
        sys.settrace(None)
