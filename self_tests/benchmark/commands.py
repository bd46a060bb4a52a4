"""Times whole commands, each in a process of its own."""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.command import InputError
from self_tests.support.forked_cases import ROOT


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: From its start to its end.
        processor: The seconds that it had a processor for; other processes do not make them more.
        mebibytes: The most memory that the process held; of the workers of a parallel run, the
            controller's alone.
        printed: What it printed.
    """

    seconds: float
    processor: float
    mebibytes: float
    printed: str


class FailedError(InputError):
    """A command that ended otherwise than it should, so that its time means nothing."""


def cost_of(arguments: Sequence[str], folder: Path = ROOT, *, may_fail: bool = False) -> Cost:
    """Run Python with some arguments; return what it took.

    Args:
        arguments: Those of Python.
        folder: Where: in this checkout unless given.
        may_fail: Whether it is pytest, of which some tests may fail.

    Raises:
        FailedError: If it does not come to its end; the message ends with what it printed last.
    """
    start = time.perf_counter()
    # The command is one of this project's own.
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ((0, 1) if may_fail else (0,)):
        last = "\n".join(printed.splitlines()[-5:])
        raise FailedError(f"python {' '.join(arguments)} ended with {process.returncode}:\n{last}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed)


_IN_SECONDS = re.compile(r"\d (passed|failed)\b.* in [\d.]+s")
_ENDS = re.compile(r"(\d+) (passed|xfailed|failed)\b")


def ends_of(printed: str) -> dict[str, int]:
    """Return how many cases of a run of pytest ended in each way, by what it printed with its time."""
    summary = next(line for line in reversed(printed.splitlines()) if _IN_SECONDS.search(line))
    return {end: int(number) for number, end in _ENDS.findall(summary)}


@dataclass(frozen=True)
class Taken:
    """What some runs of a suite took.

    Attributes:
        cases: How many cases ran.
        failed: How many of these failed.
        seconds: The median of the runs.
        mebibytes: The median of the most memory that each held.
    """

    cases: int
    failed: int
    seconds: float
    mebibytes: float


def in_turn(suites: Sequence[tuple[Sequence[str], Path]], times: int) -> list[Taken]:
    """Run suites in turn, so that a machine that is busy for a while is busy for all of them.

    Args:
        suites: For each, the arguments of pytest, and the folder in which it is run.
        times: How many times each is run.
    """
    run = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    rounds = [
        [cost_of([*run, *asked], folder, may_fail=True) for asked, folder in suites]
        for _ in range(times)
    ]
    found = []
    for costs in zip(*rounds, strict=True):
        ends = ends_of(costs[0].printed)
        seconds = statistics.median(cost.seconds for cost in costs)
        mebibytes = statistics.median(cost.mebibytes for cost in costs)
        found.append(Taken(sum(ends.values()), ends.get("failed", 0), seconds, mebibytes))
    return found
