"""``python -m self_tests.selection.quick``: choose the cases of ``--quick`` by what they notice.

A sample of mutants of torch.optim is tried against a pool of quick cases. Chosen are, in this order: the
cases that together notice most mutants in a second; the quickest case of each claim that takes a
millisecond at most; and cases that reach what few of the others reach. What they notice of other mutants
is said by ``self_tests.selection.share``.
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

import torch

from fixtures.command import command, count
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
_LONGEST, _OF_A_CLAIM = 0.015, 0.001
# So many cases of a test are in the pool, of as many kinds of reach as there are.
_OF_A_TEST = 10
# A mutant that so many cases notice is no longer tried: one of them is easily chosen.
_ENOUGH = 25
# The runs of which the median counts, and those that are looked at, in seconds.
_RUNS = 5
BUDGETS = (SECONDS / 2, SECONDS, 2 * SECONDS)


@command
def main(arguments: Sequence[str]) -> int:
    """Choose and store."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.selection.quick", description=__doc__
    )
    parser.add_argument("--sample", type=count, default=500, help="how many mutants (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="which sample (default 1)")
    parser.add_argument("--jobs", type=count, default=2, help="processes at a time (default 2)")
    parser.add_argument(
        "--around",
        action="store_true",
        help="choose nothing: measure anew what a run takes besides its cases, on a quiet machine",
    )
    asked = parser.parse_args(arguments)
    if asked.around:
        quick.write(_measure_around(quick.read()))
        return 0
    return in_specification(partial(_choose, asked), "-m", "cpu")


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
    order = list(dict.fromkeys(_in_order(specification, reached, pool, kills)))
    told = [(case_of(specification.items[case]), pool[case]) for case in order]
    used = (asked.sample, asked.seed)
    chosen = _measure_around(Chosen(torch.__version__, used, 0.0, told))
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
) -> Iterable[str]:
    # Each mutant twice: what is noticed by one case alone may be noticed by chance.
    yield from _cover(pool, kills, times=2)
    for cases in specification.claims.values():
        quickest = min((case for case in cases if case in pool), key=pool.__getitem__, default=None)
        if quickest is not None and pool[quickest] <= _OF_A_CLAIM:
            yield quickest
    yield from _cover(pool, {case: reached.get(case, frozenset()) for case in pool}, times=3)


def _cover(
    pool: Mapping[str, float], noticed: Mapping[str, Iterable[Hashable]], *, times: int
) -> Iterable[str]:
    """Yield cases until each thing is noticed so many times, the one that notices most in a second first."""
    left: Counter[Hashable] = Counter({name: times for own in noticed.values() for name in own})

    def worth(case: str) -> float:
        return sum(1 for name in noticed[case] if left[name] > 0) / pool[case]

    # What a case is worth only falls, so that one that is worth most by an old account is looked at again.
    ahead = [(-worth(case), case) for case in noticed if case in pool]
    heapq.heapify(ahead)
    while ahead:
        _, case = heapq.heappop(ahead)
        now = worth(case)
        if ahead and now < -ahead[0][0]:
            heapq.heappush(ahead, (-now, case))
        elif now:
            yield case
            left.subtract(noticed[case])
        else:
            return


def _measure_around(chosen: Chosen) -> Chosen:
    """Return a choice with the seconds that a run takes besides its cases, the median of some runs."""
    chosen = replace(chosen, around=0.0)
    quick.write(chosen)
    of_the_cases = sum(seconds for _, seconds in chosen.cases[: len(chosen.within(SECONDS))])
    run = ["-m", "pytest", "-q", "--quick", "-p", "no:cacheprovider"]
    of_a_run = statistics.median(cost_of(run).seconds for _ in range(_RUNS))
    return replace(chosen, around=max(of_a_run - of_the_cases, 0.0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
