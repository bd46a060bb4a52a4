"""The site that is built from docs/: without a warning, and with an address for each claim."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from fixtures.compare.changes import compare
from fixtures.compare.stored import named
from fixtures.specification.findings import read_findings
from fixtures.specification.register import Register, read_register
from fixtures.training_use.reading import read_training
from self_tests.support.forked_cases import ROOT

MISSING = [name for name in ("sphinx", "furo", "myst_parser") if find_spec(name) is None]

pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"the site is built with {', '.join(MISSING)}: python -m pip install -e '.[docs]'",
)


class Page(HTMLParser):
    """The ids of a page, and where its links lead.

    Attributes:
        ids: Every id of the page.
        links: Every address that a link of it has.
        links_below: By the id of a section, the links within it that stand in no section of its own.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.links_below: dict[str, list[str]] = defaultdict(list)
        self._sections: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag says."""
        said = dict(attrs)
        if address := said.get("id"):
            self.ids.add(address)
        if tag == "section":
            self._sections.append(said.get("id") or "")
        if tag == "a" and (link := said.get("href")):
            self.links.append(link)
            self.links_below[self._sections[-1] if self._sections else ""].append(link)

    def handle_endtag(self, tag: str) -> None:
        """Leave a section."""
        if tag == "section":
            self._sections.pop()


@pytest.fixture(scope="module")
def register() -> Register:
    """The claims of this checkout."""
    return read_register(ROOT / "docs" / "spec")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the site, and what is wrong with it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-n", "-q", "-E", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html", done.stderr


@pytest.fixture(scope="module")
def pages(build: tuple[Path, str]) -> dict[str, Page]:
    """The pages of the site, by their path within it."""
    site = build[0]
    return {str(path.relative_to(site)): Page(path) for path in sorted(site.rglob("*.html"))}


def test_it_is_built_without_a_warning(build: tuple[Path, str]) -> None:
    assert build[1] == ""


def test_every_claim_has_its_id_for_an_anchor(pages: dict[str, Page], register: Register) -> None:
    without = [c.id for c in register if c.id not in pages[f"spec/{c.chapter}.html"].ids]
    assert without == []


def test_every_claim_keeps_the_anchor_that_github_gives_it(
    pages: dict[str, Page], register: Register
) -> None:
    without = [
        c.id for c in register if c.id.replace(".", "") not in pages[f"spec/{c.chapter}.html"].ids
    ]
    assert without == []


def test_what_a_claim_names_under_see_is_a_link(pages: dict[str, Page], register: Register) -> None:
    missing = [
        f"{claim.id}: {other}"
        for claim in register
        for other in claim.see
        if not any(
            urlsplit(link).fragment == other
            for link in pages[f"spec/{claim.chapter}.html"].links_below[claim.id]
        )
    ]
    assert missing == []


def test_the_claims_of_every_finding_are_links(pages: dict[str, Page], register: Register) -> None:
    missing = [
        f"{finding.id}: {claim}"
        for finding in read_findings(ROOT / "docs" / "findings", register)
        for claim in finding.claims
        if not any(
            urlsplit(link).fragment == claim for link in pages[f"findings/{finding.id}.html"].links
        )
    ]
    assert missing == []


def test_no_link_within_the_site_leads_nowhere(
    build: tuple[Path, str], pages: dict[str, Page]
) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            there = pages.get(str(target.relative_to(build[0].resolve())))
            if not target.exists() or (
                parts.fragment and there and parts.fragment not in there.ids
            ):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_one_page_lists_all_claims(pages: dict[str, Page], register: Register) -> None:
    listed = [urlsplit(link).fragment for link in pages["claims.html"].links]
    assert [link for link in listed if link in register] == sorted(claim.id for claim in register)


def test_the_search_leads_to_claims_by_id_and_by_what_they_are_about(
    build: tuple[Path, str], register: Register
) -> None:
    text = (build[0] / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    found = {
        f"{prefix}.{name}": f"{index['docnames'][page]}#{anchor or f'{prefix}.{name}'}"
        for prefix, entries in index["objects"].items()
        for page, _, _, anchor, name in entries
    }
    assert sorted(found.values()) == sorted(f"spec/{c.chapter}#{c.id}" for c in register)
    assert "averaged-model.is-a-copy (AveragedModel)" in found
    assert "averagedmodel" in index["terms"]


@pytest.fixture
def upgrade(build: tuple[Path, str]) -> Iterator[Any]:
    """The page of an upgrade, in a browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    if (chromium := which("chromium")) is None:
        pytest.skip("the system has no chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.goto((build[0] / "upgrades" / "2.8-to-2.15.html").as_uri())
        yield page
        browser.close()


SHOWN = "[...document.querySelectorAll('article li:not([hidden])')].map((item) => item.textContent)"


def test_the_page_of_an_upgrade_can_be_told_of_some_names_alone(upgrade: Any) -> None:
    everything = upgrade.evaluate(SHOWN)
    box = upgrade.locator(".of-a-training input")
    box.fill("adamw, GradScaler")
    some = upgrade.evaluate(SHOWN)
    assert set(some) < set(everything)
    assert any("An optimizer gives a FutureWarning" in item for item in some)  # of every optimizer
    assert not any("LBFGS built over a group without" in item for item in some)
    assert any("LBFGS built over a group without" in item for item in everything)
    assert "for=AdamW%2CGradScaler" in upgrade.url
    assert upgrade.evaluate("document.documentElement.scrollWidth") == 390
    upgrade.reload()
    assert upgrade.evaluate(SHOWN) == some
    box.fill("AdmW")
    assert "torch.optim has no AdmW" in upgrade.locator(".of-a-training output").inner_text()
    box.fill("")
    assert upgrade.evaluate(SHOWN) == everything


def test_the_box_of_an_upgrade_agrees_with_the_comparison(upgrade: Any, register: Register) -> None:
    names = "AdamW(lr=0.1, fused=True),OneCycleLR,GradScaler,AveragedModel,clip_grad_norm_"
    found = compare(*named(("2.8", "2.15")), training=read_training(names))
    upgrade.locator(".of-a-training input").fill(re.sub(r"\(.*?\)", "", names))
    shown = " ".join(upgrade.evaluate(SHOWN))
    claims = {claim for behaviour in found.behaviour for claim in behaviour.claims}
    told = {claim.id for claim in register if claim.id in shown}
    assert claims <= told
