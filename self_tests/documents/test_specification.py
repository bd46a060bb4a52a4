"""The specification and its tests belong together: every claim has a test, and every test a claim."""

import re
from pathlib import Path

import pytest

from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT, Specification, in_specification

SAFE = re.compile(r"[A-Za-z0-9_.=+-]*")


@pytest.fixture(scope="module")
def collected() -> list[tuple[str, str, list[str]]]:
    """The tests of the specification: node id, chapter folder, and the claims that each cites."""
    found: list[tuple[str, str, list[str]]] = []

    def look(specification: Specification) -> None:
        for node_id, item in specification.items.items():
            cited = [mark.args[0] for mark in item.iter_markers("claim")]
            found.append((node_id, Path(node_id).parts[1], cited))

    assert in_specification(look) == 0
    return found


def test_every_claim_has_a_test(collected: list[tuple[str, str, list[str]]]) -> None:
    tested = {claim for _, _, cited in collected for claim in cited}
    untested = [
        claim.id for claim in read_register(ROOT / "docs" / "spec") if claim.id not in tested
    ]
    assert untested == []


def test_every_test_has_one_claim(collected: list[tuple[str, str, list[str]]]) -> None:
    assert [node_id for node_id, _, cited in collected if len(cited) != 1] == []


def test_every_test_stands_in_the_chapter_of_its_claim(
    collected: list[tuple[str, str, list[str]]],
) -> None:
    register = read_register(ROOT / "docs" / "spec")
    strays = [
        node_id for node_id, folder, cited in collected if register[cited[0]].chapter != folder
    ]
    assert strays == []


def test_ids_are_safe_for_files_and_shells(collected: list[tuple[str, str, list[str]]]) -> None:
    ids = [node_id.partition("[")[2].removesuffix("]") for node_id, _, _ in collected]
    assert [case for case in ids if not SAFE.fullmatch(case)] == []


def test_a_sentence_stands_once() -> None:
    sentences = [claim.sentence for claim in read_register(ROOT / "docs" / "spec")]
    assert sorted(sentences) == sorted(set(sentences))


def test_every_chapter_is_listed_for_readers() -> None:
    folder = ROOT / "docs" / "spec"
    listed = re.findall(
        r"^\| \[[a-z-]+\]\(([a-z-]+)\.md\)", (folder / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(read_register(folder).chapters)
