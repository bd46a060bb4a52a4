"""``python -m self_tests.mutation``: mutate the installed torch.optim and count what is noticed."""

import argparse
import json
import random
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from self_tests.forked_cases import Outcome, Specification, Trial, in_specification
from self_tests.loaded_code import loaded_optim
from self_tests.mutation.in_memory import put_in_place
from self_tests.mutation.mutants import Mutant, mutants_of
from self_tests.mutation.reach import Reach, measure


def main() -> int:
    """Draw a sample of mutants, try each, and print the share detected and every survivor."""
    arguments = _arguments()
    status = in_specification(lambda specification: _run(specification, arguments))
    return int(status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m self_tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=1000, help="how many mutants (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default 0)")
    parser.add_argument("--module", default="", help="only modules whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument("--json", type=Path, help="write what became of each mutant to this file")
    return parser.parse_args()


def _run(specification: Specification, arguments: argparse.Namespace) -> None:
    import torch

    folder = Path(torch.optim.__file__).parent
    modules = [path for path in sorted(folder.rglob("*.py")) if arguments.module in path.name]
    if not modules:
        sys.exit(f"--module {arguments.module}: torch.optim has no such module")
    everything = [mutant for path in modules for mutant in mutants_of(path)]
    size = min(arguments.sample, len(everything))
    sample = random.Random(arguments.seed).sample(everything, size)  # noqa: S311 - a sample
    _say(
        f"torch {torch.__version__}: {len(everything)} mutants, {size} drawn (seed {arguments.seed})"
    )
    reach = measure(specification, folder)
    if reach.failing:
        _say(
            f"{len(reach.failing)} cases fail without a mutant and are left out: {reach.failing[0]} …"
        )
    found = _try_all(specification, sample, reach, arguments.jobs)
    _report(sample, found)
    if arguments.json:
        rows = [{"mutant": str(mutant), **found[mutant]} for mutant in sample]
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _try_all(
    specification: Specification, sample: list[Mutant], reach: Reach, jobs: int
) -> dict[Mutant, dict[str, str]]:
    """Return, for each mutant, its fate and the case that noticed it."""
    loaded = loaded_optim()
    trials, found = [], {}
    by_name = {f"{number}": mutant for number, mutant in enumerate(sample)}
    for name, mutant in by_name.items():
        cases = reach.of(mutant.path, mutant.lines)
        if cases:
            trials.append(Trial(name, partial(put_in_place, mutant, loaded), cases))
        else:
            found[mutant] = {"fate": "not reached", "by": ""}
    for done, outcome in enumerate(specification.try_all(trials, jobs), start=1):
        found[by_name[outcome.name]] = {"fate": _fate(outcome), "by": outcome.noticed_by}
        if done % 50 == 0:
            _say(f"{done} of {len(trials)} tried")
    return found


def _fate(outcome: Outcome) -> str:
    if outcome.message.startswith("torch could not be changed"):
        return "no change"
    return "detected" if outcome.noticed_by else "survived"


def _report(sample: list[Mutant], found: dict[Mutant, dict[str, str]]) -> None:
    by_module: dict[str, Counter[str]] = {}
    for mutant in sample:
        by_module.setdefault(mutant.path.name, Counter())[found[mutant]["fate"]] += 1
    _say(f"{'module':28} mutants detected survived not reached  share")
    total: Counter[str] = Counter()
    for name, counts in sorted(by_module.items()):
        _say(_row(name, counts))
        total += counts
    _say(_row("all", total))
    _say(f"{total['no change']} more could not be put in place or compile to the same code")
    for fate in ("survived", "not reached"):
        _say(f"\n{fate}:")
        for mutant in sorted((m for m in sample if found[m]["fate"] == fate), key=str):
            _say(f"  {mutant}")


def _row(name: str, counts: Counter[str]) -> str:
    detected, survived, missed = counts["detected"], counts["survived"], counts["not reached"]
    tried = detected + survived + missed
    share = f"{100 * detected / tried:5.1f}%" if tried else "    -"
    return f"{name:28} {tried:7} {detected:8} {survived:8} {missed:11}  {share}"


def _say(line: str) -> None:
    sys.__stdout__ and print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.exit(main())
