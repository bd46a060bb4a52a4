"""``python -m self_tests.silence.rounding``: how much of each tolerance rounding uses up.

The specification is run as it is, and once for each seed of random rounding. Of each tolerance the largest
distance is told that a case had from its expectation: a tolerance should be some two times what is seen.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from fixtures.assertions import tolerances
from fixtures.assertions.tolerances import Tolerance
from fixtures.command import command, count, file_to_write
from fixtures.report.storage import read_report
from self_tests.support.forked_cases import ROOT

_JUDGED = ("holds", "broken")


@command
def main(arguments: Sequence[str]) -> int:
    """Run the specification for each seed; print a line for each tolerance."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.silence.rounding", description=__doc__
    )
    parser.add_argument("--seeds", type=count, default=10, help="how many processors (default 10)")
    parser.add_argument("--json", type=file_to_write, help="write what was found to this file")
    parser.add_argument("reports", nargs="*", type=Path, help="of runs that were made before")
    parser.add_argument("--paths", nargs="*", default=(), help="test paths: all unless given")
    chosen = parser.parse_args(arguments)
    reports = list(map(read_report, chosen.reports)) or [
        _run(seed, chosen.paths) for seed in (None, *range(1, chosen.seeds + 1))
    ]
    found: dict[str, Any] = {
        "torch": torch.__version__,
        "seeds": sum(map(_is_played, reports)),
        "paths": next((r["header"]["options"]["paths"] for r in reports if _is_played(r)), []),
        "tolerances": list(_rows(reports)),
    }
    for row in found["tolerances"]:
        print(f"{row['names']}: {row['plain']:g}, played {row['played']:g} of {row['ulps']:g} ulps")
        print(f"  {row['worst']}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _run(seed: int | None, paths: Sequence[str]) -> Any:
    """Return the report of a run."""
    with tempfile.TemporaryDirectory() as folder:
        played = () if seed is None else ("--random-rounding", f"{seed}")
        command = [sys.executable, "-m", "pytest", "-q", "-m", "cpu", f"--report={folder}"]
        # The command is this project's own tests.
        subprocess.run([*command, *played, *paths], cwd=ROOT, check=False, capture_output=True)
        return read_report(Path(folder))


def _is_played(report: Any) -> bool:
    return "random_rounding" in report["header"]["options"]


def _rows(reports: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield what is used up of each tolerance, from the narrowest to the widest."""
    worst: dict[tuple[float, bool], tuple[float, str]] = {}
    cases: dict[float, set[str]] = {}
    for report in reports:
        for case in (case for claim in report["claims"] for case in claim["cases"]):
            if case["verdict"] not in _JUDGED or not case.get("tolerance"):
                continue
            key = case["tolerance"], _is_played(report)
            worst[key] = max(worst.get(key, (0.0, "")), (float(case["ulps"]), case["node"]))
            cases.setdefault(case["tolerance"], set()).add(case["node"])
    for ulps in sorted(cases):
        plain, played = worst.get((ulps, False), (0.0, "")), worst.get((ulps, True), (0.0, ""))
        yield {
            "names": ", ".join(_names(ulps)) or "of one test module",
            "ulps": ulps,
            "cases": len(cases[ulps]),
            "plain": plain[0],
            "played": played[0],
            "worst": played[1],
        }


def _names(ulps: float) -> list[str]:
    """Return the names of the tolerances of so many ulps, of which a report keeps six digits."""
    known = vars(tolerances).items()
    return [
        name
        for name, value in known
        if isinstance(value, Tolerance) and float(f"{value.ulps:.6g}") == ulps
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
