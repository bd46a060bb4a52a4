"""The examples in README and guides: every console block is a command and what it prints.

``python -m self_tests.documents.examples`` runs them and compares; with ``--write`` it puts what they
print now in the place of what they printed. A line ``…`` stands for lines that are left out.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.command import command
from self_tests.support.forked_cases import ROOT

_BLOCK = re.compile(r"```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```", re.DOTALL)
_INSTALLS = "-m pip install"
_ELISION = "…"
# What differs between machines, releases of Python and runs, and so is not compared.
_VOLATILE = (
    (re.compile(r"torch \d+\.\d+\.\d+\S*?(?=[,;) ]|$)"), "torch X"),
    (re.compile(r"\(git \w+\), \d+ threads, CPU capability \w+"), "(…)"),
    (re.compile(r"Python \d+\.\d+\.\d+"), "Python X"),
    (re.compile(r"in \d+\.\d+s( \([\d:]+\))?"), "in Xs"),
    (re.compile(r"=+"), "="),
    (re.compile(r"[ \t]+$"), ""),
)


@dataclass(frozen=True)
class Example:
    """One console block: a command, and the output that the page shows."""

    page: Path
    command: str
    output: str

    @property
    def id(self) -> str:
        """A name for the block."""
        return f"{self.page.name}:{self.command}"


def examples() -> list[Example]:
    """Return every console block that can be run here; installing is left to CI."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
    return [
        Example(page, block["command"], block["output"])
        for page in pages
        for block in _BLOCK.finditer(page.read_text(encoding="utf-8"))
        if _INSTALLS not in block["command"]
    ]


def run(example: Example) -> str:
    """Return what the command prints now."""
    words = shlex.split(example.command)
    if words[0] != "python":
        raise ValueError(f"{example.id}: an example begins with 'python'")
    # The command is the project's own, from a page of this checkout.
    # What is printed fits what has no width, whichever terminal this is.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    return done.stdout + done.stderr


def difference(example: Example, printed: str) -> str | None:
    """Return the first shown line that the output lacks, in its order, or None."""
    lines = [_stable(line) for line in printed.splitlines()]
    position = 0
    loose = True
    for shown in map(_stable, example.output.splitlines()):
        if shown == _ELISION:
            loose = True
            continue
        places = range(position, len(lines)) if loose else range(position, position + 1)
        found = next((i for i in places if i < len(lines) and lines[i] == shown), None)
        if found is None:
            return shown
        position, loose = found + 1, False
    return None


def _stable(line: str) -> str:
    for pattern, replacement in _VOLATILE:
        line = pattern.sub(replacement, line)
    return line


def _shape(line: str) -> str:
    """Return what stays of a line when cases are added: all but its numbers and their alignment."""
    return " ".join(re.sub(r"\d+", "N", _stable(line)).split())


def rewritten(example: Example, printed: str) -> str:
    """Return the block's output with the first and last shown line of each stretch kept as anchors."""
    lines = printed.splitlines()
    shown: list[str] = []
    position = 0
    stretches = re.split(rf"^{_ELISION}$\n?", example.output, flags=re.MULTILINE)
    for number, stretch in enumerate(stretches):
        wanted = stretch.splitlines()
        if number:
            shown.append(_ELISION)
        if not wanted:
            continue
        start = _find(lines, wanted[0], position, example)
        end = _find(lines, wanted[-1], start, example)
        shown += lines[start : end + 1]
        position = end + 1
    return "\n".join(shown) + "\n"


def _find(lines: list[str], wanted: str, start: int, example: Example) -> int:
    for index in range(start, len(lines)):
        if _shape(lines[index]) == _shape(wanted):
            return index
    raise ValueError(f"{example.id}: no line {wanted!r} to begin or end the example with")


@command
def main(arguments: Sequence[str]) -> int:
    """Compare or rewrite every example."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.documents.examples", description=__doc__
    )
    parser.add_argument("--write", action="store_true", help="put what is printed now on the pages")
    write = parser.parse_args(arguments).write
    stale = 0
    for example in examples():
        printed = run(example)
        if difference(example, printed) is None:
            continue
        stale += 1
        print(f"{example.id}: {difference(example, printed)!r} is not printed")
        if write:
            text = example.page.read_text(encoding="utf-8")
            new = text.replace(example.output, rewritten(example, printed))
            example.page.write_text(new, encoding="utf-8")
    return int(bool(stale) and not write)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
