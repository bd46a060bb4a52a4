"""What became of the mutants of a run, kept in a file that another run goes on from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fixtures.command import InputError
from self_tests.mutation.mutants import Mutant
from self_tests.mutation.tally import Fate, Found


class ResultsError(InputError):
    """A file of results that cannot be gone on from; the message is one line."""


def write(path: Path, torch: str, seed: int, found: Mapping[Mutant, Found]) -> None:
    """Write what became of each mutant, with the torch and the seed that they belong to."""
    rows = [
        {
            "module": mutant.path.name,
            "index": mutant.index,
            "line": mutant.lines[0],
            "function": mutant.function,
            "change": mutant.change,
            "fate": str(what.fate),
            "by": what.by,
        }
        for mutant, what in found.items()
    ]
    content = {"torch": torch, "seed": seed, "mutants": rows}
    path.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """Return the content of a file that write() wrote.

    Raises:
        ResultsError: If there is no such file, or it is truncated or something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"torch": content["torch"], "seed": content["seed"], "mutants": content["mutants"]}
    except FileNotFoundError:
        raise ResultsError(f"{path}: there is no such file; --json writes one") from None
    except (ValueError, KeyError, TypeError):
        raise ResultsError(f"{path}: truncated, or not what --json writes") from None


def gone_on_from(path: Path, torch: str, everything: Sequence[Mutant]) -> dict[Mutant, Found]:
    """Return the mutants of an earlier run and their fates, in its order.

    Args:
        path: The file that the earlier run wrote.
        torch: The installed torch; mutants of another are other mutants.
        everything: All mutants of the installed torch.

    Raises:
        ResultsError: If the file cannot be read, or is about another torch.
    """
    content = read(path)
    if content["torch"] != torch:
        raise ResultsError(f"{path}: about torch {content['torch']}, and {torch} is installed")
    by_place = {(mutant.path.name, mutant.index): mutant for mutant in everything}
    try:
        return {
            by_place[row["module"], row["index"]]: Found(Fate(row["fate"]), row["by"])
            for row in content["mutants"]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(
            f"{path}: not what --json writes, or of another sample of modules: {error}"
        ) from None
