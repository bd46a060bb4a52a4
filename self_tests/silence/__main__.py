"""``python -m self_tests.silence``: run the specification under many conditions and compare the verdicts."""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from fixtures.command import InputError, command, count, file_to_write
from fixtures.devices import cpu
from self_tests.silence.conditions import PLAIN, ROWS, Condition, all_conditions, machines
from self_tests.silence.runs import Outcomes, run


@command
def main(arguments: Sequence[str]) -> int:
    """Run under every condition; print a line for each, and what differs from a plain run."""
    parser = argparse.ArgumentParser(prog="python -m self_tests.silence", description=__doc__)
    parser.add_argument("--only", default="", help="only the conditions whose name contains this")
    parser.add_argument("--row", choices=ROWS, help="only this part of them, on the CPU")
    parser.add_argument(
        "--machines", action="store_true", help="only the played machines, on the CPU"
    )
    parser.add_argument("--jobs", type=count, default=2, help="runs at a time (default 2)")
    parser.add_argument("--reports", type=Path, help="keep the report of each run in this folder")
    parser.add_argument("--json", type=file_to_write, help="write what was found to this file")
    parser.add_argument("paths", nargs="*", help="test paths: the whole specification unless given")
    chosen = parser.parse_args(arguments)
    known = (machines if chosen.machines else all_conditions)(cpu.capability())
    row = ROWS.get(chosen.row)
    conditions = [c for c in known if chosen.only in c.name and (row is None or c.name in row)]
    if not conditions:
        parser.error(f"no condition has {chosen.only!r} in its name, as 'order 7' has 'order'")
    # A played machine plays the CPU: the cases of other devices are left out.
    paths = (*(("-m", "cpu") if chosen.machines or chosen.row else ()), *chosen.paths)
    plain = run(PLAIN, paths, chosen.reports)
    if not plain.cases:
        said = next((line for line in plain.tail.splitlines() if line.startswith("ERROR")), "")
        raise InputError(f"no case ran in the plain run, which ended with {plain.code}: {said}")
    print(f"torch {torch.__version__}: {len(plain.cases)} cases in a plain run, exit {plain.code}")
    rows = [_row(PLAIN, plain, plain)]
    found_so_far = {
        "torch": torch.__version__,
        "processor": cpu.paths(),
        "asked": list(paths),
        "cases": len(plain.cases),
        "runs": rows,
    }
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for condition, found in zip(
            conditions, pool.map(lambda c: run(c, paths, chosen.reports), conditions), strict=True
        ):
            rows.append(_row(condition, found, plain))
            _say(rows[-1], found)
            if chosen.json:  # as it goes: a matrix takes an hour, and may be broken off
                text = json.dumps(found_so_far, indent=1)
                chosen.json.write_text(f"{text}\n", encoding="utf-8")
    wrong = [row for row in rows if row["alarms"]]
    print(f"{len(rows)} runs, {len(wrong)} of them with an alarm")
    return 1 if wrong else 0


def _row(condition: Condition, found: Outcomes, plain: Outcomes) -> dict[str, object]:
    """Return what a run said otherwise than the plain one; a plain run is compared with green."""
    alarms = [
        f"{case}: {found.cases.get(case, 'no such case')} instead of {plain.cases.get(case, 'no such case')}"
        for case in sorted(plain.cases.keys() | found.cases.keys())
        if found.cases.get(case) != plain.cases.get(case)
    ]
    if found.code:
        alarms.insert(0, f"the run ends with {found.code}")
    return {"condition": condition.name, "seconds": round(found.seconds, 1), "alarms": alarms}


def _say(row: dict[str, object], found: Outcomes) -> None:
    alarms = row["alarms"]
    assert isinstance(alarms, list)
    print(f"{row['condition']}: {len(alarms)} alarms, {row['seconds']} s", flush=True)
    for alarm in alarms[:10]:
        print(f"  {alarm}")
    if alarms:
        print(found.tail)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
