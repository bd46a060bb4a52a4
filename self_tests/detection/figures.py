"""The figures of docs/detection.json: what the commands measured, as far as the page shows it."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixtures.command import InputError, text_of
from self_tests.mutation.tally import Fate
from self_tests.mutation.unobservable import Unobservable
from self_tests.mutation.unobservable import read as read_unobservable
from self_tests.support.forked_cases import ROOT

FIGURES = ROOT / "docs" / "detection.json"
PAGE = ROOT / "docs" / "detection.md"
KINDS = (
    "mutation", "quick", "empty", "silence", "machines", "rounding", "benchmark", "earlier", "peer",
)  # fmt: skip


# What the page needs of each.
_KEYS = {
    "mutation": {"torch", "seed", "mutants"},
    "quick": {"torch", "seed", "mutants", "noticed", "runs"},
    "empty": {"claims", "named", "unproven"},
    "silence": {"torch", "cases", "runs"},
    "machines": {"torch", "asked", "cases", "runs"},
    "rounding": {"torch", "seeds", "paths", "tolerances"},
    "benchmark": {"optimizers", "implementations"},
    "earlier": {"times", "suites", "ratio", "ratio of a case"},
    "peer": {"torch", "seed", "mutants", "times", "sides"},
}
# Of these, several files are written: one for each release of torch, or for a part of the conditions.
IN_PARTS = ("machines",)


def read_figures() -> dict[str, Any]:
    """Return the figures that were measured last, by the command that measured them."""
    try:
        return dict(json.loads(text_of(FIGURES))) if FIGURES.exists() else {}
    except ValueError:
        raise InputError(f"{FIGURES}: no JSON, or cut off; restore it") from None


def measured(kind: str, path: Path) -> dict[str, Any]:
    """Return what a command wrote to a file.

    Raises:
        InputError: If it is no file of that command.
    """
    try:
        found = json.loads(text_of(path))
    except ValueError:
        raise InputError(f"--{kind} {path}: no JSON, or cut off") from None
    missing = _KEYS[kind] - found.keys() if isinstance(found, dict) else _KEYS[kind]
    if missing:
        raise InputError(
            f"--{kind} {path}: not what the {kind} command writes: it has no {', '.join(sorted(missing))}"
        )
    return dict(found)


def with_part(parts: Sequence[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is kept of machines that were played, and a new file.

    Conditions of the same cases are put together, in the order in which they came. Of other cases, those
    that were not asked again are kept; a part of which only the plain run is left is not.
    """
    kept, runs = [], {run["condition"]: run for run in new["runs"]}
    for part in parts:
        if (part["torch"], part["asked"]) != (new["torch"], new["asked"]):
            kept.append(part)
        elif part["cases"] == new["cases"]:
            runs = {run["condition"]: run for run in part["runs"]} | runs
        else:
            others = [run for run in part["runs"] if run["condition"] not in runs]
            kept += [{**part, "runs": [part["runs"][0], *others]}] if others else []
    return [*kept, {**new, "runs": list(runs.values())}]


def digest(found: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of a run of mutants by module, and whatever was not detected."""
    modules: dict[str, Counter[str]] = {}
    left = []
    records = read_unobservable()
    for row in found["mutants"]:
        fate = row["fate"]
        if fate in (Fate.SURVIVED, Fate.NOT_REACHED):
            if record := _record_of(row, found["torch"], records):
                fate = Fate.UNOBSERVABLE
            reason = record.reason if record else ""
            left.append(
                {k: row[k] for k in ("module", "line", "function", "change")}
                | {"fate": str(fate), "reason": reason}
            )
        modules.setdefault(row["module"], Counter())[str(fate)] += 1
    return {
        "torch": found["torch"],
        "seed": found["seed"],
        "modules": {name: dict(counts) for name, counts in sorted(modules.items())},
        "left": sorted(left, key=lambda row: (row["module"], row["line"], row["change"])),
    }


def _record_of(
    row: dict[str, Any], torch: str, records: Sequence[Unobservable]
) -> Unobservable | None:
    place = (row["module"], row["line"], row["function"], row["change"], torch)
    return next((record for record in records if record.describes(*place)), None)
