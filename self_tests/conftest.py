"""What the tests of the suite share: a small project of their own to run the plugins on."""

from functools import cache
from typing import Any

import pytest

from self_tests.support.small_project import ProjectMaker


@cache
def _courses() -> dict[str, Any]:
    """What torch does in the examples of a report: the same in every project, and it takes a second."""
    from fixtures.report.trajectories import courses

    return courses()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> ProjectMaker:
    """Call it with a specification and a test to get a project to run."""
    monkeypatch.setattr("fixtures.report.build.courses", _courses)
    return ProjectMaker(pytester, monkeypatch)
