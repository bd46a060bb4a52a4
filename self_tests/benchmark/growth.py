"""How the cost grows with the catalogue and with the implementations: one after another, what each adds."""

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.catalogue.implementations import IMPLEMENTATIONS
from fixtures.catalogue.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Growth:
    """What the first so many entries cost together.

    Attributes:
        last: The last of them.
        cases: How many cases ran for them.
        seconds: How long these took.
    """

    last: str
    cases: int
    seconds: float

    @property
    def milliseconds(self) -> float:
        """The time of a case."""
        return 1000 * self.seconds / self.cases if self.cases else 0.0


def by_optimizers(results: Path) -> list[Growth]:
    """Return the cost of the first 1, 2, 3 … optimizers, from the file of results of a run."""
    names = [entry.name for entry in OPTIMIZERS]
    named = {name.lower(): name for name in names}
    return _growth(
        names,
        ((named.get(words[0].partition(".")[0]), seconds) for words, seconds in _cases(results)),
    )


def by_implementations(results: Path) -> list[Growth]:
    """Return the cost of the first 1, 2, 3 … implementations of a step."""
    return _growth(
        list(IMPLEMENTATIONS),
        ((word, seconds) for words, seconds in _cases(results) for word in words[1:]),
    )


def _cases(results: Path) -> Iterator[tuple[list[str], float]]:
    """Yield the words of the id of each case that ran, and its seconds."""
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        parameters = (case.get("name") or "").partition("[")[2].rstrip("]")
        if case.find("skipped") is None:
            yield parameters.split("-"), float(case.get("time") or 0)


def _growth(names: Sequence[str], cases: Iterable[tuple[str | None, float]]) -> list[Growth]:
    costs: dict[str | None, list[float]] = defaultdict(list)
    for name, seconds in cases:
        costs[name].append(seconds)
    found, so_far, total = [], 0, 0.0
    for name in names:
        so_far, total = so_far + len(costs[name]), total + sum(costs[name])
        found.append(Growth(name, so_far, total))
    return found
