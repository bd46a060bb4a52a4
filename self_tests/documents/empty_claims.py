"""``python -m self_tests.documents.empty_claims``: the claims that nothing was seen to break.

A claim is proven by a fault of self_tests/sabotage that names it. For the others, mutants of lines that
their cases run are tried until one of them is noticed.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from fixtures.command import command, count, file_to_write
from fixtures.plugins.cases import why_left_out
from self_tests.mutation.in_memory import put_in_place
from self_tests.mutation.mutants import Mutant, mutants_below
from self_tests.mutation.reach import measure
from self_tests.sabotage.runner import all_faults
from self_tests.support.forked_cases import Specification, Trial, in_specification
from self_tests.support.loaded_code import loaded_optim


@command
def main(arguments: Sequence[str]) -> int:
    """Print the claims that neither a fault nor a mutant breaks, and how many there are."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.documents.empty_claims", description=__doc__
    )
    parser.add_argument(
        "--tries", type=count, default=24, help="mutants for each claim (default 24)"
    )
    parser.add_argument("--jobs", type=count, default=2, help="processes at a time (default 2)")
    parser.add_argument("--json", type=file_to_write, help="write what was found to this file")
    asked_for = parser.parse_args(arguments)
    named = {fault.claim for fault in all_faults()}
    unproven: list[str] = []
    found: dict[str, object] = {"unproven": unproven}

    def work(specification: Specification) -> None:
        asked = _asked_of_this_torch(specification)
        waiting = [claim for claim in asked if claim not in named]
        _say(f"{len(asked)} claims, {len(waiting)} of them named by no fault")
        found.update(claims=len(asked), named=len(asked) - len(waiting))
        unproven.extend(_unproven(specification, waiting, asked_for.tries, asked_for.jobs))

    in_specification(work, "-m", "cpu")
    for claim in unproven:
        _say(f"  {claim}")
    _say(f"{len(unproven)} claims that nothing was seen to break")
    if asked_for.json:
        asked_for.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if unproven else 0


def _asked_of_this_torch(specification: Specification) -> list[str]:
    """Return the claims of which a case applies to the installed torch; no other can be broken here."""
    return [
        claim
        for claim, cases in specification.claims.items()
        if not all(why_left_out(specification.items[case]) for case in cases)
    ]


def _unproven(
    specification: Specification, waiting: list[str], tries: int, jobs: int
) -> Iterator[str]:
    """Yield the claims whose cases notice none of the mutants that are tried on them."""
    import torch

    folder = Path(torch.optim.__file__).parent
    mutants = mutants_below(folder)
    random.Random(0).shuffle(mutants)  # noqa: S311 - a sample
    cases = {claim: specification.cases_of(claim) for claim in waiting}
    reach = measure(specification, folder, [case for own in cases.values() for case in own])
    reached = {mutant: set(reach.of(mutant.path, mutant.lines)) for mutant in mutants}
    loaded = loaded_optim()
    noticed: set[str] = set()

    def trials() -> Iterator[Trial]:
        for claim, own in cases.items():
            chosen = [m for m in mutants if not reached[m].isdisjoint(own)][:tries]
            for number, mutant in enumerate(chosen):
                if claim not in noticed:
                    yield _trial(
                        f"{claim} {number}", mutant, [c for c in own if c in reached[mutant]]
                    )

    def _trial(name: str, mutant: Mutant, on: list[str]) -> Trial:
        return Trial(name, partial(put_in_place, mutant, loaded), on)

    for outcome in specification.try_all(trials(), jobs):
        if outcome.noticed_by:
            noticed.add(outcome.name.split()[0])
    yield from (claim for claim in waiting if claim not in noticed)


def _say(line: str) -> None:
    sys.__stdout__ and print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
