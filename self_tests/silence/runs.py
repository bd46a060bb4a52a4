"""Runs the specification under a condition, in a process of its own, and reads the outcome of each case."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from self_tests.silence.conditions import Condition, Place
from self_tests.support.forked_cases import ROOT

_NOT_COPIED = shutil.ignore_patterns(".git", ".*_cache", "__pycache__", "*.egg-info", ".hypothesis")
# Root may write everywhere unless it lays down this right.
_WITHOUT_OVERRIDE = ("setpriv", "--bounding-set=-dac_override")


@dataclass(frozen=True)
class Outcomes:
    """How a run ended.

    Attributes:
        code: The exit code of pytest.
        seconds: How long it took.
        cases: What became of each case: passed, failed, error, or why it was skipped.
        tail: The last lines that were printed.
    """

    code: int
    seconds: float
    cases: dict[str, str]
    tail: str


def run(condition: Condition, paths: tuple[str, ...] = (), reports: Path | None = None) -> Outcomes:
    """Run the specification, or the test paths given, under a condition; keep its report if asked."""
    with tempfile.TemporaryDirectory() as temporary, _checkout(condition.place, temporary) as root:
        results = Path(temporary) / "results.xml"
        environment = {**os.environ, **condition.environment, "PYTHONPATH": str(root)}
        if condition.hides:
            environment["PYTHONPATH"] = f"{_hiding(condition.hides, temporary)}:{root}"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={results}"]
        if reports:
            command.append(f"--report={reports.resolve() / condition.name.replace(' ', '-')}")
        if condition.place is Place.READ_ONLY and os.geteuid() == 0:
            command = [*_WITHOUT_OVERRIDE, *command]
        start = time.perf_counter()
        # The command is this project's own tests.
        done = subprocess.run(
            [*command, *condition.arguments, *paths],
            cwd=root,
            env=environment,
            capture_output=True,
            check=False,
        )
        seconds = time.perf_counter() - start
        printed = (done.stdout + done.stderr).decode(errors="replace")
        cases = _cases(results) if results.exists() else {}
    return Outcomes(done.returncode, seconds, cases, "\n".join(printed.splitlines()[-15:]))


@contextmanager
def _checkout(place: Place, temporary: str) -> Iterator[Path]:
    if place is Place.HERE:
        yield ROOT
        return
    name = "eine Prüfung für später" if place is Place.ODD_PATH else "checkout"
    root = Path(temporary) / name
    shutil.copytree(ROOT, root, ignore=_NOT_COPIED)
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    if place is Place.READ_ONLY:
        for path in root.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        root.chmod(0o555)
    try:
        yield root
    finally:
        for folder in folders:  # so that the copy can be removed
            folder.chmod(0o755)


def _hiding(module: str, temporary: str) -> Path:
    """Return a folder whose first place on the path hides a module."""
    folder = Path(temporary) / "hidden"
    folder.mkdir()
    text = f"raise ModuleNotFoundError({module!r} + ' is hidden', name={module!r})\n"
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    return folder


def _cases(results: Path) -> dict[str, str]:
    """Return what became of each case, from the file that pytest wrote."""
    found = {}
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        marks = [child for child in case if child.tag in ("failure", "error", "skipped")]
        outcome = f"{marks[0].tag} {marks[0].get('message') or ''}".strip() if marks else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = outcome.splitlines()[0]
    return found
