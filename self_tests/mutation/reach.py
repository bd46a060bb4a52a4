"""Which cases reach which lines of torch.optim, seen by tracing one run of each case."""

import json
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from self_tests.forked_cases import Specification


@dataclass
class Reach:
    """What a run of all cases reached.

    Attributes:
        cases_at: (file, line) to the node ids of the cases that reach it, the quickest first.
        failing: The cases that fail without any change; they can notice nothing.
    """

    cases_at: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def of(self, path: Path, lines: tuple[int, int]) -> list[str]:
        """Return the cases that reach any of the lines from first to last, the quickest first."""
        found: dict[str, None] = {}
        for line in range(lines[0], lines[1] + 1):
            found.update(dict.fromkeys(self.cases_at.get((str(path), line), ())))
        return list(found)


def measure(specification: Specification, folder: Path) -> Reach:
    """Run every case once, traced, in a forked process, and return what they reached."""
    reading_end, writing_end = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.close(reading_end)
            with os.fdopen(writing_end, "w") as pipe:
                json.dump(_trace_all(specification, str(folder)), pipe)
        finally:
            os._exit(0)
    os.close(writing_end)
    with os.fdopen(reading_end) as pipe:
        traced = json.load(pipe)
    os.waitpid(process, 0)
    reach = Reach(failing=[case for case, facts in traced.items() if facts["failed"]])
    cases_at: dict[tuple[str, int], list[str]] = defaultdict(list)
    for case, facts in sorted(traced.items(), key=lambda entry: entry[1]["seconds"]):
        for file, lines in facts["lines"].items() if not facts["failed"] else ():
            for line in lines:
                cases_at[file, line].append(case)
    reach.cases_at = dict(cases_at)
    return reach


def _trace_all(specification: Specification, folder: str) -> dict[str, dict[str, Any]]:
    items = list(specification.items.values())
    result = {}
    for item, following in zip_longest(items, items[1:]):
        lines: dict[str, set[int]] = defaultdict(set)
        start = time.perf_counter()
        failed = _traced(item, following, folder, lines)
        result[item.nodeid] = {
            "seconds": time.perf_counter() - start,
            "failed": failed,
            "lines": {file: sorted(found) for file, found in lines.items()},
        }
    return result


def _traced(
    item: pytest.Item, following: pytest.Item | None, folder: str, lines: dict[str, set[int]]
) -> bool:
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
        return any(r.failed for r in runtestprotocol(item, nextitem=following, log=False))
    finally:
        sys.settrace(None)
