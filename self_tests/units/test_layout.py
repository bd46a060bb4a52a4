"""The layout: what imports what among the folders of fixtures runs one way, and no module grows too long."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from self_tests.support.forked_cases import ROOT

LONGEST = 500
FIXTURES = ROOT / "fixtures"


def place(module: str) -> str:
    """Return the folder of fixtures that a module is in, or the module that stands in none."""
    return module.split(".")[1]


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of fixtures that a module names in its imports, those within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fixtures"):
            module = str(node.module)
            yield from [module] if "." in module else [f"{module}.{n.name}" for n in node.names]
        elif isinstance(node, ast.Import):
            yield from (n.name for n in node.names if n.name.startswith("fixtures."))


def test_no_folder_of_fixtures_imports_one_that_imports_it() -> None:
    arrows: dict[str, set[str]] = {}
    for path in sorted(FIXTURES.rglob("*.py")):
        here = place(".".join(path.relative_to(ROOT).with_suffix("").parts))
        there = {place(module) for module in imported(path)} - {here, "VERSION"}
        arrows.setdefault(here, set()).update(there)
    try:
        TopologicalSorter(arrows).prepare()
        circle = ""
    except CycleError as error:
        circle = " imports ".join(reversed(error.args[1]))
    assert circle == ""


def test_no_module_is_longer_than_a_reader_s_patience() -> None:
    folders = (FIXTURES, ROOT / "spec_tests")
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in folder.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
