"""The specification and its tests belong together: every claim has a test, and every test a claim."""

import ast
import re
from pathlib import Path

import pytest

from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT, Specification, in_specification

# Aimed at are 40; families that say the same of several things may be longer.
LONGEST_ID = 48
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


# A statement of a document, a file, a formula, or words that say what the expectation is taken from.
_SOURCE = re.compile(r"\d{3}-\d+|/|[\d=·√γθλ]|\S+\(.*\)|\S+ \S+ \S+")


def test_every_expectation_names_its_source() -> None:
    vague = [
        f"{path.relative_to(ROOT)}:{keyword.value.lineno}: {keyword.value.value!r}"
        for path in sorted((ROOT / "spec_tests").rglob("*.py"))
        for keyword in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(keyword, ast.keyword) and keyword.arg == "source"
        if isinstance(keyword.value, ast.Constant) and not _SOURCE.search(str(keyword.value.value))
    ]
    assert vague == []


def test_ids_are_short() -> None:
    ids = [claim.id for claim in read_register(ROOT / "docs" / "spec")]
    assert [name for name in ids if len(name) > LONGEST_ID] == []


def test_no_test_chooses_optimizers_by_a_list_of_names() -> None:
    names = {entry.name for entry in OPTIMIZERS}
    lists = [
        f"{path.relative_to(ROOT)}:{keyword.value.lineno}"
        for path in sorted((ROOT / "spec_tests").rglob("*.py"))
        for keyword in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(keyword, ast.keyword) and keyword.arg in ("only", "but")
        if isinstance(keyword.value, ast.Tuple)
        if sum(ast.unparse(element).strip("'") in names for element in keyword.value.elts) > 2
    ]
    assert lists == []
