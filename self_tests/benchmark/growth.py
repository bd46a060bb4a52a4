"""How the cost grows with the catalogue: optimizers one after another, and what each adds."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from fixtures.catalogue.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Growth:
    """What the first so many optimizers of the catalogue cost.

    Attributes:
        optimizers: How many.
        presets: How many presets they have together.
        cases: How many cases ran for them.
        seconds: How long these took.
    """

    optimizers: int
    presets: int
    cases: int
    seconds: float

    @property
    def milliseconds(self) -> float:
        """The time of a case."""
        return 1000 * self.seconds / self.cases


def growth(results: Path) -> list[Growth]:
    """Return the cost of the first 1, 2, 3 … optimizers, from the file of results of a run."""
    costs: dict[str, list[float]] = {entry.name.lower(): [] for entry in OPTIMIZERS}
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        parameters = (case.get("name") or "").partition("[")[2]
        if case.find("skipped") is None and (name := parameters.partition(".")[0]) in costs:
            costs[name].append(float(case.get("time") or 0))
    found: list[Growth] = []
    for entry in OPTIMIZERS:
        before = found[-1] if found else Growth(0, 0, 0, 0.0)
        own = costs[entry.name.lower()]
        found.append(
            Growth(
                before.optimizers + 1,
                before.presets + len(entry.all_presets),
                before.cases + len(own),
                before.seconds + sum(own),
            )
        )
    return found
