"""``python -m self_tests.selection.share``: how much of what a whole run notices a quick one notices.

A run of mutants tries the cases of the choice first, in the order of the choice. So the case that it names
says which of the quick runs would have noticed a mutant. Those with which the choice was made do not count.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixtures.command import command, file_to_write
from fixtures.plugins.chosen_cases import place_of
from fixtures.selection.quick import Chosen
from fixtures.selection.quick import read as read_quick
from fixtures.selection.reach import Case
from self_tests.mutation.results import read as read_results
from self_tests.mutation.tally import Fate
from self_tests.selection.quick import BUDGETS, sample


@command
def main(arguments: Sequence[str]) -> int:
    """Print what runs of some lengths notice of the mutants that a run of mutants noticed."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.selection.share", description=__doc__
    )
    parser.add_argument("mutants", type=Path, help="what self_tests.mutation --json wrote")
    parser.add_argument("--json", type=file_to_write, help="write the figures to this file")
    asked = parser.parse_args(arguments)
    chosen, results = read_quick(), read_results(asked.mutants)
    used = {(mutant.path.name, mutant.index) for mutant in sample(*chosen.mutants)}
    found = share(chosen, results, used)
    for row in found["runs"]:
        print("{seconds:.0f} s: {cases} cases notice {noticed} of".format(**row), found["noticed"])
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def share(chosen: Chosen, results: dict[str, Any], used: set[tuple[str, int]]) -> dict[str, Any]:
    """Return what runs of some lengths notice.

    Args:
        chosen: The choice of quick cases.
        results: What became of mutants, as ``self_tests.mutation`` writes it.
        used: The mutants with which the choice was made, by module and index.
    """
    others = [row for row in results["mutants"] if (row["module"], row["index"]) not in used]
    by = [_case_of(row["by"]) for row in others if row["fate"] == Fate.DETECTED]
    runs = []
    for seconds in BUDGETS:
        asked = set(chosen.within(seconds))
        # What does not come to an end is noticed by whichever case comes first.
        noticed = sum(case in asked or (case is None and bool(asked)) for case in by)
        runs.append({"seconds": seconds, "cases": len(asked), "noticed": noticed})
    return {
        "torch": results["torch"],
        "seed": results["seed"],
        "mutants": len(others),
        "noticed": len(by),
        "runs": runs,
    }


def _case_of(node_id: str) -> Case | None:
    """Return the case of a node id of the CPU, or None for "time"."""
    test, parameters = place_of(node_id), node_id.partition("[")[2]
    return (test, parameters[:-1].removesuffix("cpu").removesuffix("-")) if test else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
