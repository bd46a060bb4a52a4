"""``python -m self_tests.mutation``: mutate the installed torch.optim and count what is noticed."""

import argparse
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fixtures.command import InputError, command, count, file_to_write
from fixtures.plugins.chosen_cases import case_of
from fixtures.selection.quick import read as read_quick
from self_tests.mutation.in_memory import put_in_place
from self_tests.mutation.mutants import Mutant, mutants_of, sample_of
from self_tests.mutation.reach import Reach, measure
from self_tests.mutation.results import gone_on_from, write
from self_tests.mutation.tally import Fate, Found, report, say
from self_tests.mutation.unobservable import read as read_unobservable
from self_tests.support.forked_cases import (
    Outcome,
    Specification,
    Trial,
    in_session,
    in_specification,
)
from self_tests.support.loaded_code import loaded_optim
from self_tests.support.pytorch_tests import to_collect


@command
def main(arguments: Sequence[str]) -> int:
    """Draw a sample of mutants, try each, and print the share detected and every survivor."""
    asked = _asked(arguments)
    theirs = to_collect(asked.pytorch) if asked.pytorch else []
    work = partial(_run, _drawn(asked), asked)
    if theirs:
        return in_session(work, *theirs)
    device = ("--device", asked.device) if asked.device else ()
    return in_specification(work, *device, paths=asked.cases)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m self_tests.mutation", description=__doc__)
    parser.add_argument(
        "--sample", type=count, default=1000, help="how many mutants (default 1000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="which sample (default 0)")
    parser.add_argument(
        "--module", nargs="+", default=[""], help="only these modules, or those named so in part"
    )
    parser.add_argument(
        "--lines", type=_lines, help="only mutants between these lines, as in 10-20"
    )
    parser.add_argument("--cases", nargs="+", default=[], help="only the cases of these test paths")
    parser.add_argument(
        "--pytorch", type=Path, help="ask PyTorch's own tests instead, in this checkout of it"
    )
    parser.add_argument(
        "--after", type=Path, help="go on from this file of --json: try what it did not detect"
    )
    parser.add_argument(
        "--device", default="", help="ask of this device too; emulated: of it alone"
    )
    parser.add_argument("--jobs", type=count, default=2, help="processes at a time (default 2)")
    parser.add_argument(
        "--json", type=file_to_write, help="write what became of each mutant to this file"
    )
    asked = parser.parse_args(arguments)
    if asked.pytorch and (asked.device or asked.cases):
        raise InputError(
            "--pytorch asks PyTorch's own tests, and --device and --cases choose among those of this suite: "
            "leave one or the other out"
        )
    return asked


def _lines(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    lines = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if lines[0] > lines[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of lines such as 10-20")
    return lines


def _drawn(arguments: argparse.Namespace) -> dict[Mutant, Found]:
    """Return the mutants to try, or those of an earlier run with what became of them."""
    import torch

    everything = _mutants(arguments)
    if arguments.after:
        return gone_on_from(arguments.after, torch.__version__, everything)
    sample = sample_of(everything, arguments.sample, arguments.seed)
    say(
        f"torch {torch.__version__}: {len(everything)} mutants, {len(sample)} drawn (seed {arguments.seed})"
    )
    return dict.fromkeys(sample, Found(Fate.NOT_REACHED))


def _run(
    before: dict[Mutant, Found], arguments: argparse.Namespace, specification: Specification
) -> None:
    import torch

    records = read_unobservable()
    reach = measure(specification, Path(torch.optim.__file__).parent)
    if reach.failing:
        say(f"{len(reach.failing)} cases fail without a mutant and are left out: {reach.failing}")
    open_ones = [m for m, what in before.items() if what.fate in (Fate.NOT_REACHED, Fate.SURVIVED)]
    tried = _try_all(specification, open_ones, reach, arguments.jobs)
    # What one run reached and another did not has survived, whichever came first.
    found = {
        mutant: what
        if tried.get(mutant, _NOTHING).fate is Fate.NOT_REACHED
        else tried.get(mutant, what)
        for mutant, what in before.items()
    }
    report(found, records)
    if arguments.json:
        write(arguments.json, torch.__version__, arguments.seed, found)


_NOTHING = Found(Fate.NOT_REACHED)


def _mutants(arguments: argparse.Namespace) -> list[Mutant]:
    """Return the mutants of the modules and lines that were asked for, in a stable order."""
    import torch

    paths = sorted(Path(torch.optim.__file__).parent.rglob("*.py"))
    modules = dict.fromkeys(path for name in arguments.module for path in _named(name, paths))
    first, last = arguments.lines or (1, sys.maxsize)
    return [m for path in modules for m in mutants_of(path) if first <= m.lines[0] <= last]


def _named(name: str, paths: list[Path]) -> list[Path]:
    """Return the module of a name, or all that have it in their names."""
    found = [path for path in paths if path.name == name]
    found = found or [path for path in paths if name in path.name]
    if not found:
        raise InputError(f"--module {name}: torch.optim has no such module, as adam.py is one")
    return found


def _try_all(
    specification: Specification, sample: list[Mutant], reach: Reach, jobs: int
) -> dict[Mutant, Found]:
    """Return, for each mutant, its fate and the case that noticed it."""
    loaded = loaded_optim()
    trials, found = [], {}
    by_name = {f"{number}": mutant for number, mutant in enumerate(sample)}
    # Those first that were chosen for noticing much in little time.
    place = {case: number for number, (case, _) in enumerate(read_quick().cases)}
    order = {
        node: place.get(case_of(item), len(place)) for node, item in specification.items.items()
    }
    for name, mutant in by_name.items():
        cases = sorted(reach.of(mutant.path, mutant.lines), key=order.__getitem__)
        if cases:
            # A slow device needs its time for many cases; what is endless is noticed all the same.
            seconds = Trial.seconds + len(cases) // 20
            trials.append(Trial(name, partial(put_in_place, mutant, loaded), cases, seconds))
        else:
            found[mutant] = Found(Fate.NOT_REACHED)
    for done, outcome in enumerate(specification.try_all(trials, jobs), start=1):
        found[by_name[outcome.name]] = Found(_fate(outcome), outcome.noticed_by)
        if done % 50 == 0:
            say(f"{done} of {len(trials)} tried")
    return {mutant: found[mutant] for mutant in sample}


def _fate(outcome: Outcome) -> Fate:
    if outcome.message.startswith("torch could not be changed"):
        return Fate.NO_CHANGE
    return Fate.DETECTED if outcome.noticed_by else Fate.SURVIVED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
