"""What became of mutants, counted by module, and said."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from self_tests.mutation.mutants import Mutant
from self_tests.mutation.unobservable import Unobservable


class Fate(StrEnum):
    """What became of a mutant."""

    DETECTED = "detected"
    SURVIVED = "survived"
    NOT_REACHED = "not reached"
    UNOBSERVABLE = "unobservable"
    NO_CHANGE = "no change"


@dataclass(frozen=True)
class Found:
    """What became of one mutant, and the case that noticed it or ""."""

    fate: Fate
    by: str = ""


def report(found: Mapping[Mutant, Found], records: Sequence[Unobservable]) -> None:
    """Print the share detected by module, every survivor, and the records that are wrong."""
    covered = {m: [r for r in records if r.covers(m)] for m in found}
    fates = {
        mutant: Fate.UNOBSERVABLE
        if covered[mutant] and what.fate in (Fate.SURVIVED, Fate.NOT_REACHED)
        else what.fate
        for mutant, what in found.items()
    }
    by_module: dict[str, Counter[Fate]] = {}
    for mutant, fate in fates.items():
        by_module.setdefault(mutant.path.name, Counter())[fate] += 1
    say(
        f"{'module':20} mutants detected survived not reached unobservable  share  of the observable"
    )
    total: Counter[Fate] = Counter()
    for name, counts in sorted(by_module.items()):
        say(_row(name, counts))
        total += counts
    say(_row("all", total))
    say(f"{total[Fate.NO_CHANGE]} more could not be put in place or compile to the same code")
    for fate in (Fate.SURVIVED, Fate.NOT_REACHED):
        say(f"\n{fate}:")
        for mutant in sorted((m for m in found if fates[m] is fate), key=str):
            say(f"  {mutant}")
    wrong = [m for m, what in found.items() if covered[m] and what.fate is Fate.DETECTED]
    if wrong:
        say("\nrecorded as unobservable, and yet detected:")
        for mutant in sorted(wrong, key=str):
            say(f"  {mutant}  by {found[mutant].by}")


def _row(name: str, counts: Counter[Fate]) -> str:
    detected, survived = counts[Fate.DETECTED], counts[Fate.SURVIVED]
    missed, hidden = counts[Fate.NOT_REACHED], counts[Fate.UNOBSERVABLE]
    tried = detected + survived + missed + hidden
    return (
        f"{name:20} {tried:7} {detected:8} {survived:8} {missed:11} {hidden:12}  "
        f"{_share(detected, tried)}  {_share(detected, tried - hidden):>17}"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f}%" if whole else "    -"


def say(line: str) -> None:
    """Print a line where pytest, which runs around this, does not catch it."""
    sys.__stdout__ and print(line, file=sys.__stdout__, flush=True)
