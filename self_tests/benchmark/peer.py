"""``python -m self_tests.benchmark.peer``: this suite and PyTorch's own tests, side by side.

Both are run in turn, so that a machine that is busy for a while is busy for both, and both are asked of the
same mutants. PyTorch's tests of optimizers, schedulers and averaging are those of a checkout, best at the
tag of the torch that is installed; they need numpy and expecttest.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fixtures.command import command, count, file_to_write
from self_tests.benchmark.commands import cost_of, in_turn
from self_tests.mutation.results import read
from self_tests.mutation.tally import Fate
from self_tests.support.forked_cases import ROOT
from self_tests.support.pytorch_tests import to_collect


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        name: What it is called.
        tests: The arguments with which pytest runs it.
        mutants: The arguments with which it is asked of mutants.
    """

    name: str
    tests: Sequence[str]
    mutants: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """What was seen of one side.

    Attributes:
        name: What it is called.
        cases: How many cases ran.
        failed: How many of these failed, with nothing changed.
        seconds: The median of its runs.
        noticed: How many mutants it noticed.
    """

    name: str
    cases: int
    failed: int
    seconds: float
    noticed: int


@command
def main(arguments: Sequence[str]) -> int:
    """Run both in turn, ask both of the same mutants, and print a line for each."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.benchmark.peer", description=__doc__
    )
    parser.add_argument("checkout", type=Path, help="the top folder of a checkout of PyTorch")
    parser.add_argument("--times", type=count, default=5, help="runs of each (default 5)")
    parser.add_argument("--sample", type=count, default=200, help="how many mutants (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default 0)")
    parser.add_argument("--json", type=file_to_write, help="write the figures to this file")
    asked = parser.parse_args(arguments)
    found = _measure(_sides(asked.checkout), asked.times, asked.sample, asked.seed)
    print("tests                  cases  failed  seconds  noticed  noticed in a second of a run")
    for row in found["sides"]:
        print(
            "{name:20} {cases:7}  {failed:6}  {seconds:7.1f}  {noticed:7}".format(**row),
            f"{row['noticed'] / row['seconds']:29.2f}",
        )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _sides(checkout: Path) -> list[Side]:
    theirs = to_collect(checkout)
    return [
        Side("this suite", ("-m", "cpu"), ()),
        Side("PyTorch's own tests", theirs, ("--pytorch", str(checkout.resolve()))),
    ]


def _measure(sides: Sequence[Side], times: int, sample: int, seed: int) -> dict[str, Any]:
    taken = in_turn([(side.tests, ROOT) for side in sides], times)
    rows = []
    for side, of in zip(sides, taken, strict=True):
        results = _mutants(side, sample, seed)
        noticed = sum(row["fate"] == Fate.DETECTED for row in results["mutants"])
        rows.append(asdict(Measured(side.name, of.cases, of.failed, of.seconds, noticed)))
    mutants = len(results["mutants"])
    return {
        "torch": results["torch"],
        "seed": seed,
        "mutants": mutants,
        "times": times,
        "sides": rows,
    }


def _mutants(side: Side, sample: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "mutants.json"
        cost_of(
            [
                "-m", "self_tests.mutation", "--sample", str(sample), "--seed", str(seed),
                "--json", str(results), *side.mutants,
            ]
        )  # fmt: skip
        return read(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
