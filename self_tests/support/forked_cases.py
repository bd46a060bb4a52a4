"""Runs cases of the specification in forked processes, each with a torch that was changed first.

One pytest session collects the specification and runs nothing. For each trial it forks: the child
changes torch, runs the cases it was given until one fails, and says what it saw. The parent stays as it
was after collection, so that nothing a case caches reaches the next trial.
"""

import json
import os
import select
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Trial:
    """A change of torch, and the cases that are to notice it.

    Attributes:
        name: What the trial is called in its outcome.
        prepare: Changes torch, in the child; may raise to say that it cannot.
        cases: The node ids of the cases, in the order in which they are tried.
        seconds: After which the child is killed; endless loops are noticed so.
        failures: After so many cases that failed, the others are not run.
    """

    name: str
    prepare: Callable[[], None]
    cases: Sequence[str]
    seconds: int = 120
    failures: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        name: The trial's.
        noticed_by: The case that failed first, "time" if none came to an end, or "".
        message: The failure message of that case, or why torch could not be changed.
        all: Every case that failed.
    """

    name: str
    noticed_by: str
    message: str
    all: Sequence[str] = ()


class Specification:
    """The collected specification, from inside the session that holds it."""

    def __init__(self, session: pytest.Session):
        self.items = {item.nodeid: item for item in session.items}

        self.claims: dict[str, list[str]] = {}
        for node_id, item in self.items.items():
            if marker := item.get_closest_marker("claim"):
                self.claims.setdefault(marker.args[0], []).append(node_id)

    def cases_of(self, claim: str) -> list[str]:
        """Return the node ids of a claim's cases."""
        return self.claims.get(claim, [])

    def try_all(self, trials: Iterable[Trial], jobs: int = 2) -> Iterator[Outcome]:
        """Run trials in forked processes, so many at a time; yield outcomes as they come."""
        waiting = iter(trials)
        running: dict[int, tuple[Trial, int, bytes]] = {}
        exhausted = False
        while running or not exhausted:
            while len(running) < jobs and not exhausted:
                trial = next(waiting, None)
                if trial is None:
                    exhausted = True
                else:
                    reading_end, process = self._fork(trial)
                    running[reading_end] = (trial, process, b"")
            ready, _, _ = select.select(list(running), [], []) if running else ([], [], [])
            for reading_end in ready:
                trial, process, text = running[reading_end]
                if piece := os.read(reading_end, 1 << 16):
                    running[reading_end] = (trial, process, text + piece)
                    continue
                os.close(reading_end)
                os.waitpid(process, 0)
                del running[reading_end]
                yield Outcome(**json.loads(text)) if text else Outcome(trial.name, "time", "")

    def _fork(self, trial: Trial) -> tuple[int, int]:
        reading_end, writing_end = os.pipe()
        process = os.fork()
        if process:
            os.close(writing_end)
            return reading_end, process
        try:
            os.close(reading_end)
            signal.alarm(trial.seconds)
            _silence()
            answer = json.dumps(asdict(self._try(trial))).encode()
            while answer:
                answer = answer[os.write(writing_end, answer) :]
        finally:
            os._exit(0)

    def _try(self, trial: Trial) -> Outcome:
        try:
            trial.prepare()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            return Outcome(trial.name, "", f"torch could not be changed: {error!r}")
        items = [self.items[node_id] for node_id in trial.cases]
        failed: dict[str, str] = {}
        for item, following in zip_longest(items, items[1:]):
            for report in runtestprotocol(item, nextitem=following, log=False):
                if report.failed:
                    failed.setdefault(item.nodeid, report.longreprtext)
            if len(failed) >= trial.failures:
                break
        first = next(iter(failed), "")
        return Outcome(trial.name, first, failed.get(first, ""), list(failed))


def _silence() -> None:
    """Send what the child prints to nowhere: its voice is the pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def in_specification(
    work: Callable[[Specification], None], *arguments: str, paths: Sequence[str] = ()
) -> int:
    """Collect the specification and do some work inside the session; return pytest's exit code, 0.

    Args:
        work: What is done in the place of running the tests.
        *arguments: More arguments for pytest.
        paths: The test paths to collect: the whole specification unless given.

    Raises:
        SystemExit: With the exit code of a pytest that did not come to the work, and has said why.
    """
    return in_session(
        work, f"--rootdir={ROOT}", "-c", str(ROOT / "pyproject.toml"), *arguments,
        *(paths or [str(ROOT / "spec_tests")]),
    )  # fmt: skip


def in_session(work: Callable[[Specification], None], *arguments: str) -> int:
    """Collect tests with the arguments given to pytest; for the rest like ``in_specification()``."""
    quiet = ("-qq", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-p", "no:randomly")
    code = pytest.main([*quiet, *arguments], plugins=[_WorkInstead(work)])
    if code:
        raise SystemExit(int(code))
    return 0


class _WorkInstead:
    """A plugin that puts some work in the place of running the tests."""

    def __init__(self, work: Callable[[Specification], None]):
        self._work = work

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do the work; True says that the tests are dealt with."""
        import torch

        torch.set_num_threads(1)  # a forked child has no other thread of torch's
        self._work(Specification(session))
        return True
