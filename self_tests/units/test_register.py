"""The register: what the chapters say, field by field, and what of them is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.specification.register import (
    Claim,
    Implementations,
    Register,
    SpecificationError,
    read_before,
    read_register,
    read_renamed,
)
from fixtures.specification.torch_range import TorchRange

Write = Callable[..., Path]
TABLE = "# Renamed\n\n| before | now |\n| --- | --- |\n"


def claim(claim_id: str, sentence: str = "torch does it.", fields: str = "torch: >=2.0") -> str:
    return f"\n### {claim_id}\n{sentence}\n\n{fields}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Call it with the texts of files, by their stems, to get the folder of a specification."""
    folder = tmp_path / "docs" / "spec"
    folder.mkdir(parents=True)

    def files(**texts: str) -> Path:
        for stem, text in texts.items():
            (folder / f"{stem}.md").write_text(text, encoding="utf-8")
        return folder

    return files


def problems(folder: Path) -> list[str]:
    """Return what is wrong with a specification, without the place where it lies."""
    with pytest.raises(SpecificationError) as caught:
        read_register(folder)
    return str(caught.value).replace(str(folder), "docs/spec").splitlines()


EVERY_FIELD = (
    "torch: >=2.3,<2.8 · devices: cuda · implementations: any, not fused · level: observed · "
    "documents: 003-6, 003-7 · erratum: 001-12 · api: SGD(lr, momentum), Optimizer.step(closure) · "
    "see: demo.other"
)


def test_every_field_is_read(write: Write) -> None:
    chapter = "# Demo\n" + claim("demo.first", fields=EVERY_FIELD) + claim("demo.other")
    assert read_register(write(demo=chapter))["demo.first"] == Claim(
        id="demo.first",
        sentence="torch does it.",
        chapter="demo",
        source="docs/spec/demo.md:3",
        torch=TorchRange(">=2.3,<2.8"),
        devices="cuda",
        implementations=Implementations(any=True, but=("fused",)),
        level="observed",
        documents=("003-6", "003-7"),
        erratum=("001-12",),
        api=("SGD(lr, momentum)", "Optimizer.step(closure)"),
        see=("demo.other",),
    )


def test_a_field_that_is_left_out_has_its_default(write: Write) -> None:
    found = read_register(write(demo="# Demo\n" + claim("demo.first")))["demo.first"]
    assert found == Claim("demo.first", "torch does it.", "demo", "docs/spec/demo.md:3")
    assert (found.torch, found.devices, found.level) == (TorchRange(">=2.0"), "any", "documented")
    assert found.implementations is None


def test_fields_may_stand_in_any_order_and_on_several_lines(write: Write) -> None:
    fields = "torch: >=2.1\n· see: demo.other ·\nlevel: observed"
    found = read_register(write(demo=claim("demo.first", fields=fields) + claim("demo.other")))
    first = found["demo.first"]
    assert (str(first.torch), first.level, first.see) == (">=2.1", "observed", ("demo.other",))


def test_the_statements_are_those_that_are_right_and_those_that_are_wrong() -> None:
    found = Claim("a.b", "It.", "a", "a.md:1", documents=("001-1", "001-2"), erratum=("001-3",))
    assert found.statements == ("001-1", "001-2", "001-3")


def test_a_sentence_is_the_first_paragraph_on_one_line(write: Write) -> None:
    text = (
        "### demo.a\n\n\n\nThe first,\n  and the second.\n\nIt should be clear.\n\ntorch: >=2.0\n"
    )
    assert read_register(write(demo=text))["demo.a"].sentence == "The first, and the second."


def test_a_sentence_may_end_with_a_colon_and_a_list_behind_it(write: Write) -> None:
    text = "### demo.first\nThese hold:\n\n- one\n- two\n\ntorch: >=2.0\n"
    with pytest.raises(SpecificationError, match="'These'"):
        read_register(write(demo=text))
    found = read_register(write(demo=text.replace("These", "Both")))
    assert found["demo.first"].sentence == "Both hold:"


def test_a_claim_ends_at_the_next_heading_that_is_as_high(write: Write) -> None:
    text = f"{claim('demo.a')}\n## Part\nIt must.\n{claim('demo.b')}\n# End\nIt must.\n"
    found = read_register(write(demo=text))
    assert [(c.id, c.source) for c in found] == [
        ("demo.a", "docs/spec/demo.md:2"),
        ("demo.b", "docs/spec/demo.md:10"),
    ]


@pytest.mark.parametrize(
    "line, word",
    [
        pytest.param("#### demo.a", "####", id="a lower heading"),
        pytest.param("###demo.a", "###demo.a", id="no space"),
        pytest.param("#Title here", "#Title", id="a title without a space"),
    ],
)
def test_a_line_that_looks_like_a_heading_is_refused(write: Write, line: str, word: str) -> None:
    folder = write(demo=f"# Demo\n{line}\n{claim('demo.a')}", retired=f"{line}\n")
    assert problems(folder) == [
        f"docs/spec/{place}: {word!r} begins no claim; a claim is a heading of three '#'"
        for place in ("demo.md:2", "retired.md:1")
    ]


def test_a_number_sign_within_a_line_is_no_heading(write: Write) -> None:
    text = "# Demo\n### demo.a\ntorch does it.\n\n    #comment\n\nNo. #1\n\ntorch: >=2.1\n"
    assert str(read_register(write(demo=text))["demo.a"].torch) == ">=2.1"


def test_a_file_that_is_not_utf_8_is_refused_beside_other_problems(write: Write) -> None:
    folder = write(demo=claim("Demo.a"))
    (folder / "more.md").write_bytes(b"# More \xe4")
    assert problems(folder)[1:] == [
        "docs/spec/more.md: is not UTF-8: byte 7 cannot be read; save it as UTF-8"
    ]


def test_claims_come_in_the_order_of_chapters_and_headings(write: Write) -> None:
    found = read_register(
        write(
            zebra="# Z\n" + claim("z.b") + claim("z.a"),
            apple="Without a title.\n" + claim("a.c"),
            README="# Read\n" + claim("no-claim"),
        )
    )
    assert [c.id for c in found] == ["a.c", "z.b", "z.a"]
    assert found.chapters == ("apple", "zebra")
    assert found.titles == {"apple": "apple", "zebra": "Z"}
    assert len(found) == 3
    assert "z.a" in found
    assert "z.c" not in found


@pytest.mark.parametrize(
    "claim_id", ["demo", "Demo.it", "demo.It", "demo..it", "demo.it-", "demo.-it", "demo.it_is", ""]
)
def test_a_malformed_id_is_refused(write: Write, claim_id: str) -> None:
    assert problems(write(demo="# Demo\n" + claim(claim_id))) == [
        f"docs/spec/demo.md:3: {claim_id!r} is not a claim id; write lower-case words joined by '-', "
        "in two or more parts joined by '.'"
    ]


@pytest.mark.parametrize("claim_id", ["demo.it", "demo.a.b", "demo-2.is-0-of-it"])
def test_an_id_has_parts_of_words(write: Write, claim_id: str) -> None:
    assert claim_id in read_register(write(demo=claim(claim_id)))


def test_an_id_that_stands_twice_is_refused(write: Write) -> None:
    assert problems(write(demo=claim("demo.a"), more=claim("demo.a"))) == [
        "docs/spec/more.md:2: claim 'demo.a' stands already at docs/spec/demo.md:2"
    ]


FIELDS = "torch, devices, implementations, level, documents, erratum, api, see"


@pytest.mark.parametrize(
    "fields, told",
    [
        pytest.param("", "has no line of fields; end it with 'torch: >=2.0 · devices: any'",
                     id="no fields"),
        pytest.param("devices: any", "has no line of fields; end it with 'torch: >=2.0 · devices: any'",
                     id="no torch"),
        pytest.param("torch: >=2.0 · colour: red", f"'colour: red' is not a field; the fields are {FIELDS}",
                     id="an unknown field"),
        pytest.param("torch: >=2.0 · devices", f"'devices' is not a field; the fields are {FIELDS}",
                     id="no colon"),
        pytest.param("torch: >=2.0 · devices:", f"'devices:' is not a field; the fields are {FIELDS}",
                     id="no value"),
        pytest.param("torch: >=2.0 · see: demo.a · see: demo.a", "gives 'see' twice", id="twice"),
        pytest.param("torch: 2", "'2' is not a range of torch releases; write it like '>=2.0,<2.8'",
                     id="no range"),
        pytest.param("torch: >=2.0 · devices: tpu",
                     "devices: 'tpu' is not one of any, cpu, cuda, accelerator", id="device"),
        pytest.param("torch: >=2.0 · level: rumour", "level: 'rumour' is not one of documented, observed",
                     id="level"),
        pytest.param("torch: >=2.0 · documents: 003-6, 3-6",
                     "documents: '3-6' is not a statement's number such as 003-6", id="document"),
        pytest.param("torch: >=2.0 · erratum: 003-",
                     "erratum: '003-' is not a statement's number such as 003-6", id="erratum"),
        pytest.param("torch: >=2.0 · api: SGD(lr), 2x", "api: '2x' is not a name of torch such as SGD(lr) "
                     "or Optimizer.step(closure)", id="api"),
        pytest.param("torch: >=2.0 · implementations: Loop", "implementations: 'Loop' is none of 'any', "
                     "'not fused', 'loop', 'fused>=2.4'", id="implementation"),
    ],
)  # fmt: skip
def test_a_malformed_field_is_refused(write: Write, fields: str, told: str) -> None:
    assert problems(write(demo="# Demo\n" + claim("demo.a", fields=fields))) == [
        f"docs/spec/demo.md:3: demo.a: {told}"
    ]


@pytest.mark.parametrize("devices", ["any", "cpu", "cuda", "accelerator"])
def test_kinds_of_devices(write: Write, devices: str) -> None:
    fields = f"torch: >=2.0 · devices: {devices}"
    assert read_register(write(demo=claim("demo.a", fields=fields)))["demo.a"].devices == devices


@pytest.mark.parametrize("word", ["should", "must", "ought", "Should", "MUST"])
def test_a_sentence_says_what_torch_does(write: Write, word: str) -> None:
    assert problems(write(demo=claim("demo.a", f"torch {word} do it."))) == [
        f"docs/spec/demo.md:2: demo.a: says {word!r}; a claim is indicative: say what torch does"
    ]


@pytest.mark.parametrize(
    "word",
    ["So", "Nor", "Neither", "They", "It", "Its", "But", "Within", "Also", "Such", "These",
     "Those"],
)  # fmt: skip
def test_a_sentence_that_leans_on_the_one_before_is_refused(write: Write, word: str) -> None:
    assert problems(write(demo=claim("demo.a", f"{word} torch does."))) == [
        f"docs/spec/demo.md:2: demo.a: begins with {word!r}, which leans on the sentence before; "
        "name the subject"
    ]


@pytest.mark.parametrize(
    "sentence", ["Items stay.", "`It` stays.", "Soft labels stay.", "A step is such.", "Trust it."]
)
def test_a_sentence_may_hold_such_words(write: Write, sentence: str) -> None:
    assert read_register(write(demo=claim("demo.a", sentence)))["demo.a"].sentence == sentence


@pytest.mark.parametrize(
    "sentence", ["", "torch does it", "torch does it!"], ids=["none", "no", "!"]
)
def test_a_claim_has_a_sentence_with_a_full_stop(write: Write, sentence: str) -> None:
    assert problems(write(demo=claim("demo.a", sentence))) == [
        "docs/spec/demo.md:2: demo.a: has no sentence; write one below the heading, ended by a full stop"
    ]


def test_a_heading_alone_is_no_claim(write: Write) -> None:
    assert problems(write(demo="### demo.a\n")) == [
        "docs/spec/demo.md:1: demo.a: has no line of fields; end it with 'torch: >=2.0 · devices: any'",
        "docs/spec/demo.md:1: demo.a: has no sentence; write one below the heading, ended by a full stop",
    ]


def test_a_related_claim_has_to_be_there(write: Write) -> None:
    chapter = claim("demo.a", fields="torch: >=2.0 · see: demo.a, demo.b")
    assert problems(write(demo=chapter)) == [
        "docs/spec/demo.md:2: demo.a: 'see' names 'demo.b', which is no claim"
    ]


def test_a_prefix_belongs_to_one_chapter(write: Write) -> None:
    folder = write(
        one=claim("adam.a") + claim("sgd.a") + claim("adam.c"),
        two=claim("adam.b") + claim("adamw.a"),
        three=claim("adam-w.a"),
    )
    assert problems(folder) == [
        "docs/spec/two.md:2: adam.b: the prefix 'adam' belongs to the chapter one, where "
        "docs/spec/one.md:2 has it"
    ]


def test_every_problem_is_told_at_once(write: Write) -> None:
    folder = write(
        demo=claim("demo.a", "It must") + claim("Demo.b"), more=claim("more.a", fields="torch: new")
    )
    assert [line.partition(":")[0] for line in problems(folder)] == [
        *["docs/spec/demo.md"] * 4,
        "docs/spec/more.md",
    ]


@pytest.mark.parametrize("texts", [{}, {"README": "# All"}, {"retired": "# Old"}], ids=str)
def test_a_folder_without_a_chapter_is_refused(write: Write, texts: dict[str, str]) -> None:
    assert problems(write(**texts)) == [
        "docs/spec: no chapter there; the specification is read from docs/spec/*.md"
    ]


@pytest.fixture
def register(write: Write) -> Register:
    """A register of two claims, of which one had another id, and of one that is retired."""
    return read_register(
        write(
            demo=claim("demo.holds") + claim("demo.other"),
            retired="# Retired\n\n### demo.gone\nNo fields, and no full stop\n",
            renamed=f"{TABLE}| `demo.was` | `demo.holds` |\n| `demo.had-been` | `demo.holds` |\n",
        )
    )


def test_a_retired_claim_is_none_and_its_file_no_chapter(register: Register) -> None:
    assert [c.id for c in register] == ["demo.holds", "demo.other"]
    assert register.retired == {"demo.gone"}
    assert register.chapters == ("demo",)


def test_the_id_of_a_retired_claim_is_not_used_again(write: Write) -> None:
    folder = write(
        demo=claim("demo.a"), retired="### demo.a\n\n### z.a\n", zebra=claim("z.a") + claim("z.b")
    )
    assert problems(folder) == [
        "docs/spec/retired.md:1: claim 'demo.a' stands already at docs/spec/demo.md:2",
        "docs/spec/zebra.md:2: claim 'z.a' stands already at docs/spec/retired.md:3",
    ]


def test_the_table_of_renamed_claims_is_read(register: Register) -> None:
    assert register.renamed == {"demo.was": "demo.holds", "demo.had-been": "demo.holds"}


@pytest.mark.parametrize(
    "text, renamed",
    [
        pytest.param(f"{TABLE}| `a.b` | `c.d` |\n", {"a.b": "c.d"}, id="a row"),
        pytest.param(f"{TABLE}| `a.b` | `c.d` | `e.f` |\n", {}, id="three columns"),
        pytest.param("The id `a.b` | `c.d` | is old.\n", {}, id="no row"),
        pytest.param(TABLE, {}, id="no rows"),
    ],
)
def test_a_row_of_the_table_has_two_ids(write: Write, text: str, renamed: dict[str, str]) -> None:
    assert read_renamed(write(renamed=text)) == renamed


def test_without_a_table_no_claim_was_renamed(write: Write) -> None:
    folder = write(demo=claim("demo.a"))
    assert read_renamed(folder) == {}
    assert read_register(folder).renamed == {}
    assert Register({}, frozenset(), {}).renamed == {}


def test_a_renamed_claim_has_to_be_there(write: Write) -> None:
    folder = write(demo=claim("demo.a"), renamed=f"{TABLE}| `demo.was` | `demo.is` |\n")
    assert problems(folder) == [
        "docs/spec/renamed.md: 'demo.was' is said to be 'demo.is', which is no claim"
    ]


@pytest.mark.parametrize(
    "claim_id, line",
    [
        pytest.param("demo.was", "claim 'demo.was' is now called 'demo.holds'", id="renamed"),
        pytest.param("demo.gone", "claim 'demo.gone' is retired (docs/spec/retired.md says why)",
                     id="retired"),
        pytest.param("demo.othre", "unknown claim 'demo.othre': did you mean 'demo.other'?", id="near"),
        pytest.param("xyz", "unknown claim 'xyz': docs/spec lists the claims", id="far"),
    ],
)  # fmt: skip
def test_an_unknown_id_is_told_in_a_line(register: Register, claim_id: str, line: str) -> None:
    assert register.unknown(claim_id) == line


def test_an_old_id_that_is_still_a_claim_is_refused(write: Write) -> None:
    table = "| `demo.a` | `demo.b` |\n"
    with pytest.raises(SpecificationError, match=r"'demo\.a' is an id that is still used"):
        read_register(write(demo=claim("demo.a") + claim("demo.b"), renamed=table))


@pytest.mark.parametrize(
    "explanation, fields, before",
    [
        (
            "Before 2.14, it was\nnot so. Nobody knew.",
            "torch: >=2.14",
            "It was not so. Nobody knew.",
        ),
        ("Before torch 2.14, it was not so.", "torch: >=2.14 · devices: cpu", "It was not so."),
        ("A reason. Before 2.14 `it` was not so.", "torch: >=2.14", "`it` was not so."),
        ("Before 2.9, it was not so.", "torch: >=2.14", None),
        ("It is so.", "torch: >=2.14", None),
        ("Before 2.14, it was not so.", "torch: <2.14", None),
    ],
)
def test_a_claim_may_say_what_was_before_its_first_release(
    write: Write, explanation: str, fields: str, before: str | None
) -> None:
    folder = write(one=f"# One\n\n### one.it\nIt is so.\n\n{explanation}\n\n{fields}\n")
    assert read_before(folder).get("one.it") == before


def test_the_sentence_of_a_claim_is_no_explanation(write: Write) -> None:
    folder = write(one="# One\n\n### one.it\nBefore 2.14, it was so.\n\ntorch: >=2.14\n")
    assert read_before(folder) == {}
