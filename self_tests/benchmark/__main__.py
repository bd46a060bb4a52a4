"""``python -m self_tests.benchmark``: what a run of the specification costs, side by side."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fixtures.command import command, file_to_write
from self_tests.benchmark.commands import cost_of, ends_of
from self_tests.benchmark.growth import by_implementations, by_optimizers
from self_tests.benchmark.profile import profiled


@command
def main(arguments: Sequence[str]) -> int:
    """Measure, one after another, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m self_tests.benchmark", description=__doc__)
    parser.add_argument("--json", type=file_to_write, help="write the figures to this file")
    parser.add_argument("paths", nargs="*", help="test paths: the whole specification unless given")
    chosen = parser.parse_args(arguments)
    figures = _measure(tuple(chosen.paths))
    for name, value in figures.items():
        if not isinstance(value, list):
            print(f"{name:52} {value:10.2f}")
    for kind, rows in figures.items():
        if not isinstance(rows, list):
            continue
        print(f"\n{'up to the ' + kind:26}   cases  seconds  ms a case")
        for last, cases, *times in rows:
            print(f"{last:26}  {cases:6}", *(f"{float(time):8.2f}" for time in times))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _measure(paths: tuple[str, ...]) -> dict[str, float | list[list[str | float]]]:
    importing = cost_of(["-c", "import torch"])
    collecting = cost_of(["-m", "pytest", "-q", "--collect-only", *paths])
    serial = cost_of(["-m", "pytest", "-q", *paths])
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        with_results = cost_of(["-m", "pytest", "-q", f"--junitxml={results}", *paths])
        grown = {
            "optimizers": by_optimizers(results),
            "implementations": by_implementations(results),
        }
    parallel = cost_of(["-m", "pytest", "-q", "-n", "2", *paths])
    shares = profiled(paths)
    cases = sum(ends_of(serial.printed).values())
    claims = _claims(serial.printed)
    return {
        "importing torch, seconds": importing.seconds,
        "collection alone, seconds": collecting.seconds,
        "the whole run in one process, seconds": serial.seconds,
        "the whole run with -n 2, seconds": parallel.seconds,
        "cases that ran": cases,
        "claims that were checked": claims,
        "cases a second, in one process": cases / serial.seconds,
        "claims a second, in one process": claims / serial.seconds,
        "time in torch's own code under the profiler, percent": 100 * shares.in_torch,
        "seconds under the profiler: torch": shares.torch,
        "seconds under the profiler: pytest": shares.pytest,
        "seconds under the profiler: this suite": shares.suite,
        "seconds under the profiler: everything else": shares.rest,
        "peak memory of one process, MiB": serial.mebibytes,
        "peak memory of one process with --junitxml, MiB": with_results.mebibytes,
        **{
            kind: [[row.last, row.cases, row.seconds, row.milliseconds] for row in rows]
            for kind, rows in grown.items()
        },
    }


def _claims(printed: str) -> int:
    """Return how many claims a run says that it checked: those that hold, are broken or deviate."""
    row = next(line for line in printed.splitlines() if line.startswith("all "))
    return sum(int(number) for number in row.split()[1:4])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
