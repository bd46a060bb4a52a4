"""A small specification in a temporary folder, with tests of its own, asked by the suite's plugins."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from fixtures.specification.run import RUN, CaseResult
from self_tests.support.forked_cases import ROOT

# The chapter, and the test module in it, unless a test names others.
CHAPTER = "demo"
MODULE = f"spec_tests/{CHAPTER}/test_demo.py"
SNAPSHOTS = f"spec_tests/{CHAPTER}/__snapshots__/test_demo.json"

_CONFTEST = 'pytest_plugins = ["fixtures.plugins.command_line"]\n'
_IMPORTS = "import pytest, torch; from fixtures.assertions import check; from fixtures.claims import claim\n"
_QUIET = ("-p", "no:randomly", "-p", "no:cacheprovider")


def claims(*ids: str, fields: str = "torch: >=2.0") -> str:
    """Return a chapter of claims that differ in their ids alone."""
    text = "# Demo\n"
    for claim_id in ids:
        text += f"\n### {claim_id}\ntorch does what {claim_id} says.\n\n{fields}\n"
    return text


@dataclass
class End:
    """How a run ended.

    Attributes:
        code: The exit code.
        text: Everything that was printed.
        results: What became of each case, by its node id.
    """

    code: int
    text: str
    results: dict[str, CaseResult] = field(default_factory=dict)

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each case, by its name: ``test_it[cpu]``."""
        return {
            node_id.partition("::")[2]: str(result.verdict)
            for node_id, result in self.results.items()
        }

    @property
    def errors(self) -> list[str]:
        """The lines that begin with ERROR, without that word."""
        return [line[7:] for line in self.text.splitlines() if line.startswith("ERROR: ")]

    def section(self, title: str) -> str:
        """Return what stands below a ruled title, up to the next ruled line."""
        found = re.search(
            rf"^=+ {title} =+\n(.*?)(?=^=+ .* =+$|\Z)", self.text, re.DOTALL | re.MULTILINE
        )
        assert found, f"no section {title!r} in:\n{self.text}"
        return found[1]


class SmallProject:
    """A project of one's own, beside the checkout whose plugins it uses."""

    def __init__(self, pytester: pytest.Pytester):
        self.path = pytester.path
        self._pytester = pytester

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project; the folders above it are made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def write_test(self, source: str, name: str = MODULE) -> Path:
        """Write a test module, with the imports that all of them share in its first line."""
        return self.write(name, _IMPORTS + dedent(source).strip("\n") + "\n")

    def read(self, name: str) -> str:
        """Return what a file of the project says."""
        return (self.path / name).read_text(encoding="utf-8")

    def run(self, *arguments: str) -> End:
        """Run pytest in this process."""
        seen = _RunOfThis()
        result = self._pytester.runpytest_inprocess(*_QUIET, *arguments, plugins=[seen])
        return End(int(result.ret), f"{result.stdout}\n{result.stderr}", seen.results)

    def run_in_new_process(self, *arguments: str) -> End:
        """Run pytest in a process of its own, where a fresh one matters."""
        result = self._pytester.runpytest_subprocess(*_QUIET, *arguments)
        return End(int(result.ret), f"{result.stdout}\n{result.stderr}")


class _RunOfThis:
    """A plugin that keeps the account of the run in progress."""

    def __init__(self) -> None:
        self.results: dict[str, CaseResult] = {}

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the results."""
        self.results = session.config.stash[RUN].results


class ProjectMaker:
    """Makes the project of a test from its specification and its test module."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
        # A module that is written again within a second must not be read from its bytecode.
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        self._pytester = pytester

    def __call__(self, specification: str, test: str = "", deviations: str = "") -> SmallProject:
        """Return a project of one chapter and one test module, with the settings of the checkout."""
        project = SmallProject(self._pytester)
        settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        project.write("pyproject.toml", settings)
        project.write("conftest.py", _CONFTEST)
        project.write(f"docs/spec/{CHAPTER}.md", dedent(specification))
        project.write_test(test)
        project.write("deviations.toml", dedent(deviations))
        return project
