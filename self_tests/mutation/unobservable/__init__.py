"""The mutants that change nothing observable, and why, as recorded beside this module."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fixtures.command import InputError
from self_tests.mutation.mutants import Mutant

_FIELDS = {"change", "function", "lines", "torch", "reason"}


class UnobservableError(InputError):
    """A record that cannot be read; the message is one line that says what would be right."""


@dataclass(frozen=True)
class Unobservable:
    """Mutants of one module that nothing could notice.

    Attributes:
        module: The module's file name, such as ``adam.py``.
        change: What the mutant does, as the command prints it; ``…`` stands for any text.
        function: The qualified name of the function it is in, with ``*`` for any.
        reason: Why nobody could notice.
        lines: The lines where it stands, if the same change elsewhere can be noticed; none: any.
        torch: The release that the lines are of, and the only one that it speaks of; "": any.
    """

    module: str
    change: str
    function: str
    reason: str
    lines: tuple[int, ...] = ()
    torch: str = ""

    def covers(self, mutant: Mutant) -> bool:
        """Whether the record speaks of this mutant of the installed torch."""
        import torch

        name, line = mutant.path.name, mutant.lines[0]
        return self.describes(name, line, mutant.function, mutant.change, torch.__version__)

    def describes(self, module: str, line: int, function: str, change: str, torch: str) -> bool:
        """Whether the record speaks of a mutant with this place and change, of this torch."""
        pattern = ".*".join(re.escape(part) for part in self.change.split("…"))
        in_place = line in self.lines and torch.partition("+")[0] == self.torch
        return (
            module == self.module
            and fnmatchcase(function, self.function)
            and re.fullmatch(pattern, change) is not None
            and (in_place or not self.lines)
        )


def read(folder: Path | None = None) -> list[Unobservable]:
    """Return all records, in the order of their files.

    Args:
        folder: Where the files are: beside this module unless given.

    Raises:
        UnobservableError: If a file or an entry is not as the README of the folder says.
    """
    return [
        record
        for path in sorted((folder or Path(__file__).parent).glob("*.toml"))
        for record in _of_file(path)
    ]


def _of_file(path: Path) -> Iterable[Unobservable]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("unobservable", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnobservableError(f"{path.name} is not TOML: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnobservableError(f"{path.name}: write [[unobservable]], with two brackets")
    for number, entry in enumerate(entries, start=1):
        unknown = sorted(entry.keys() - _FIELDS)
        needed = ["change", "reason"] + ["torch"] * ("lines" in entry)
        missing = [name for name in needed if not entry.get(name)]
        if unknown or missing:
            what = f"has {unknown[0]!r}" if unknown else f"lacks {missing[0]!r}"
            raise UnobservableError(
                f"{path.name}, entry {number} {what}; an entry has change, function and reason, "
                "and may have lines with the torch that they are of"
            )
        change = " ".join(entry["change"].split())
        yield Unobservable(
            module=f"{path.stem}.py",
            change=change,
            function=entry.get("function", "*"),
            reason=entry["reason"],
            lines=tuple(entry.get("lines", ())),
            torch=entry.get("torch", ""),
        )
