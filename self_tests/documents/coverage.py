"""``python -m self_tests.documents.coverage``: which documented items claims cite, and which none does.

With ``--all`` every item is listed with the claims that cite it. What cannot be observed is left out, as
recorded with its reason in left_out_of_coverage.toml beside this module.
"""

import argparse
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from fixtures.command import command
from fixtures.specification.register import read_register
from fixtures.torch_api.citations import citing
from fixtures.torch_api.docstrings import Item
from self_tests.support.forked_cases import ROOT

LEFT_OUT = Path(__file__).with_name("left_out_of_coverage.toml")


@dataclass(frozen=True)
class Coverage:
    """The documented items of the installed torch.

    Attributes:
        cited: Each item with the claims that cite it; those that are left out are not among them.
        left_out: Each item that is left out, with the reason.
        stale: Records of items that torch has not, or that a claim cites.
    """

    cited: dict[Item, list[str]]
    left_out: dict[Item, str]
    stale: list[str]

    @property
    def uncovered(self) -> list[Item]:
        """The items that no claim cites."""
        return [item for item, claims in self.cited.items() if not claims]

    @property
    def percentage(self) -> float:
        """How much is cited of what can be observed."""
        return 100 * (1 - len(self.uncovered) / max(len(self.cited), 1))


def measure() -> Coverage:
    """Return the coverage of the installed torch's documentation by the claims of docs/spec."""
    cited = citing(read_register(ROOT / "docs" / "spec"))
    records = tomllib.loads(LEFT_OUT.read_text(encoding="utf-8"))
    reasons = {name: entry["reason"] for entry in records["left_out"] for name in entry["items"]}
    means = {name: [i for i in cited if _means(name, i)] for name in reasons}
    left_out = {item: reasons[name] for name, found in means.items() for item in found}
    stale = [name for name, found in means.items() if any(cited[item] for item in found)]
    observed = {item: claims for item, claims in cited.items() if item not in left_out}
    return Coverage(observed, left_out, stale)


def _means(name: str, item: Item) -> bool:
    of, parenthesis, part = name.partition("(")
    return item.is_cited_by(of, part.removesuffix(")")) if parenthesis else item.name == name


@command
def main(arguments: Sequence[str]) -> int:
    """Print the coverage; return 1 if something is documented that no claim cites."""
    parser = argparse.ArgumentParser(
        prog="python -m self_tests.documents.coverage", description=__doc__
    )
    parser.add_argument("--all", action="store_true", help="list the claims of every item")
    every = parser.parse_args(arguments).all
    coverage = measure()
    if every:
        for item, claims in coverage.cited.items():
            print(f"{item.name}: {', '.join(sorted(set(claims))) or 'no claim'}")
    for item in coverage.uncovered:
        print(f"no claim cites {item.name}")
    print(
        f"torch {torch.__version__}: {len(coverage.cited) - len(coverage.uncovered)} of "
        f"{len(coverage.cited)} documented items are cited by a claim ({coverage.percentage:.1f} %); "
        f"{len(coverage.left_out)} cannot be observed"
    )
    return int(bool(coverage.uncovered))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
