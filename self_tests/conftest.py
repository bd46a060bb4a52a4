"""What the tests of the suite share: a small project of their own to run the plugins on."""

import pytest

from self_tests.support.drawn import drawn
from self_tests.support.small_project import ProjectMaker


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> ProjectMaker:
    """Call it with a specification and a test to get a project to run."""
    monkeypatch.setattr("fixtures.report.build.courses", drawn)
    return ProjectMaker(pytester, monkeypatch)
