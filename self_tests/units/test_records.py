"""Records of optimizers and the cases made of them: traits, options, what is offered, what is built."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from fixtures.catalogue.implementations import Implementation
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
    COUNT,
    ROWS,
    SCALAR,
    SCALAR_BESIDE,
    Entry,
)
from fixtures.oracles.sgd import SGD
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
    WithMomentum,
    entry_of,
)

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
    "keeps_squares": (
        entry_of(states=(STEP, Entry("exp_avg_sq")), traits=frozenset({"elementwise"})),
        entry_of(states=(STEP, Entry("exp_avg")), traits=frozenset({"elementwise"})),
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
