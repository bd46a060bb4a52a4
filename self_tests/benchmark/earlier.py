"""``python -m self_tests.benchmark.earlier``: this suite as it is and as it was, side by side.

Both are run in turn, so that a machine that is busy for a while is busy for both, by the same Python with the
same torch.
"""

import argparse
import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixtures.command import command, count, file_to_write
from fixtures.git import said_by_git
from self_tests.benchmark.commands import in_turn
from self_tests.support.forked_cases import ROOT


@command
def main(arguments: Sequence[str]) -> int:
    """Run both in turn, and print a line for each, and the ratio."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.benchmark.earlier", description=__doc__
    )
    parser.add_argument("revision", help="the earlier state, as git names it")
    parser.add_argument("--times", type=count, default=5, help="runs of each (default 5)")
    parser.add_argument("--json", type=file_to_write, help="write the figures to this file")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        _put(asked.revision, Path(folder))
        found = measure({asked.revision: Path(folder), "now": ROOT}, asked.times)
    print("suite      cases  seconds  ms a case     MiB")
    for row in found["suites"]:
        print(
            "{name:9} {cases:6}  {seconds:7.1f}  {each:9.2f}  {mebibytes:6.0f}".format(
                **row, each=1000 * row["seconds"] / row["cases"]
            )
        )
    print(
        f"now / {asked.revision}: {found['ratio']:.2f} in seconds, {found['ratio of a case']:.2f} a case"
    )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(checkouts: dict[str, Path], times: int) -> dict[str, Any]:
    """Return the medians of some runs of two checkouts, the earlier first, and the ratios of the two."""
    taken = in_turn([(("-m", "cpu"), folder) for folder in checkouts.values()], times)
    rows = [
        {"name": name, "cases": of.cases, "seconds": of.seconds, "mebibytes": of.mebibytes}
        for name, of in zip(checkouts, taken, strict=True)
    ]
    before, now = taken
    ratio = now.seconds / before.seconds
    return {
        "times": times,
        "suites": rows,
        "ratio": ratio,
        "ratio of a case": ratio * before.cases / now.cases,
    }


def _put(revision: str, folder: Path) -> None:
    """Put the files of a revision into a folder."""
    archive = said_by_git(
        ROOT, "archive", revision, about=revision, needed_for="running an earlier state"
    )
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
