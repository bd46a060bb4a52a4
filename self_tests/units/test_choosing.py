"""Records and implementations: what tests choose by them, and what is refused."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fixtures.catalogue import implementations, optimizers
from fixtures.catalogue.implementations import IMPLEMENTATIONS, Implementation
from fixtures.catalogue.optimizer_record import (
    TRAITS,
    Case,
    OptimizerEntry,
    Preset,
)
from self_tests.units.made_up_records import (
    CAPTURABLE,
    COMPOSITE,
    FIRST,
    FOREACH,
    FUSED,
    LOOP,
    SECOND,
    THIRD,
    Simple,
)


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> list[OptimizerEntry]:
    """The catalogue: three records, instead of those of torch."""
    records = [FIRST, SECOND, THIRD]
    monkeypatch.setattr(optimizers, "OPTIMIZERS", records)
    return records


def asked(mark: pytest.MarkDecorator) -> list[str]:
    """Return the ids of the cases that a test is asked of."""
    return [case.id for case in mark.args[0]]


@pytest.mark.parametrize(
    "arguments, names",
    [
        pytest.param({}, ["First", "Second", "Third"], id="all"),
        pytest.param({"which": "elementwise"}, ["First", "Third"], id="a trait"),
        pytest.param({"which": ("elementwise", "takes_sparse_gradients")}, ["Third"],
                     id="two traits"),
        pytest.param({"which": "accepts_dense_gradients"}, ["First", "Third"], id="a derived trait"),
        pytest.param({"but": "elementwise"}, ["Second"], id="all but a trait"),
        pytest.param({"but": ("takes_complex_parameters", "takes_sparse_gradients")}, [],
                     id="all but one of two traits"),
        pytest.param({"which": "elementwise", "but": "takes_complex_parameters"}, ["Third"],
                     id="a trait but another"),
        pytest.param({"only": ("Third", "Second")}, ["Second", "Third"], id="names"),
        pytest.param({"only": ("Third", "Second"), "which": "elementwise"}, ["Third"],
                     id="a name and a trait"),
        pytest.param({"taking": ("eps",)}, ["First", "Third"], id="an option"),
        pytest.param({"taking": ("momentum", "foreach")}, ["Second"], id="two options"),
        pytest.param({"taking": ("momentum", "eps")}, [], id="options that none has together"),
    ],
)  # fmt: skip
def test_records_are_chosen(arguments: dict[str, Any], names: list[str]) -> None:
    assert [entry.name for entry in optimizers.chosen(**arguments)] == names
    cases = [case.optimizer.name for case in optimizers.each(**arguments).args[0]]
    assert cases == names


@pytest.mark.parametrize(
    "arguments, ids",
    [
        pytest.param({}, ["first.default", "second.default", "third.default"], id="the defaults"),
        pytest.param({"only": ("First",), "every_preset": True},
                     ["first.default", "first.eps", "first.slow"], id="every preset"),
        pytest.param({"having": "eps"}, ["first.eps", "first.slow"], id="having an option"),
        pytest.param({"having": "eps", "without": "lr"}, ["first.eps"],
                     id="having an option without another"),
        pytest.param({"every_preset": True, "without": "eps"},
                     ["first.default", "second.default", "second.momentum", "third.default"],
                     id="without an option"),
        pytest.param({"having": "weight_decay"}, [], id="having an option of none"),
        pytest.param({"every_option": True},
                     ["first.default", "first.slow", "second.default", "second.momentum", "third.default"],
                     id="every option"),
    ],
)  # fmt: skip
def test_presets_are_chosen(arguments: dict[str, Any], ids: list[str]) -> None:
    assert asked(optimizers.each(**arguments)) == ids


def test_options_are_added_to_presets_of_those_that_take_them() -> None:
    mark = optimizers.each(every_preset=True, adding={"eps": 0.75, "fused": True})
    assert [(case.id, case.preset.options) for case in mark.args[0]] == [
        ("first.default", {"eps": 0.75, "fused": True}),
        ("first.eps", {"eps": 0.75, "fused": True}),
        ("first.slow", {"lr": 0.25, "eps": 0.75, "fused": True}),
        ("third.default", {"eps": 0.75, "fused": True}),
    ]
    assert FIRST.presets[0].options == {"eps": 0.5}


def test_a_test_may_be_asked_of_cases_that_stand_in_no_record() -> None:
    cases = [Case(THIRD, Preset("made", {"lr": 2.0}))]
    mark = optimizers.each_of(cases, by=("fused",))
    assert (mark.args[0], mark.name) == (cases, "each_case")
    assert [e.name for e in (LOOP, FUSED, COMPOSITE) if mark.kwargs["by"](e)] == ["fused"]


@pytest.mark.parametrize(
    "arguments, names",
    [
        pytest.param({}, ["loop", "fused", "capturable_foreach"], id="all"),
        pytest.param({"by": ("loop", "fused")}, ["loop", "fused"], id="by two"),
        pytest.param({"by": ("foreach",)}, ["capturable_foreach"], id="by a part"),
        pytest.param({"not_by": ("capturable",)}, ["loop", "fused"], id="not by a part"),
        pytest.param({"by": ("foreach", "loop"), "not_by": ("capturable",)}, ["loop"],
                     id="by one, and not by another"),
        pytest.param({"by": ("capturable_foreach",)}, [], id="not by the name of a composite one"),
    ],
)  # fmt: skip
def test_implementations_are_chosen_by_their_parts(
    arguments: dict[str, Any], names: list[str]
) -> None:
    chosen = optimizers.each(**arguments).kwargs["by"]
    assert [e.name for e in (LOOP, FUSED, COMPOSITE) if chosen(e)] == names


@pytest.mark.parametrize("choose", [optimizers.each, optimizers.chosen], ids=["each", "chosen"])
@pytest.mark.parametrize(
    "arguments, line",
    [
        pytest.param({"which": "is_quick"}, "no such trait as is_quick; the traits are elementwise, ",
                     id="which"),
        pytest.param({"but": ("elementwise", "is_quick", "is_slow")},
                     "no such trait as is_quick, is_slow; the traits are elementwise, ", id="but"),
        pytest.param({"only": ("Second", "Zero", "Fourth")},
                     "no record of Fourth, Zero in the catalogue", id="only"),
    ],
)  # fmt: skip
def test_an_unknown_trait_or_name_is_refused_in_a_line(
    choose: Callable[..., object], arguments: dict[str, Any], line: str
) -> None:
    with pytest.raises(ValueError, match="no ") as caught:
        choose(**arguments)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1


def test_a_refusal_names_every_trait() -> None:
    with pytest.raises(ValueError, match="no such trait") as caught:
        optimizers.chosen(which="is_quick")
    assert str(caught.value).endswith(f"; the traits are {', '.join(TRAITS)}")


@pytest.mark.parametrize("trait", ["is_quick", "has_oracle"], ids=["unknown", "derived"])
def test_a_record_declares_no_other_traits(trait: str) -> None:
    with pytest.raises(ValueError, match=f"^Fourth: no such trait as {trait}; the traits are elem"):
        OptimizerEntry("Fourth", traits=frozenset({"elementwise", trait}))


def test_a_record_is_added_behind_the_others(catalogue: list[OptimizerEntry]) -> None:
    fourth = OptimizerEntry("Fourth", cls=Simple)
    optimizers.add(fourth)
    assert catalogue == [FIRST, SECOND, THIRD, fourth]
    assert optimizers.by_name("Fourth") is fourth
    assert asked(optimizers.each())[-1] == "fourth.default"


def test_a_second_record_of_a_name_is_refused(catalogue: list[OptimizerEntry]) -> None:
    with pytest.raises(ValueError, match=r"^there is a record of Second already$"):
        optimizers.add(OptimizerEntry("Second", cls=Simple))
    assert catalogue == [FIRST, SECOND, THIRD]


def test_a_record_is_found_by_its_name() -> None:
    assert optimizers.by_name("Second") is SECOND


def test_an_implementation_is_added_behind_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "IMPLEMENTATIONS", {"loop": LOOP})
    wrapped = Implementation("wrapped", on_request=True)
    implementations.add(wrapped)
    assert list(implementations.IMPLEMENTATIONS.values()) == [LOOP, wrapped]


def test_a_second_implementation_of_a_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementations, "IMPLEMENTATIONS", {"loop": LOOP})
    with pytest.raises(ValueError, match=r"^there is an implementation named 'loop' already$"):
        implementations.add(Implementation("loop", {"foreach": True}))
    assert implementations.IMPLEMENTATIONS == {"loop": LOOP}


def test_an_implementation_stands_under_its_name() -> None:
    assert [entry.name for entry in IMPLEMENTATIONS.values()] == list(IMPLEMENTATIONS)


def test_parts_of_an_implementation_are_implementations() -> None:
    parts = {part for entry in IMPLEMENTATIONS.values() for part in entry.all_parts}
    assert parts <= IMPLEMENTATIONS.keys()


@pytest.mark.parametrize(
    "implementation, parts, markers, options",
    [
        pytest.param(LOOP, ("loop",), ("loop",), (), id="simple"),
        pytest.param(CAPTURABLE, ("capturable",), ("capturable",), ("capturable",),
                     id="simple, with an option that is off"),
        pytest.param(FOREACH, ("foreach",), ("foreach",), ("foreach",), id="of lists"),
        pytest.param(COMPOSITE, ("capturable", "foreach"),
                     ("capturable_foreach", "capturable", "foreach"), ("capturable", "foreach"),
                     id="composite"),
        pytest.param(IMPLEMENTATIONS["capturable_differentiable"], ("capturable", "differentiable"),
                     ("capturable_differentiable", "capturable", "differentiable"),
                     ("capturable", "differentiable"), id="another composite one"),
    ],
)  # fmt: skip
def test_an_implementation_is_known_by_its_parts_and_asks_for_options(
    implementation: Implementation,
    parts: tuple[str, ...],
    markers: tuple[str, ...],
    options: tuple[str, ...],
) -> None:
    assert implementation.all_parts == parts
    assert implementation.markers == markers
    assert implementation.asks_for == options


@pytest.mark.parametrize(
    "implementation, known, given",
    [
        pytest.param(LOOP, {"foreach": "2.0"}, {"foreach": False}, id="off, and known"),
        pytest.param(LOOP, {}, {}, id="off, and unknown"),
        pytest.param(FUSED, {}, {"fused": True}, id="on, and unknown"),
        pytest.param(CAPTURABLE, {"capturable": "2.0"}, {"capturable": True}, id="on, one of two"),
    ],
)
def test_an_option_that_is_off_is_given_to_those_that_know_it(
    implementation: Implementation, known: Mapping[str, str], given: dict[str, bool]
) -> None:
    assert implementation.options_among(known) == given


@pytest.mark.parametrize(
    "implementation, words",
    [
        pytest.param(LOOP, "by foreach=False", id="an option"),
        pytest.param(COMPOSITE, "by capturable=True, foreach=True", id="two options"),
        pytest.param(Implementation("x", wrap=lambda step: step), "by a step that is wrapped",
                     id="a wrapped step"),
        pytest.param(Implementation("x"), "as torch chooses", id="nothing"),
    ],
)  # fmt: skip
def test_an_implementation_in_words(implementation: Implementation, words: str) -> None:
    assert implementation.described() == words


def test_an_implementation_is_on_the_axis_unless_it_says_otherwise() -> None:
    assert not Implementation("x").on_request


def test_records_and_implementations_can_be_gathered_in_sets() -> None:
    assert len({FIRST, SECOND, FIRST}) == 2
    assert len({LOOP, FUSED, LOOP}) == 2


def test_a_single_name_may_stand_for_a_list_of_one() -> None:
    assert optimizers.chosen(only=FIRST.name) == optimizers.chosen(only=(FIRST.name,)) == [FIRST]


@pytest.mark.parametrize("argument", ["by", "not_by"])
def test_an_implementation_that_there_is_not_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="no implementation 'fussed'; there are loop"):
        optimizers.each(**{argument: "fussed"})  # type: ignore[arg-type]
