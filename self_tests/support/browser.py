"""A real browser without a window, and a checker of accessibility in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest

# Under which names a system has Chromium.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What a page is read with: a phone and a screen, in light and in dark.
WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")


def executable() -> str:
    """Return the system's Chromium; without one, skip, or fail where REQUIRE_BROWSER is set."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        missing = f"the pages are not tested in a browser: none of {', '.join(_NAMES)} is here"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """Run the system's Chromium; no browser is downloaded."""
    at = executable()
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is in the extra dev")
    with sync_api.sync_playwright() as playwright:
        # it is run as root in a container, where its own sandbox cannot be set up
        started = playwright.chromium.launch(
            executable_path=at, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


class Errors(list[str]):
    """What a page complains of on its console."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        page.on("console", lambda message: self.append(message.text))
        page.on("pageerror", lambda error: self.append(str(error)))


def ready(page: Any, address: str) -> Any:
    """Open an address anew, and wait until the page's script has begun."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html:not(.plain)", state="attached")
    return page


def choose(page: Any, address: str) -> Any:
    """Open an address of a page that may be open: then, what is chosen changes, and nothing is loaded."""
    if page.url.partition("#")[0] != address.partition("#")[0]:
        return ready(page, address)
    page.goto(address if "#" in address else f"{address}#")
    return page


def barriers(page: Any) -> list[str]:
    """Return what keeps people from using a page, as axe-core finds it: the rule, and where."""
    pytest.importorskip("axe_playwright_python", reason="axe-core is in the extra dev")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


class Meter:
    """Counts the seconds of a processor that a page takes, which a busy machine does not make more."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds(self) -> float:
        """Return how many the page has taken for its tasks so far."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")
