"""The mutants that change nothing observable, and why, as recorded beside this module."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from self_tests.mutation.mutants import Mutant

_FIELDS = {"change", "function", "reason"}


class UnobservableError(ValueError):
    """A record that cannot be read; the message is one line that says what would be right."""


@dataclass(frozen=True)
class Unobservable:
    """Mutants of one module that nothing could notice.

    Attributes:
        module: The module's file name, such as ``adam.py``.
        change: What the mutant does, as the command prints it; ``…`` stands for any text.
        function: The qualified name of the function it is in, with ``*`` for any.
        reason: Why nobody could notice.
    """

    module: str
    change: str
    function: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether the record speaks of this mutant."""
        return self.describes(mutant.path.name, mutant.function, mutant.change)

    def describes(self, module: str, function: str, change: str) -> bool:
        """Whether the record speaks of a mutant with this module, function and change."""
        pattern = ".*".join(re.escape(part) for part in self.change.split("…"))
        return (
            module == self.module
            and fnmatchcase(function, self.function)
            and re.fullmatch(pattern, change) is not None
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
    except tomllib.TOMLDecodeError as error:
        raise UnobservableError(f"{path.name} is not TOML: {error}") from None
    for number, entry in enumerate(entries, start=1):
        unknown = sorted(entry.keys() - _FIELDS)
        missing = [name for name in ("change", "reason") if not entry.get(name)]
        if unknown or missing:
            what = f"has {unknown[0]!r}" if unknown else f"lacks {missing[0]!r}"
            raise UnobservableError(
                f"{path.name}, entry {number} {what}; an entry has change, function and reason"
            )
        change = " ".join(entry["change"].split())
        yield Unobservable(f"{path.stem}.py", change, entry.get("function", "*"), entry["reason"])
