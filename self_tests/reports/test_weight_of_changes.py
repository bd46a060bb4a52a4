"""What a comparison tells first: broken, behaviour, deviations, results; and the same in every format."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.compare import changes as module
from fixtures.compare.__main__ import FORMATS
from fixtures.compare.causes import NEARER, SMALLER
from fixtures.compare.changes import CATEGORIES, Changes, compare
from fixtures.compare.counting import chosen
from fixtures.compare.sections import sections
from fixtures.compare.text import headline, text
from fixtures.compare.verdicts import Kind, turn
from fixtures.training_use.reading import read_training
from self_tests.support.made_up_reports import case, claim, report

OLD, NEW = "2.8.0+cpu", "2.15.0+cpu"
_HALVES = (
    claim("demo.was", case("holds"), torch=">=2.0,<2.14", see=["demo.is"], sentence="It was so."),
    claim("demo.is", case("holds"), torch=">=2.14", see=["demo.was"], sentence="It is so."),
)


def both(*claims: Any, old: str = OLD, new: str = NEW, **fields: Any) -> Changes:
    """Return what changes between two releases of which a report has the same claims."""
    return compare(report(old, *claims, **fields), report(new, *claims, **fields))


def of_verdicts(old: list[str], new: list[str]) -> Changes:
    """Return what changes where a claim's cases have other verdicts."""
    first, second = (
        report(torch, claim("demo.it", *(case(v, str(i)) for i, v in enumerate(verdicts))))
        for torch, verdicts in ((OLD, old), (NEW, new))
    )
    return compare(first, second)


def titles(changes: Changes) -> list[str]:
    return [section.title for section in sections(changes)]


@pytest.mark.parametrize(
    "old, new, kind",
    [
        ("holds", "holds", None),
        ("holds", "broken", Kind.BROKEN),
        ("deviates", "broken", Kind.BROKEN),
        ("not applicable", "broken", Kind.BROKEN),
        ("broken", "broken", Kind.STILL_BROKEN),
        ("broken", "holds", Kind.HOLDS_AGAIN),
        ("holds", "deviates", Kind.DEVIATES),
        ("deviates", "holds", Kind.MENDED),
        ("not applicable", "deviates", Kind.BEGINS),
        ("not run", "holds", Kind.BEGINS),
        ("holds", "not applicable", Kind.ENDS),
        ("not run", "not applicable", None),
    ],
)
def test_what_becomes_of_a_case(old: str, new: str, kind: Kind | None) -> None:
    assert turn(old, new) == kind


def test_cases_are_told_with_what_became_of_them() -> None:
    found = of_verdicts(
        ["holds", "deviates", "deviates", "broken"], ["broken", "holds", "holds", "broken"]
    )
    assert [c.cases[0][0][-2] for c in (*found.broken, *found.still_broken, *found.deviations)] == [
        "0", "3", "1",
    ]  # fmt: skip
    assert titles(found) == [
        "Broken now: 1 claim",
        "Broken before, and broken still: 1 claim",
        "Deviations new or mended: 1 claim",
    ]


def test_what_is_broken_still_is_said_and_is_no_change() -> None:
    found = of_verdicts(["broken"], ["broken"])
    assert "nothing that held is broken. 1 claim broken before, broken still." in headline(found)
    assert [found.count(category) for category in CATEGORIES] == [0] * len(CATEGORIES)


def test_a_case_that_is_new_and_broken_is_broken() -> None:
    found = compare(
        report(OLD, claim("demo.it", case("holds"))),
        report(NEW, claim("demo.it", case("holds"), case("broken", "new"))),
    )
    assert headline(found).startswith("2.8.0 → 2.15.0: 1 claim is newly broken: demo.it.")


def test_a_claim_that_the_old_run_did_not_ask_and_that_is_broken_is_told() -> None:
    asked = claim("demo.asked", case("holds"))
    found = compare(report(OLD, asked), report(NEW, asked, claim("demo.it", case("broken"))))
    assert [change.claim for change in found.broken] == ["demo.it"]


def test_a_behaviour_is_told_by_both_sentences_with_the_release() -> None:
    found = both(*_HALVES)
    assert titles(found) == ["Behaviours changed: 1"]
    lines = text(found, width=100).splitlines()
    assert "  before 2.14  It was so." in lines
    assert "  since 2.14   It is so. [demo.is]" in lines


@pytest.mark.parametrize(
    "old, new, told",
    [
        pytest.param("2.8.0", "2.14.0", 1, id="at_the_release"),
        pytest.param("2.8.0", "2.13.1", 0, id="before_it"),
        pytest.param("2.14.0", "2.15.0", 0, id="after_it"),
        pytest.param("2.15.0", "2.8.0", 1, id="backwards"),
        pytest.param("2.13.0", "2.14.0a0+git1234", 1, id="nightly"),
    ],
)
def test_a_behaviour_changes_between_the_releases_or_not_at_all(
    old: str, new: str, told: int
) -> None:
    found = both(*_HALVES, old=old, new=new)
    assert found.count("behaviour") == told
    assert [(b.until, b.since) for b in found.behaviour] == [("2.14", "2.14")] * told


def test_related_claims_of_the_same_releases_are_no_behaviour() -> None:
    found = both(
        claim("demo.one", case("holds"), torch=">=2.9", see=["demo.other"]),
        claim("demo.other", case("holds"), torch=">=2.0", see=["demo.one"]),
    )
    assert found.count("behaviour") == 0


def test_a_behaviour_that_changed_twice_is_told_once() -> None:
    (found,) = both(
        claim("demo.first", case("holds"), torch="<2.9", see=["demo.then"]),
        claim("demo.then", case("holds"), torch=">=2.9,<2.12", see=["demo.first"]),
        claim("demo.last", case("holds"), torch=">=2.12", see=["demo.then"]),
    ).behaviour
    told = [
        [statement.claim for statement in own] for own in (found.before, found.between, found.after)
    ]
    assert (told, found.until, found.since) == (
        [["demo.first"], ["demo.then"], ["demo.last"]], "2.9", "2.12",
    )  # fmt: skip


def test_a_behaviour_of_one_release_alone_ends_at_the_next() -> None:
    (found,) = both(
        claim("demo.warns", case("holds"), torch=">=2.8,<2.9", see=["demo.silent"]),
        claim("demo.silent", case("holds"), torch=">=2.0,!=2.8.*", see=["demo.warns"]),
    ).behaviour
    assert (found.before[0].claim, found.since) == ("demo.warns", "2.9")


def test_what_no_run_asked_is_not_said_to_have_changed() -> None:
    found = both(
        *({**half, "cases": [], "verdict": None} for half in _HALVES),
        claim("demo.it", case("holds")),
    )
    assert found.count("behaviour") == 0
    told = "0 (1 more behaviour changed, of which neither run asked a case: demo.was, demo.is)"
    assert f"Behaviours changed: {told}" in text(found, width=120)


def test_a_claim_says_itself_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo.md").write_text(
        "# Demo\n\n### demo.is\nIt is so.\n\nA reason. Before 2.14, it was\nnot so.\n\ntorch: >=2.14\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(module, "SPECIFICATION", tmp_path)
    (found,) = both(claim("demo.is", case("holds"), torch=">=2.14")).behaviour
    assert (found.before[0].sentence, found.since) == ("It was not so.", "2.14")


def test_no_behaviour_is_ever_cut() -> None:
    halves = [
        claim(name, case("holds"), torch=torch, see=[other])
        for i in range(50)
        for name, torch, other in (
            (f"demo.was-{i}", "<2.14", f"demo.is-{i}"), (f"demo.is-{i}", ">=2.14", f"demo.was-{i}"),
        )
    ]  # fmt: skip
    told = text(both(*halves))
    assert "Behaviours changed: 50" in told
    assert told.count("since 2.14 ") == 50


def moved(count: int, old: float, new: float, way: str = "0._step_count", dtype: str = "int64",
          **fields: Any) -> Changes:  # fmt: skip
    """Return what changes where so many cases have another number in one entry."""
    cases = [case("holds", str(i), results=0, **fields) for i in range(count)]
    first, second = (
        report(torch, claim("demo.it", *cases), results=[[(way, dtype, value)]])
        for torch, value in ((OLD, old), (NEW, new))
    )
    return compare(first, second)


def test_one_thing_that_moved_many_results_is_one_line() -> None:
    found = moved(17, 5, 4)
    assert (found.count("drift"), found.drift[0].direction) == (1, SMALLER)
    assert titles(found) == ["Results moved: 1"]
    assert "  `_step_count`: 5 became 4, in 17 cases of 1 claim (demo.it)" in text(found)
    assert "1 result moved" in headline(found)


def test_numbers_that_moved_by_as_much_have_one_cause() -> None:
    cases = [case("holds", str(i), results=i) for i in range(3)]
    first, second = (
        report(
            torch,
            claim("demo.it", *cases),
            results=[[(f"{i}.last_epoch", "int64", i + 10 * i + more)] for i in range(3)],
        )
        for torch, more in ((OLD, 1), (NEW, 3))
    )
    told = text(compare(first, second))
    assert "  `last_epoch`: 2 larger, in 3 cases of 1 claim (demo.it)" in told


@pytest.mark.parametrize(
    "old, new, told",
    [
        pytest.param(1.0, 1.0 + 2**-46, "by up to 64 ulps", id="ulps"),
        pytest.param(1.0, 1.01, "by up to 0.99% of the largest entry", id="percent"),
        pytest.param(1.0, 1.0 + 2**-26, "by up to 1.5e-08 of the largest entry", id="part"),
        pytest.param(1.0, 9.0, "another number", id="another"),
    ],
)
def test_a_distance_is_told_in_a_unit_that_means_something(
    old: float, new: float, told: str
) -> None:
    found = moved(1, old, new, way="0.exp_avg", dtype="float64", optimizer="Adam")
    assert f"`exp_avg` of Adam: {told}, in 1 case of 1 claim (demo.it)" in text(found, width=120)


def test_a_movement_towards_the_expectation_is_told_as_that() -> None:
    cases = [case("holds", results=0, ulps=ulps, tolerance=8.0) for ulps in (60.0, 1.0)]
    first, second = (
        report(torch, claim("demo.it", own), results=[[("0", "float64", value)]])
        for torch, own, value in ((OLD, cases[0], 1.0), (NEW, cases[1], 1.0 + 2**-46))
    )
    (cause,) = compare(first, second).drift
    assert cause.direction == NEARER


def test_what_is_new_is_folded_to_a_number() -> None:
    claims = [claim(f"demo.it-{i}", case("holds"), torch=">=2.9") for i in range(30)]
    olds = [claim(c["id"], case("not applicable"), torch=">=2.9") for c in claims]
    held = claim("demo.held", case("holds"))
    found = compare(report(OLD, held, *olds), report(NEW, held, *claims))
    folded, everything = text(found), text(found, everything=True)
    assert "New options and claims: 30 (demo 30); --all tells them" in folded
    assert "demo.it-7" not in folded
    assert "demo.it-7: 1 not applicable → holds" in everything


FOR_ADAMW = (
    claim("demo.adamw", case("broken"), api=["AdamW(lr)"], sentence="AdamW does it."),
    claim("demo.sgd", case("broken"), api=["SGD(lr)"], sentence="SGD does it."),
)


def test_a_training_is_told_of_its_own_changes_alone() -> None:
    held = [claim(c["id"], case("holds"), api=c["api"], sentence=c["sentence"]) for c in FOR_ADAMW]
    surface = {f"torch.optim.{name}": {"kind": "class"} for name in ("AdamW", "SGD")}
    warned = [
        {"category": "UserWarning", "text": t} for t in ("AdamW rains", "SGD rains", "it rains")
    ]
    found = compare(
        report(OLD, *held),
        report(NEW, *FOR_ADAMW, surface=surface, warnings=warned),
        training=read_training("AdamW"),
    )
    assert [change.claim for change in found.broken] == ["demo.adamw"]
    assert [str(change) for change in found.surface] == ["new: torch.optim.AdamW: class"]
    assert found.warnings_new == ["UserWarning: AdamW rains", "UserWarning: it rains"]


def test_a_behaviour_concerns_a_training_if_both_halves_do() -> None:
    halves = (
        claim("demo.was", case("holds"), torch="<2.9", see=["demo.is"], sentence="LBFGS warns."),
        claim("demo.is", case("holds"), torch=">=2.9", see=["demo.was"], sentence="No optimizer warns."),
    )  # fmt: skip
    first, second = report(OLD, *halves), report(NEW, *halves)
    for asked, told in (("AdamW", 0), ("LBFGS", 1)):
        found = compare(first, second, training=read_training(asked))
        assert (asked, found.count("behaviour")) == (asked, told)


def test_the_headline_names_what_the_known_deviations_concern() -> None:
    it = claim("demo.it", case("deviates"), api=["AdamW(lr)"], sentence="AdamW does it.")
    found = compare(report(OLD, it), report(NEW, it), training=read_training("AdamW,StepLR"))
    assert headline(found) == (
        "2.8.0 → 2.15.0: nothing that held is broken. 0 behaviours changed, 0 results moved, "
        "1 known deviation concerns AdamW, StepLR."
    )


def everything_changed() -> Changes:
    """Return changes of every kind."""
    first = report(
        OLD, claim("demo.it", case("holds"), case("holds", "b", results=0)), *_HALVES,
        claim("demo.mended", case("deviates", reason="it leaks")), results=[[("0", "float64", 1.0)]],
        warnings=[{"category": "UserWarning", "text": "<rain>"}],
    )  # fmt: skip
    second = report(
        NEW, claim("demo.it", case("broken", reason="one\ntwo"), case("holds", "b", results=0)), *_HALVES,
        claim("demo.mended", case("holds")), results=[[("0", "float64", 2.0)]],
        surface={"torch.optim.New": {"kind": "class"}},
    )  # fmt: skip
    return compare(first, second)


def test_changes_are_told_by_their_weight() -> None:
    assert [title.partition(":")[0] for title in titles(everything_changed())] == [
        "Broken now", "Behaviours changed", "Deviations new or mended", "Results moved", "Surface",
        "Warnings",
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_every_section(form: str) -> None:
    found = everything_changed()
    printed = FORMATS[form](found, (), False)
    for words in (
        "demo.it",
        "It was so.",
        "It is so.",
        "it leaks",
        "torch.optim.New",
        headline(found),
    ):
        assert words in " ".join(printed.split()), words


def test_the_counts_of_a_word_agree() -> None:
    found = everything_changed()
    counts = json.loads(FORMATS["json"](found, (), False))["counts"]
    for section, category in zip(sections(found), ("broken", "behaviour", "deviations", "drift",
                                                   "surface", "warnings"), strict=True):  # fmt: skip
        assert section.title.partition(": ")[2].split()[0] == str(counts[category]), section.title
    assert "1 behaviour changed, 1 result moved, 1 deviation is mended" in headline(found)


def test_lines_are_as_wide_as_the_terminal() -> None:
    wide = claim("demo.it", case("broken"), sentence="word " * 60 + "end.")
    found = compare(report(OLD, claim("demo.it", case("holds"))), report(NEW, wide))
    for width in (60, 90):
        *lines, last = text(found, width=width).splitlines()
        assert last == headline(found)
        assert max(map(len, lines)) <= width
        assert max(map(len, lines)) > width - 10


def test_verdicts_are_what_broke_and_what_deviates() -> None:
    assert chosen("verdicts,drift") == ("broken", "deviations", "drift")
