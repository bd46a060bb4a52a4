"""``python -m self_tests.selection``: trace every case, and store which lines of torch.optim it reaches."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from fixtures.command import command, file_to_write
from fixtures.plugins.chosen_cases import case_of
from fixtures.selection import reach as stored_reach
from fixtures.selection.places import Source
from fixtures.selection.reach import Case, Reach
from self_tests.mutation.reach import trace
from self_tests.support.forked_cases import Specification, in_specification


@command
def main(arguments: Sequence[str]) -> int:
    """Trace every case on the CPU, which takes some minutes, and write what is stored."""
    parser = argparse.ArgumentParser(prog="python -m self_tests.selection", description=__doc__)
    parser.add_argument("--to", type=file_to_write, default=stored_reach.STORED)
    chosen = parser.parse_args(arguments)
    return in_specification(
        lambda found: stored_reach.write(measured(found), chosen.to), "-m", "cpu"
    )


def measured(specification: Specification) -> Reach:
    """Return what every case of a collected specification reaches."""
    optim = Path(torch.optim.__file__).parent
    traced = trace(specification, optim)
    lines: dict[Case, frozenset[tuple[str, int]]] = {}
    for node, facts in traced.items():
        if not facts["failed"]:
            item = specification.items[node]
            lines[case_of(item)] = frozenset(
                (Path(file).relative_to(optim).as_posix(), line)
                for file, own in facts["lines"].items()
                for line in own
            )
    groups, profiles, cases = _grouped(lines)
    files = sorted({file for file, _ in groups})
    functions = {file: Source((optim / file).read_text("utf-8")).functions for file in files}
    return Reach(torch.__version__, functions, groups, profiles, cases)


def _grouped(
    lines: Mapping[Case, frozenset[tuple[str, int]]],
) -> tuple[list[tuple[str, frozenset[int]]], list[frozenset[int]], dict[Case, int]]:
    """Return the lines in groups that the same cases reach, the kinds of cases, and the kind of each."""
    kinds = sorted(set(lines.values()), key=sorted)
    number = {kind: index for index, kind in enumerate(kinds)}
    reached: dict[tuple[str, int], set[int]] = defaultdict(set)
    for kind in kinds:
        for place in kind:
            reached[place].add(number[kind])
    together: dict[tuple[str, frozenset[int]], set[int]] = defaultdict(set)
    for (file, line), by in sorted(reached.items()):
        together[file, frozenset(by)].add(line)
    groups = [(file, frozenset(numbers)) for (file, _), numbers in together.items()]
    reaching: list[set[int]] = [set() for _ in kinds]
    for index, (_, reached_by) in enumerate(together):
        for kind_number in reached_by:
            reaching[kind_number].add(index)
    of_case = {case: number[kind] for case, kind in lines.items()}
    return groups, [frozenset(own) for own in reaching], of_case


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
