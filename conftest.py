"""Wires the suite into pytest: the options first, and behind them everything in fixtures/plugins.

Any Python and any pytest can read this module, so that one that is too old is told in one line.
"""

import sys
import warnings

import pytest

OLDEST_PYTHON = (3, 11)
OLDEST_PYTEST = (9, 0)


def _too_old() -> "str | None":
    """Return why this Python or this pytest is refused, in one line; None if it is not."""
    python, asked = sys.version_info[:2], ".".join(map(str, OLDEST_PYTHON))
    if python < OLDEST_PYTHON:
        return (
            f"Python {python[0]}.{python[1]} is older than {asked}, the oldest that this project runs on: "
            "use a newer one, in an environment of its own"
        )
    if tuple(map(int, pytest.__version__.split(".")[:2])) < OLDEST_PYTEST:
        oldest = ".".join(map(str, OLDEST_PYTEST))
        return (
            f"pytest {pytest.__version__} is older than {oldest} and does not read the settings of this "
            "project: 'python -m pip install -e .' installs a newer pytest"
        )
    return None


_REFUSED = _too_old()

pytest_plugins = [] if _REFUSED else ["fixtures.plugins.command_line", "pytester"]
"""The pytest plugins that turn claims into verdicts, one concern a module."""


def pytest_addoption(parser: "pytest.Parser") -> None:  # noqa: ARG001 - pytest's signature
    """Refuse what is too old before pytest looks at an option, which it would not know."""
    if _REFUSED:
        # To some of them a hook that raises is worth a warning, which no filter of theirs keeps back.
        warnings.warn = lambda *_, **__: None
        raise pytest.UsageError(_REFUSED)
