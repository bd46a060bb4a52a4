"""The field ``implementations`` of a claim: what it may say, and of which implementations it speaks."""

import pytest

from fixtures.specification.register import Implementations, read_implementations
from fixtures.specification.torch_range import TorchRange

LOOP, FUSED = ("loop", ("loop",)), ("fused", ("fused",))
COMPOSITE = ("capturable_foreach", ("capturable", "foreach"))


@pytest.mark.parametrize(
    "text, read",
    [
        pytest.param("any", Implementations(), id="any"),
        pytest.param("any, not fused, not differentiable",
                     Implementations(but=("fused", "differentiable")), id="any but two"),
        pytest.param("loop, capturable_foreach",
                     Implementations(any=False, releases={
                         "loop": TorchRange(">=2.0"), "capturable_foreach": TorchRange(">=2.0")}),
                     id="names"),
        pytest.param("fused>=2.4,<2.8, loop!=2.5.1",
                     Implementations(any=False, releases={
                         "fused": TorchRange(">=2.4,<2.8"), "loop": TorchRange("!=2.5.1")}),
                     id="ranges"),
        pytest.param("any, fused>=2.4,  not loop",
                     Implementations(but=("loop",), releases={"fused": TorchRange(">=2.4")}),
                     id="any, of some from a release on"),
    ],
)  # fmt: skip
def test_the_field_implementations(text: str, read: Implementations) -> None:
    assert read_implementations(text) == read


@pytest.mark.parametrize(
    "text, item",
    [
        pytest.param("Fused", "Fused", id="upper case"),
        pytest.param("loop,foreach", "loop,foreach", id="no space behind a comma"),
        pytest.param("loop, ", "", id="nothing behind a comma"),
        pytest.param("all but fused", "all but fused", id="other words"),
        pytest.param("not  fused", "not  fused", id="two spaces"),
        pytest.param("fused >=2.4", "fused >=2.4", id="a space before a range"),
        pytest.param("loop, fused>=x", "fused>=x", id="no release"),
        pytest.param("any>=2.4", "any>=2.4", id="any, from a release on"),
        pytest.param("any, not fused>=2.4", "not fused>=2.4", id="left out from a release on"),
    ],
)
def test_a_malformed_list_of_implementations_is_refused(text: str, item: str) -> None:
    with pytest.raises(ValueError, match="implementations") as caught:
        read_implementations(text)
    assert str(caught.value) == (
        f"implementations: {item!r} is none of 'any', 'not fused', 'loop', 'fused>=2.4'"
    )


def test_a_malformed_range_of_an_implementation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^'=2\.4' is not a range of torch releases"):
        read_implementations("fused=2.4")


@pytest.mark.parametrize("text", ["not fused", "loop, not fused", "not any"])
def test_what_is_left_out_is_left_out_of_any(text: str) -> None:
    with pytest.raises(ValueError, match="implementations") as caught:
        read_implementations(text)
    assert str(caught.value) == (
        f"implementations: {text!r} leaves something out of nothing: begin with 'any'"
    )


@pytest.mark.parametrize(
    "text, implementation, spoken_of",
    [
        pytest.param("any", LOOP, True, id="any: a simple one"),
        pytest.param("any", COMPOSITE, True, id="any: a composite one"),
        pytest.param("any, not fused", FUSED, False, id="all but itself"),
        pytest.param("any, not fused", LOOP, True, id="all but another"),
        pytest.param("any, not foreach", COMPOSITE, False, id="all but a part"),
        pytest.param(
            "any, not capturable_foreach", COMPOSITE, False, id="all but the composite one"
        ),
        pytest.param("any, not capturable_foreach", LOOP, True, id="all but a composite one"),
        pytest.param("any, fused>=2.4", LOOP, True, id="any, another from a release on"),
        pytest.param("any, fused>=2.4", FUSED, True, id="any, itself from a release on"),
        pytest.param("loop, foreach", LOOP, True, id="by name"),
        pytest.param("loop, foreach", FUSED, False, id="not by name"),
        pytest.param("fused>=2.4", FUSED, True, id="by name, from a release on"),
        pytest.param("capturable, foreach", COMPOSITE, True, id="by all its parts"),
        pytest.param("capturable", COMPOSITE, False, id="by one of its parts"),
        pytest.param("foreach, loop", COMPOSITE, False, id="by its other part"),
        pytest.param("capturable_foreach", COMPOSITE, True, id="by the name of the composite"),
    ],
)
def test_a_claim_speaks_of(
    text: str, implementation: tuple[str, tuple[str, ...]], spoken_of: bool
) -> None:
    assert read_implementations(text).speak_of(*implementation) is spoken_of


@pytest.mark.parametrize(
    "text, implementation, ranges",
    [
        pytest.param("any", FUSED, [], id="any"),
        pytest.param("any, fused>=2.4", FUSED, [">=2.4"], id="any, itself from a release on"),
        pytest.param("any, fused>=2.4", LOOP, [], id="any, another from a release on"),
        pytest.param("loop, fused>=2.4", LOOP, [">=2.0"], id="by name"),
        pytest.param("capturable>=2.4, foreach<2.8", COMPOSITE, ["<2.8", ">=2.4"], id="by its parts"),
        pytest.param("any, capturable>=2.4", COMPOSITE, [">=2.4"], id="by one of its parts"),
        pytest.param("any, capturable_foreach>=2.5, foreach<2.8", COMPOSITE, ["<2.8", ">=2.5"],
                     id="by its name and a part"),
    ],
)  # fmt: skip
def test_the_releases_of_which_a_claim_speaks(
    text: str, implementation: tuple[str, tuple[str, ...]], ranges: list[str]
) -> None:
    assert sorted(map(str, read_implementations(text).torch(*implementation))) == ranges
