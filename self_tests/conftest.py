"""What the tests of the suite share: a small project of their own to run the plugins on."""

from functools import cache

import pytest

from fixtures.report.courses import courses
from self_tests.small_project import ProjectMaker

# What torch does in the examples of a report is the same in every project: it takes a second.
_courses = cache(courses)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> ProjectMaker:
    """Call it with a specification and a test to get a project to run."""
    monkeypatch.setattr("fixtures.report.contents.courses", _courses)
    return ProjectMaker(pytester, monkeypatch)
