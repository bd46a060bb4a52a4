"""How much of a run is spent in torch: the floor, which the suite cannot lower but by asking less."""

import pstats
import tempfile
from dataclasses import dataclass
from pathlib import Path

from self_tests.benchmark.commands import cost_of

# Entries of a profile are (file, line, function); a function written in C has the file "~".
_Entry = tuple[str, int, str]


# torch's profiler, which its cases use, puts itself in the place of the one that measures here.
_WITHOUT = ("--ignore=spec_tests/hooks/test_profiling.py",)


@dataclass(frozen=True)
class Shares:
    """Where the time of a profiled run went, in seconds.

    Attributes:
        torch: In functions of torch, in Python or in C, and in what they call.
        pytest: In functions of pytest and its plugins, outside of what they call.
        suite: In the tests and fixtures of this project, outside of what they call.
        rest: In everything else.
    """

    torch: float
    pytest: float
    suite: float
    rest: float

    @property
    def in_torch(self) -> float:
        """The share of torch, from 0 to 1."""
        return self.torch / (self.torch + self.pytest + self.suite + self.rest)


def profiled(paths: tuple[str, ...] = ()) -> Shares:
    """Run the specification under the profiler; return where the time went, importing left out."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "run.prof")
        cost_of(["-m", "cProfile", "-o", file, "-m", "pytest", "-q", *_WITHOUT, *paths])
        stats = pstats.Stats(file).stats  # type: ignore[attr-defined]
    totals = {"torch": 0.0, "pytest": 0.0, "suite": 0.0, "rest": 0.0}
    for entry, (_, _, own, _, callers) in stats.items():
        for kind, part in _by_kind(entry, own, callers):
            totals[kind] += part
    return Shares(**totals)


def _by_kind(
    entry: _Entry, own: float, callers: dict[_Entry, tuple[int, int, float, float]]
) -> list[tuple[str, float]]:
    """Return the kinds of code that a function's own time counts for.

    A builtin function, such as len() or isinstance(), counts for whoever calls it.
    """
    kind = _kind(entry)
    if kind != "builtin":
        return [(kind, own)]
    parts = [(_kind(caller), numbers[2]) for caller, numbers in callers.items()]
    return [("rest" if kind == "builtin" else kind, part) for kind, part in parts]


def _kind(entry: _Entry) -> str:
    file, _, function = entry
    if file == "~":
        return "torch" if "torch" in function else "builtin"
    if "/site-packages/torch/" in file:
        return "torch"
    if any(part in file for part in ("/_pytest/", "/pluggy/", "/syrupy/", "/xdist/")):
        return "pytest"
    if any(part in file for part in ("/spec_tests/", "/fixtures/")):
        return "suite"
    return "rest"  # importing, hypothesis, the standard library
