"""What the installed torch does in the examples of a report: the same in every test, and it takes a while."""

from functools import cache
from typing import Any

from fixtures.report.trajectories import courses


@cache
def drawn() -> dict[str, Any]:
    """Return the examples."""
    return courses()
