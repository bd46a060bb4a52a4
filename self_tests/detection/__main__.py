"""``python -m self_tests.detection``: docs/detection.md, from the figures that were measured.

The commands of mutation, empty claims, silence and benchmark write files; this one takes what the page
needs of them into docs/detection.json, and makes the page of that.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from fixtures.command import command
from self_tests.detection.figures import (
    FIGURES,
    IN_PARTS,
    KINDS,
    PAGE,
    digest,
    measured,
    read_figures,
    with_part,
)
from self_tests.detection.page import page


@command
def main(arguments: Sequence[str]) -> int:
    """Take in new figures, if any are given, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m self_tests.detection", description=__doc__)
    for kind in KINDS:
        parser.add_argument(
            f"--{kind}",
            type=Path,
            nargs="+" if kind in IN_PARTS else 1,
            default=(),
            help=f"the file that the {kind} command wrote",
        )
    chosen = vars(parser.parse_args(arguments))
    figures = read_figures()
    for kind in KINDS:
        for path in chosen[kind]:
            found = measured(kind, path)
            if kind in IN_PARTS:
                figures[kind] = with_part(figures.get(kind, []), found)
            else:
                figures[kind] = digest(found) if kind == "mutation" else found
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
