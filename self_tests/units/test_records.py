"""The records of optimizers and implementations: what is chosen by them, and what they refuse."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from fixtures.catalogue import implementations, optimizers
from fixtures.catalogue.implementations import IMPLEMENTATIONS, Implementation
from fixtures.catalogue.optimizer_record import (
    DERIVED_TRAITS,
    MATRICES,
    SPARSE,
    TRAITS,
    Case,
    OptimizerEntry,
    Preset,
)
from fixtures.catalogue.states import (
    COLUMNS,
    COUNT,
    NONE,
    ROWS,
    SCALAR,
    SCALAR_BESIDE,
    Entry,
    describe,
    of_lbfgs,
)
from fixtures.oracles.sgd import SGD

LOOP, FOREACH, FUSED, CAPTURABLE, COMPOSITE = (
    IMPLEMENTATIONS[name]
    for name in ("loop", "foreach", "fused", "capturable", "capturable_foreach")
)


class Simple(torch.optim.Optimizer):
    """Takes the options that its records below speak of, and does nothing."""

    def __init__(self, params: Any, lr: float = 0.5, *, eps: float = 1e-8, fused: bool = False):
        super().__init__(params, {"lr": lr, "eps": eps, "fused": fused})

    def step(self, closure: Any = None) -> Any:
        """Return what it is given."""
        return closure


class WithMomentum(Simple):
    """Takes more of them."""

    def __init__(self, params: Any, lr: float, *, momentum: float = 0.0, foreach: bool = False):
        super().__init__(params, lr)
        self.options = {"momentum": momentum, "foreach": foreach}


FIRST = OptimizerEntry(
    "First",
    cls=Simple,
    presets=(Preset("eps", {"eps": 0.5}), Preset("slow", {"lr": 0.25, "eps": 0.5})),
    lr=0.125,
    fused={"cpu": ">=2.4", "cuda": ">=2.12"},
    traits=frozenset({"elementwise", "takes_complex_parameters"}),
)
SECOND = OptimizerEntry(
    "Second",
    cls=WithMomentum,
    presets=(Preset("momentum", {"momentum": 0.9}),),
    parameters=SPARSE,
    traits=frozenset({"takes_sparse_gradients"}),
)
THIRD = OptimizerEntry(
    "Third",
    cls=Simple,
    fused={"accelerator": ">=2.0"},
    traits=frozenset({"elementwise", "takes_sparse_gradients"}),
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


def entry_of(**fields: Any) -> OptimizerEntry:
    return OptimizerEntry("Made", **{"cls": Simple, **fields})


STEP = Entry("step", SCALAR)
STEP_SINCE_2_4 = (Entry("step", SCALAR, releases=">=2.4"), Entry("step", COUNT, releases="<2.4"))
DERIVED: Mapping[str, tuple[OptimizerEntry, OptimizerEntry]] = {
    # The trait: a record that has it, and one that does not.
    "is_torch_s_own": (OptimizerEntry("Adam"), entry_of()),
    "has_oracle": (entry_of(oracle=SGD), entry_of()),
    "needs_closure": (entry_of(needs_closure=True), entry_of()),
    "accepts_vectors": (entry_of(), entry_of(parameters=MATRICES)),
    "accepts_dense_gradients": (entry_of(parameters=MATRICES), entry_of(parameters=SPARSE)),
    "divides_by_eps": (
        entry_of(traits=frozenset({"elementwise"})),
        entry_of(cls=WithMomentum, traits=frozenset({"elementwise"})),
    ),
    "keeps_state": (entry_of(states=(STEP,)), entry_of(states=(Entry("max", option="amsgrad"),))),
    "keeps_one_state": (entry_of(common_state=("step",)), entry_of(states=(STEP,))),
    "counts_steps": (entry_of(common_state=("step",)), entry_of(states=(Entry("sum"),))),
    "counts_in_tensors": (entry_of(states=(STEP,)), entry_of(states=STEP_SINCE_2_4)),
    "counts_in_tensors_since_2_4": (entry_of(states=STEP_SINCE_2_4), entry_of(states=(STEP,))),
    "counts_in_python": (
        entry_of(states=(Entry("step", COUNT),)),
        entry_of(states=STEP_SINCE_2_4),
    ),
    "counts_beside_the_parameter": (
        entry_of(states=(Entry("step", SCALAR_BESIDE),)),
        entry_of(states=(STEP, Entry("eta", SCALAR_BESIDE))),
    ),
    "keeps_entries_of_its_shape": (
        entry_of(states=(STEP, Entry("sum"))),
        entry_of(states=(STEP, Entry("max", option="amsgrad"), Entry("v", dimensions="vector"))),
    ),
    "refuses_a_kind_of_gradient": (entry_of(), entry_of(needs_closure=True)),
    "was_in_torch_1": (OptimizerEntry("Adam"), OptimizerEntry("Adafactor")),
    "keeps_state_from_construction": (
        entry_of(states=(STEP, Entry("sum", from_construction=True))),
        entry_of(states=(STEP,)),
    ),
}


@pytest.mark.parametrize("trait", DERIVED)
def test_a_derived_trait_follows_from_the_record(trait: str) -> None:
    with_it, without = DERIVED[trait]
    assert with_it.has(trait)
    assert not without.has(trait)


def test_a_declared_trait_is_one_that_the_record_has() -> None:
    assert FIRST.has("takes_complex_parameters")
    assert not THIRD.has("takes_complex_parameters")


@pytest.mark.parametrize("trait", TRAITS)
def test_a_record_can_be_asked_for_every_trait(trait: str) -> None:
    assert FIRST.has(trait) in (True, False)


def test_every_derived_trait_is_tested() -> None:
    assert DERIVED.keys() == DERIVED_TRAITS.keys()


@pytest.mark.parametrize(
    "trait, entry",
    [
        pytest.param("divides_by_eps", entry_of(), id="not element by element"),
        pytest.param("counts_in_tensors", entry_of(states=(Entry("n", SCALAR),)), id="no step"),
        pytest.param(
            "counts_in_tensors", entry_of(states=(Entry("step", COUNT),)), id="a Python int"
        ),
        pytest.param("counts_in_python", entry_of(states=(STEP,)), id="a tensor"),
        pytest.param("was_in_torch_1", entry_of(), id="none of torch's"),
        pytest.param("refuses_a_kind_of_gradient",
                     entry_of(traits=frozenset({"takes_sparse_gradients"})), id="takes both kinds"),
    ],
)  # fmt: skip
def test_a_derived_trait_is_not_said_of(trait: str, entry: OptimizerEntry) -> None:
    assert not entry.has(trait)


def test_sparse_gradients_alone_are_a_kind_that_is_refused() -> None:
    entry = entry_of(parameters=SPARSE, traits=frozenset({"takes_sparse_gradients"}))
    assert entry.has("refuses_a_kind_of_gradient")


def test_a_step_count_of_2_2_is_a_tensor_since_then() -> None:
    states = (Entry("step", SCALAR_BESIDE, releases=">=2.2"),)
    assert entry_of(states=states).has("counts_in_tensors")


def test_an_oracle_has_the_options_that_it_is_given() -> None:
    assert entry_of(oracle=SGD).oracle_with(lr=2.0, momentum=0.5) == SGD(lr=2.0, momentum=0.5)


def test_a_record_without_an_oracle_has_none_to_give() -> None:
    with pytest.raises(TypeError, match=r"^the record of First names no oracle$"):
        FIRST.oracle_with(lr=2.0)


def test_the_options_of_a_class_of_one_s_own_are_those_with_a_default() -> None:
    assert FIRST.options == {"lr": "2.0", "eps": "2.0", "fused": "2.0"}
    assert SECOND.options == {"momentum": "2.0", "foreach": "2.0"}
    assert (FIRST.since, FIRST.constructor()) == ("2.0", Simple)
    assert (FIRST.lr, THIRD.lr) == (0.125, 0.01)


def test_the_options_of_torch_s_own_are_those_that_are_published() -> None:
    adafactor, asgd = OptimizerEntry("Adafactor"), OptimizerEntry("ASGD")
    assert adafactor.since == adafactor.options["lr"] == "2.5"
    assert (asgd.since, asgd.options["lambd"], asgd.options["capturable"]) == ("2.0", "2.0", "2.2")
    assert asgd.constructor() is torch.optim.ASGD


def test_the_defaults_are_the_first_preset() -> None:
    assert [preset.name for preset in FIRST.all_presets] == ["default", "eps", "slow"]
    assert FIRST.all_presets[0].options == {}


@pytest.mark.parametrize(
    "entry, keys",
    [
        pytest.param(entry_of(states=(*STEP_SINCE_2_4, Entry("sum"))), ("step", "sum"), id="once"),
        pytest.param(entry_of(states=(STEP, Entry("max", option="amsgrad"))), ("step",),
                     id="of the defaults"),
        pytest.param(entry_of(states=(Entry("r", ROWS, dimensions="matrix"),
                                      Entry("v", dimensions="vector"))), ("v",), id="of a vector"),
        pytest.param(entry_of(common_state=("d", "t"), states=(STEP,)), ("d", "t"), id="in common"),
    ],
)  # fmt: skip
def test_the_keys_of_a_state(entry: OptimizerEntry, keys: tuple[str, ...]) -> None:
    assert entry.state_keys == keys


@pytest.mark.parametrize(
    "entry, implementation, offered",
    [
        (FIRST, LOOP, True),
        (FIRST, FUSED, True),
        (FIRST, FOREACH, False),
        (SECOND, FOREACH, True),
        (SECOND, COMPOSITE, False),
    ],
    ids=["nothing asked", "an option", "no option", "another option", "one of two"],
)
def test_an_implementation_is_ever_offered_where_its_options_are(
    entry: OptimizerEntry, implementation: Implementation, offered: bool
) -> None:
    assert entry.ever_offers(implementation) is offered


ASGD = OptimizerEntry("ASGD")


@pytest.mark.parametrize(
    "entry, implementation, kind, release, reason",
    [
        pytest.param(FIRST, LOOP, "cpu", "2.0.1", None, id="nothing is asked for"),
        pytest.param(FIRST, FOREACH, "cpu", "2.13.0", "First has no foreach steps", id="no option"),
        pytest.param(FIRST, FUSED, "cpu", "2.3.1", "First has fused steps on cpu with torch >=2.4",
                     id="cpu, too early"),
        pytest.param(FIRST, FUSED, "cpu", "2.4.0+cpu", None, id="cpu, from then on"),
        pytest.param(FIRST, FUSED, "cuda", "2.4.0", "First has fused steps on cuda with torch >=2.12",
                     id="cuda, too early"),
        pytest.param(FIRST, FUSED, "cuda", "2.12.0.dev20260101", None, id="cuda, from then on"),
        pytest.param(FIRST, FUSED, "mps", "2.13.0", "First has no fused steps on mps",
                     id="another accelerator"),
        pytest.param(THIRD, FUSED, "mps", "2.0.1", None, id="any accelerator"),
        pytest.param(THIRD, FUSED, "cpu", "2.13.0", "Third has no fused steps on cpu",
                     id="the cpu is no accelerator"),
        pytest.param(entry_of(fused={"any": ">=2.1"}), FUSED, "cpu", "2.1.0", None, id="any device"),
        pytest.param(entry_of(fused={"any": ">=2.1", "accelerator": ">=2.3"}), FUSED, "xpu", "2.2.0",
                     "Made has fused steps on xpu with torch >=2.3", id="accelerator before any"),
        pytest.param(entry_of(fused={"accelerator": ">=2.3", "xpu": ">=2.5"}), FUSED, "xpu", "2.4.0",
                     "Made has fused steps on xpu with torch >=2.5", id="device before accelerator"),
        pytest.param(entry_of(), FUSED, "cpu", "2.13.0", "Made has no fused steps",
                     id="the option alone"),
        pytest.param(ASGD, FOREACH, "cuda", "2.0.0", None, id="an option of every release"),
        pytest.param(ASGD, FOREACH, "cpu", "2.0.0", None, id="an option of every device"),
        pytest.param(ASGD, CAPTURABLE, "cuda", "2.1.2",
                     "ASGD has capturable steps on cuda with torch >=2.2", id="capturable, too early"),
        pytest.param(ASGD, CAPTURABLE, "cuda", "2.2.0", None, id="capturable, from then on"),
        pytest.param(ASGD, CAPTURABLE, "cpu", "2.4.1",
                     "ASGD has capturable steps on cpu with torch >=2.5", id="capturable on the cpu"),
        pytest.param(ASGD, CAPTURABLE, "cpu", "2.5.0", None, id="capturable on a later cpu"),
        pytest.param(ASGD, COMPOSITE, "cpu", "2.4.1",
                     "ASGD has capturable steps on cpu with torch >=2.5", id="a composite one"),
        pytest.param(ASGD, FUSED, "cuda", "2.13.0", "ASGD has no fused steps", id="none of torch's"),
    ],
)  # fmt: skip
def test_why_an_implementation_is_not_offered(
    monkeypatch: pytest.MonkeyPatch,
    entry: OptimizerEntry,
    implementation: Implementation,
    kind: str,
    release: str,
    reason: str | None,
) -> None:
    monkeypatch.setattr(torch, "__version__", release)
    assert entry.why_not_offered(implementation, kind) == reason
    assert Case(entry, Preset("default"), implementation).why_not_offered(kind) == reason


def test_torch_s_own_choice_is_offered_everywhere() -> None:
    assert Case(FIRST, Preset("default")).why_not_offered("mps") is None


@pytest.mark.parametrize(
    "name, preset, release, reason",
    [
        pytest.param("Adafactor", {}, "2.4.1", "torch.optim.Adafactor came with torch 2.5", id="class"),
        pytest.param("Adafactor", {"d": 2.0}, "2.5.0", None, id="later"),
        pytest.param("ASGD", {"t0": 2, "capturable": True}, "2.1.0",
                     "the option capturable of torch.optim.ASGD came with torch 2.2", id="option"),
        pytest.param("ASGD", {"t0": 2}, "2.0.0", None, id="other options"),
    ],
)  # fmt: skip
def test_why_a_case_is_not_applicable(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    preset: dict[str, Any],
    release: str,
    reason: str | None,
) -> None:
    monkeypatch.setattr(torch, "__version__", release)
    assert Case(OptimizerEntry(name), Preset("made", preset)).why_not_applicable() == reason


@pytest.mark.parametrize(
    "case, case_id, options",
    [
        pytest.param(Case(FIRST, FIRST.presets[1]), "first.slow", {"lr": 0.25, "eps": 0.5},
                     id="torch's own choice"),
        pytest.param(Case(FIRST, FIRST.presets[0], FUSED), "first.eps-fused",
                     {"eps": 0.5, "fused": True}, id="an implementation"),
        pytest.param(Case(FIRST, Preset("default"), LOOP), "first.default-loop", {},
                     id="an option that it lacks, and is off"),
        pytest.param(Case(SECOND, Preset("default"), LOOP), "second.default-loop",
                     {"foreach": False}, id="an option that is off"),
        pytest.param(Case(FIRST, Preset("x", {"fused": False}), FUSED), "first.x-fused",
                     {"fused": True}, id="the implementation before the preset"),
    ],
)  # fmt: skip
def test_a_case_has_an_id_and_options(case: Case, case_id: str, options: dict[str, Any]) -> None:
    assert (case.id, case.options) == (case_id, options)


def test_a_case_in_an_implementation_is_another_case() -> None:
    case = Case(FIRST, FIRST.presets[0])
    assert case.by(FUSED) == Case(FIRST, FIRST.presets[0], FUSED)
    assert case.by(FUSED) != case
    assert len({case, case.by(FUSED), case.by(LOOP), Case(FIRST, FIRST.presets[0])}) == 3


def test_the_options_of_a_case_are_no_part_of_its_record() -> None:
    Case(FIRST, FIRST.presets[0]).options["eps"] = 0.75
    assert FIRST.presets[0].options == {"eps": 0.5}


@pytest.mark.parametrize(
    "case, needs",
    [
        pytest.param(Case(FIRST, Preset("default")), (), id="nothing"),
        pytest.param(Case(FIRST, Preset("default"), FUSED), ("fused",), id="fused"),
        pytest.param(Case(FIRST, Preset("x", {"fused": True})), ("fused",), id="fused by a preset"),
        pytest.param(Case(SECOND, Preset("default"), LOOP), ("sparse",), id="sparse"),
        pytest.param(Case(SECOND, Preset("default"), FUSED), ("sparse", "fused"), id="both"),
    ],
)
def test_a_case_needs_what_a_device_may_lack(case: Case, needs: tuple[str, ...]) -> None:
    assert case.needs == needs


STATES = entry_of(
    states=(
        Entry("step", SCALAR, from_construction=True),
        Entry("beside", SCALAR_BESIDE),
        Entry("count", COUNT),
        Entry("average"),
        Entry("rows", ROWS, dimensions="matrix"),
        Entry("columns", COLUMNS, dimensions="matrix"),
        Entry("vector", dimensions="vector"),
        Entry("buffer", option="momentum"),
        Entry("none", NONE, option="no_momentum"),
        Entry("old", releases="<2.0"),
    )
)
ALWAYS = {
    "step": "float32 [] on cpu",
    "beside": "float32 [] on meta",
    "count": "int",
}


@pytest.mark.parametrize(
    "shape, options, kept",
    [
        pytest.param((3,), {}, {"average": "float64 [3] on meta", "vector": "float64 [3] on meta",
                                "none": "NoneType"}, id="a vector"),
        pytest.param((2, 3), {"momentum": 0.5},
                     {"average": "float64 [2, 3] on meta", "rows": "float64 [2, 1] on meta",
                      "columns": "float64 [1, 3] on meta", "buffer": "float64 [2, 3] on meta"},
                     id="a matrix, with an option"),
        pytest.param((4, 2, 3), {"momentum": 0.0},
                     {"average": "float64 [4, 2, 3] on meta", "rows": "float64 [4, 2, 1] on meta",
                      "columns": "float64 [4, 1, 3] on meta", "none": "NoneType"},
                     id="a stack of matrices, with an option of zero"),
        pytest.param((), {"momentum": 1},
                     {"average": "float64 [] on meta", "vector": "float64 [] on meta",
                      "buffer": "float64 [] on meta"}, id="a number"),
    ],
)  # fmt: skip
def test_the_state_that_is_kept_for_a_parameter(
    shape: tuple[int, ...], options: dict[str, Any], kept: dict[str, str]
) -> None:
    parameter = torch.empty(shape, dtype=torch.float64, device="meta")
    case = Case(STATES, Preset("made", options))
    assert case.state_of(parameter) == ALWAYS | kept
    assert case.state_of(parameter, stepped=False) == {"step": "float32 [] on cpu"}


def test_a_state_is_described_by_dtype_shape_and_device() -> None:
    state = [torch.ones(2, 1), [torch.tensor(1)], 3, None]
    assert describe(state) == ["float32 [2, 1] on cpu", ["int64 [] on cpu"], "int", "NoneType"]


def test_a_vector_has_one_number_for_its_row() -> None:
    assert Entry("r", ROWS).described(torch.ones(3)) == "float32 [] on cpu"


def test_the_state_of_lbfgs_holds_its_pairs_and_room_for_more() -> None:
    vector, number = "float32 [6] on meta", "float32 [] on meta"
    assert of_lbfgs(size=6, pairs=2, history=3, device=torch.device("meta")) == {
        "func_evals": "int",
        "n_iter": "int",
        "d": vector,
        "t": "float",
        "old_dirs": [vector, vector],
        "old_stps": [vector, vector],
        "ro": [number, number],
        "al": [number, number, "NoneType"],
        "H_diag": number,
        "prev_flat_grad": vector,
        "prev_loss": "float",
    }


def built(case: Case, **options: Any) -> torch.optim.Optimizer:
    return case.build([torch.ones(1)], **options)


@pytest.mark.parametrize(
    "case, options, group",
    [
        pytest.param(Case(FIRST, Preset("default")), {}, (0.125, 1e-8, False), id="the record's rate"),
        pytest.param(Case(FIRST, FIRST.presets[1]), {}, (0.25, 0.5, False), id="the preset's rate"),
        pytest.param(Case(FIRST, FIRST.presets[1], FUSED), {"lr": 2.0, "eps": 0.75},
                     (2.0, 0.75, True), id="a rate that is given"),
        pytest.param(Case(FIRST, Preset("default"), FUSED), {"fused": False}, (0.125, 1e-8, False),
                     id="an option that is given"),
    ],
)  # fmt: skip
def test_an_optimizer_is_built_with_its_options(
    case: Case, options: dict[str, Any], group: tuple[float, float, bool]
) -> None:
    optimizer = built(case, **options)
    assert type(optimizer) is Simple
    [found] = optimizer.param_groups
    assert (found["lr"], found["eps"], found["fused"]) == group


def test_build_puts_what_wraps_a_step_in_its_place() -> None:
    steps: list[Any] = []

    def wrap(step: Callable[..., Any]) -> Callable[..., Any]:
        steps.append(step)
        return lambda closure: ("wrapped", step(closure))

    optimizer = built(Case(FIRST, Preset("default"), Implementation("wrapped", wrap=wrap)))
    assert [step.__self__ for step in steps] == [optimizer]
    step: Any = optimizer.step
    assert (step(1), step(closure=2)) == (("wrapped", 1), ("wrapped", 2))
    assert step.__self__ is optimizer, "a scheduler asks for the method"


def test_a_step_is_its_own_without_what_wraps_it() -> None:
    optimizer = built(Case(FIRST, Preset("default"), FUSED))
    assert optimizer.step.__self__ is optimizer  # type: ignore[attr-defined]
    assert "step" not in vars(optimizer)


def test_a_single_name_may_stand_for_a_list_of_one() -> None:
    assert optimizers.chosen(only=FIRST.name) == optimizers.chosen(only=(FIRST.name,)) == [FIRST]


@pytest.mark.parametrize("argument", ["by", "not_by"])
def test_an_implementation_that_there_is_not_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="no implementation 'fussed'; there are loop"):
        optimizers.each(**{argument: "fussed"})  # type: ignore[arg-type]
