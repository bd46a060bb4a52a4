"""``python -m self_tests.selection.quick``: choose the cases of ``--quick`` by what they notice.

A sample of mutants of torch.optim is tried against a pool of quick cases, which takes a processor three
quarters of an hour. Chosen are first the quickest case of each claim that takes a millisecond at most, and
then, one after another, the case that adds most in a second: mutants that it notices, and lines that it
reaches, each worth less the more often it was noticed or reached before. What the choice notices of other
mutants is said by ``self_tests.selection.share``.
"""

import argparse
import heapq
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from fixtures.command import InputError, command, count
from fixtures.plugins.cases import why_left_out
from fixtures.plugins.chosen_cases import case_of
from fixtures.plugins.quick import SECONDS
from fixtures.selection import quick
from fixtures.selection.quick import Chosen
from self_tests.benchmark.commands import cost_of
from self_tests.mutation.in_memory import put_in_place
from self_tests.mutation.mutants import Mutant, mutants_below, sample_of
from self_tests.mutation.reach import Place, Reach, measure, time_each
from self_tests.mutation.tally import say
from self_tests.support.forked_cases import Specification, Trial, in_specification
from self_tests.support.loaded_code import loaded_optim

# In seconds: no case of the pool takes longer, and the quickest of a claim is taken that takes no longer.
_LONGEST, _OF_A_CLAIM = 0.030, 0.001
# So many cases of a test are in the pool, of as many kinds of reach as there are.
_OF_A_TEST = 30
# A mutant that so many cases notice is no longer tried: one of them is easily chosen.
_ENOUGH = 12
# What two runs are taken to need besides their cases, in seconds, so that one asks few of them and one many;
# and of how many runs each time is the median.
_GUESSES, _RUNS = (8.0, 6.0), 5
BUDGETS = (SECONDS / 2, SECONDS, 2 * SECONDS)


class Gain(NamedTuple):
    """What it adds that cases notice a thing.

    Attributes:
        first: What the first of them adds.
        again: By what that is multiplied for each further one.
        most: How many of them add anything.
    """

    first: float
    again: float
    most: int


# Figures near these choose as well: a choice by two thirds of the mutants notices as many of the last third.
_MUTANT, _LINE = Gain(1.0, 0.5, 8), Gain(0.2, 0.8, 12)


@command
def main(arguments: Sequence[str]) -> int:
    """Choose and store."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.selection.quick", description=__doc__
    )
    parser.add_argument(
        "--sample", type=count, default=3000, help="how many mutants (default 3000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="which sample (default 1)")
    parser.add_argument("--jobs", type=count, default=2, help="processes at a time (default 2)")
    parser.add_argument(
        "--around",
        action="store_true",
        help="choose nothing: measure anew what a run takes, besides its cases and for them",
    )
    asked = parser.parse_args(arguments)
    if asked.around:
        quick.write(measured(quick.read()))
        return 0
    return in_specification(partial(_choose, asked), "-m", "cpu", "--tb=native")


def sample(size: int, seed: int) -> list[Mutant]:
    """Return a sample of the mutants of the installed torch.optim."""
    return sample_of(mutants_below(Path(torch.optim.__file__).parent), size, seed)


def _choose(asked: argparse.Namespace, specification: Specification) -> None:
    reach = measure(specification, Path(torch.optim.__file__).parent)
    asked_here = [case for case, item in specification.items.items() if not why_left_out(item)]
    seconds = time_each(specification, asked_here)
    reached = reach.by_case()
    pool = _pool(specification, reach, reached, seconds)
    say(f"{len(pool)} cases in the pool, of {len(seconds)}")
    kills: dict[str, list[str]] = defaultdict(list)
    loaded = loaded_optim()
    mutants = {
        f"{number}": mutant for number, mutant in enumerate(sample(asked.sample, asked.seed))
    }
    trials = [
        Trial(name, partial(put_in_place, mutant, loaded), cases, 120, failures=_ENOUGH)
        for name, mutant in mutants.items()
        if (cases := [case for case in reach.of(mutant.path, mutant.lines) if case in pool])
    ]
    for outcome in specification.try_all(trials, asked.jobs):
        for case in outcome.all:
            kills[case].append(outcome.name)
    order = _in_order(specification, reached, pool, kills)
    told = [(case_of(specification.items[case]), pool[case]) for case in order]
    used = (asked.sample, asked.seed)
    chosen = measured(Chosen(torch.__version__, used, max(_GUESSES), told))
    quick.write(chosen)
    noticed = {name for own in kills.values() for name in own}
    say(f"{len(noticed)} of {len(mutants)} mutants are noticed by the pool")
    for budget in BUDGETS:
        own = set(chosen.within(budget))
        by_these = {
            name
            for case, names in kills.items()
            if case_of(specification.items[case]) in own
            for name in names
        }
        say(f"in {budget:.0f} s: {len(own)} cases, {len(by_these)} mutants")


def _pool(
    specification: Specification,
    reach: Reach,
    reached: Mapping[str, frozenset[Place]],
    seconds: Mapping[str, float],
) -> dict[str, float]:
    """Return quick cases of every test, of as many kinds of reach as there are, with their seconds."""
    by_test: dict[str, list[str]] = defaultdict(list)
    for case in sorted(seconds, key=seconds.__getitem__):
        if seconds[case] <= _LONGEST and case not in reach.failing:
            by_test[case_of(specification.items[case])[0]].append(case)
    pool = {}
    for cases in by_test.values():
        kinds: dict[frozenset[Place], str] = {}
        for case in cases:
            kinds.setdefault(reached.get(case, frozenset()), case)
        for case in list(kinds.values())[:_OF_A_TEST]:
            pool[case] = seconds[case]
    return pool


def _in_order(
    specification: Specification,
    reached: Mapping[str, frozenset[Place]],
    pool: Mapping[str, float],
    kills: Mapping[str, Iterable[str]],
) -> list[str]:
    first = []
    for cases in specification.claims.values():
        quickest = min((case for case in cases if case in pool), key=pool.__getitem__, default=None)
        if quickest is not None and pool[quickest] <= _OF_A_CLAIM:
            first.append(quickest)
    return cover(pool, [(_MUTANT, kills), (_LINE, reached)], first)


def cover(
    pool: Mapping[str, float],
    adds: Sequence[tuple[Gain, Mapping[str, Iterable[Hashable]]]],
    first: Sequence[str] = (),
) -> list[str]:
    """Return cases until no further one adds anything, the one that adds most in a second first.

    Args:
        pool: The cases to choose from, with their seconds.
        adds: What it adds that a thing is noticed, and what each case notices; in several ways, added up.
        first: The cases with which the choice begins.
    """
    order = list(dict.fromkeys(first))
    counts = [Counter(thing for case in order for thing in own.get(case, ())) for _, own in adds]

    def worth(case: str) -> float:
        total = 0.0
        for (gain, own), counted in zip(adds, counts, strict=True):
            before = (counted[thing] for thing in own.get(case, ()))
            total += sum(gain.first * gain.again**times for times in before if times < gain.most)
        return total / pool[case]

    # What a case is worth only falls, so that one that is worth most by an old account is looked at again.
    ahead = [(-worth(case), case) for case in pool if case not in order]
    heapq.heapify(ahead)
    while ahead:
        _, case = heapq.heappop(ahead)
        now = worth(case)
        if ahead and now < -ahead[0][0]:
            heapq.heappush(ahead, (-now, case))
        elif now:
            order.append(case)
            for (_, own), counted in zip(adds, counts, strict=True):
                counted.update(own.get(case, ()))
        else:
            break
    return order


def measured(chosen: Chosen) -> Chosen:
    """Return a choice with the seconds that a run takes besides its cases, and those of its cases in a run.

    A case takes longer in a run than by itself, since it is reported there: by so much as a run of many cases
    takes longer than one of few.

    Raises:
        InputError: If there are too few cases for two such runs to differ; nothing is written then.
    """
    guessed = [replace(chosen, around=own) for own in _GUESSES]
    if len({len(own.within(SECONDS)) for own in guessed}) == 1:
        raise InputError(
            f"the chosen cases ({len(chosen.cases)}) do not fill a run of {SECONDS:.0f} s, so that "
            "nothing tells what it takes besides them: choose from a larger --sample"
        )
    (few, short), (many, long) = [_cost_of_a_run(own) for own in guessed]
    scale = (long - short) / (many - few)
    cases = [(case, scale * seconds) for case, seconds in chosen.cases]
    return replace(chosen, around=short - scale * few, cases=cases)


def _cost_of_a_run(chosen: Chosen) -> tuple[float, float]:
    """Return the seconds of the cases of a quick run, each by itself, and of the run."""
    quick.write(chosen)
    asked = len(chosen.within(SECONDS))
    run = ["-m", "pytest", "-q", "--quick", "-p", "no:cacheprovider"]
    of_a_run = statistics.median(cost_of(run).processor for _ in range(_RUNS))
    return sum(seconds for _, seconds in chosen.cases[:asked]), of_a_run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
