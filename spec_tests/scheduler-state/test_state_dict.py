"""What state_dict() of a scheduler holds, and what loading it does and does not."""

from copy import deepcopy
from pickle import UnpicklingError

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import compositions
from fixtures.catalogue.compositions import Composition
from fixtures.catalogue.schedulers import SCHEDULES, Schedule, inverse
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups
from fixtures.runs.scheduler_state import PLATEAU, standing, state_of, step

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

# What a scheduler holds besides its state: CyclicLR makes its function anew from its mode.
NOT_STATE = {"optimizer", "_scale_fn_ref"}
EVERY = compositions.each_of_all("is_of_lr_scheduler")
ONE_OF_EACH = pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(schedule, id=name.lower())
        for name, schedule in {
            s.scheduler: s for s in (*SCHEDULES, *compositions.COMPOSITIONS, PLATEAU)
        }.items()
    ],
)
CYCLE = {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}


def on_the_way(schedule, steps=3):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    advance(optimizer, scheduler, steps)
    return optimizer, scheduler


def loaded_safely(path):
    """Return what a file holds, or what torch says of it that refuses to load it."""
    try:
        return torch.load(path, weights_only=True)
    except UnpicklingError as error:
        return str(error).partition("\n")[0]


class Scale:
    """A callable object with a state of its own."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, _):
        return self.factor


TAKE_FUNCTIONS = {
    "lambda": ("lr_lambdas", lambda f: Schedule("f", "LambdaLR", {"lr_lambda": f})),
    "multiplicative": ("lr_lambdas", lambda f: Schedule("f", "MultiplicativeLR", {"lr_lambda": f})),
    "cyclic": ("_scale_fn_custom", lambda f: Schedule("f", "CyclicLR", {**CYCLE, "scale_fn": f})),
}
takes_functions = pytest.mark.parametrize("kind", TAKE_FUNCTIONS)


@claim("scheduler-state.all-but-the-optimizer")
@EVERY
def test_the_state_has_an_entry_for_every_attribute_but_the_optimizer(schedule):
    _, scheduler = on_the_way(schedule)
    seen, expected = sorted(scheduler.state_dict()), sorted({*vars(scheduler)} - NOT_STATE)
    check.same(seen=seen, expected=expected, source="the attributes of the scheduler")


@claim("scheduler-state.of-every-part")
@compositions.each()
def test_the_state_of_a_composition_holds_those_of_its_parts(schedule):
    _, scheduler = on_the_way(schedule)
    check.same(
        seen=state_of(scheduler)["_schedulers"],
        expected=[state_of(part) for part in scheduler._schedulers],
        source="state_dict() of each part",
    )


@claim("scheduler-state.is-plain-data")
@EVERY
def test_the_state_can_be_loaded_with_the_weights_only(schedule, tmp_path):
    _, scheduler = on_the_way(schedule)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    loaded = loaded_safely(tmp_path / "scheduler.pt")
    check.same(seen=loaded, expected=scheduler.state_dict(), source="the state_dict that was saved")


@claim("scheduler-state.unchanged-by-later-steps")
@EVERY
def test_going_on_changes_no_state_that_was_taken_before(schedule):
    optimizer, scheduler = on_the_way(schedule)
    taken = scheduler.state_dict()
    before = deepcopy(state_of(scheduler))
    advance(optimizer, scheduler, 4)
    other = type("Taken", (), {"state_dict": lambda self: taken})()
    check.same(seen=state_of(other), expected=before, source="the state when it was taken")


@claim("scheduler-state.loading-keeps-the-dict")
@EVERY
def test_loading_does_not_change_what_is_loaded(schedule):
    taken = on_the_way(schedule)[1].state_dict()
    keys, parts = sorted(taken), [sorted(part) for part in taken.get("_schedulers", [])]
    schedule.build(two_groups()).load_state_dict(taken)
    check.same(
        seen=[sorted(taken), [sorted(part) for part in taken.get("_schedulers", [])]],
        expected=[keys, parts],
        source="the entries before",
    )


@claim("scheduler-state.can-be-loaded-again")
@EVERY
def test_two_schedulers_that_loaded_one_state_go_on_by_themselves(schedule):
    optimizer, scheduler = on_the_way(schedule)
    taken, groups = scheduler.state_dict(), deepcopy(optimizer.state_dict())
    expected = advance(optimizer, scheduler, 4)
    seen = []
    for _ in range(2):
        other = two_groups()
        restored = schedule.build(other)
        other.load_state_dict(deepcopy(groups))
        restored.load_state_dict(taken)
        seen.append(advance(other, restored, 4))
    check.same(seen=seen, expected=[expected, expected], source="the scheduler that was saved")


@claim("scheduler-state.keeps-added-attributes")
@ONE_OF_EACH
def test_an_attribute_that_a_scheduler_was_given_later_comes_back(schedule):
    scheduler, restored = schedule.build(two_groups()), schedule.build(two_groups())
    scheduler.given_later = [0.25]
    restored.load_state_dict(scheduler.state_dict())
    seen = vars(restored).get("given_later")
    check.same(seen=seen, expected=[0.25], source="the scheduler that was saved")


@claim("scheduler-state.loading-writes-no-rate")
@EVERY
def test_loading_leaves_the_rates_in_the_groups(schedule):
    taken = on_the_way(schedule)[1].state_dict()
    optimizer = two_groups()
    restored = schedule.build(optimizer)
    optimizer.param_groups[0]["lr"] = 0.75
    before = rates_of(optimizer)
    restored.load_state_dict(deepcopy(taken))
    check.same(seen=rates_of(optimizer), expected=before, source="the rates before")


@claim("scheduler-state.plateau-is-plain-data")
def test_the_state_of_a_plateau_can_be_loaded_with_the_weights_only(tmp_path):
    optimizer = two_groups()
    scheduler = PLATEAU.build(optimizer)
    for metric in (1.0, 2.0, 2.0, 0.5):
        step(scheduler, metric)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    optimizer_too = two_groups()
    restored = Schedule("other", "ReduceLROnPlateau", {"mode": "max"}).build(optimizer_too)
    optimizer_too.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(torch.load(tmp_path / "scheduler.pt", weights_only=True))
    check.same(
        seen=standing(optimizer_too, restored),
        expected=standing(optimizer, scheduler),
        source="the scheduler that was saved",
    )


def of_both_groups(saved):
    """Return what was saved of a function for each of two groups; CyclicLR saves one for both."""
    return saved if isinstance(saved, list) else [saved, saved]


@claim("scheduler-state.functions-are-left-out")
@takes_functions
@pytest.mark.parametrize("function", [inverse, lambda _: 0.5], ids=["def", "lambda"])
def test_a_function_is_saved_as_none(kind, function):
    entry, made = TAKE_FUNCTIONS[kind]
    saved = made(function).build(two_groups()).state_dict()[entry]
    check.same(
        seen=of_both_groups(saved),
        expected=[None, None],
        source="the documentation of LambdaLR.state_dict",
    )


@claim("scheduler-state.builtins-are-left-out")
@takes_functions
def test_a_built_in_function_is_left_out_as_well(kind):
    entry, made = TAKE_FUNCTIONS[kind]
    saved = made(abs).build(two_groups()).state_dict()[entry]
    check.same(
        seen=of_both_groups(saved),
        expected=[None, None],
        source="the documentation of LambdaLR.state_dict",
    )


@claim("scheduler-state.callables-are-saved")
@takes_functions
def test_a_callable_object_is_saved_as_its_attributes(kind):
    entry, made = TAKE_FUNCTIONS[kind]
    saved = made(Scale(0.25)).build(two_groups()).state_dict()[entry]
    check.same(
        seen=of_both_groups(saved),
        expected=[{"factor": 0.25}] * 2,
        source="the attributes of the object",
    )


@claim("scheduler-state.callables-are-restored")
@takes_functions
def test_a_callable_object_gets_its_saved_attributes_back(kind):
    _, made = TAKE_FUNCTIONS[kind]
    scale = Scale(0.75)
    optimizer, scheduler = on_the_way(made(Scale(0.25)))
    other = two_groups()
    restored = made(scale).build(other)
    other.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(scheduler.state_dict())
    check.same(
        seen=[scale.factor, advance(other, restored, 3)],
        expected=[0.25, advance(optimizer, scheduler, 3)],
        source="the object that was saved",
    )


@claim("scheduler-state.callables-are-not-shared")
@takes_functions
def test_changing_the_object_changes_no_state_that_was_taken(kind):
    entry, made = TAKE_FUNCTIONS[kind]
    scale = Scale(0.25)
    saved = made(scale).build(two_groups()).state_dict()[entry]
    scale.factor = 0.5
    first = saved[0] if isinstance(saved, list) else saved
    check.same(seen=first, expected={"factor": 0.25}, source="the attributes when it was taken")


@claim("scheduler-state.callables-are-not-shared")
@takes_functions
def test_changing_the_object_changes_no_state_that_it_was_loaded_from(kind):
    entry, made = TAKE_FUNCTIONS[kind]
    scale, taken = Scale(0.75), made(Scale(0.25)).build(two_groups()).state_dict()
    saved = taken[entry]
    made(scale).build(two_groups()).load_state_dict(taken)
    scale.factor = 0.5
    check.same(
        seen=of_both_groups(saved),
        expected=[{"factor": 0.25}] * 2,
        source="the attributes when it was taken",
    )


@claim("scheduler-state.callables-keep-the-rest")
@takes_functions
def test_an_attribute_that_is_not_in_the_state_stays(kind):
    _, made = TAKE_FUNCTIONS[kind]
    scale = Scale(0.75)
    scale.newer = 1
    restored = made(scale).build(two_groups())
    restored.load_state_dict(made(Scale(0.25)).build(two_groups()).state_dict())
    check.same(
        seen=vars(scale),
        expected={"factor": 0.25, "newer": 1},
        source="the entry that was saved and the attribute that was not",
    )


@claim("scheduler-state.callables-of-each-group")
@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
def test_each_group_gets_the_attributes_of_its_own_object(name):
    made = Schedule("mixed", name, {"lr_lambda": [inverse, Scale(0.25)]})
    taken = on_the_way(made)[1].state_dict()
    scale = Scale(0.75)
    Schedule("mixed", name, {"lr_lambda": [inverse, scale]}).build(two_groups()).load_state_dict(
        taken
    )
    check.same(
        seen=[taken["lr_lambdas"], scale.factor],
        expected=[[None, {"factor": 0.25}], 0.25],
        source="the object of the second group",
    )


@claim("scheduler-state.of-more-groups")
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # no optimizer steps
def test_a_step_after_loading_a_state_of_more_groups_is_an_error():
    more, fewer = two_groups([0.1, 0.2, 0.3]), two_groups()
    schedule = Schedule("one", "LambdaLR", {"lr_lambda": inverse})
    restored = schedule.build(fewer)
    restored.load_state_dict(schedule.build(more).state_dict())
    with pytest.raises(ValueError, match=r"zip\(\)"):
        restored.step()


@claim("scheduler-state.of-more-parts")
@pytest.mark.parametrize("kind", ["SequentialLR", "ChainedScheduler"], ids=["sequence", "chain"])
def test_the_state_of_a_composition_of_more_parts_is_an_error(kind):
    part = Schedule("p", "ExponentialLR", {"gamma": 0.5})
    more, fewer = (
        Composition("parts", kind, (part,) * n, (2, 4)[: n - 1]).build(two_groups()) for n in (3, 2)
    )
    with pytest.raises(IndexError):
        fewer.load_state_dict(more.state_dict())


@claim("scheduler-state.nested")
def test_the_state_of_nested_compositions_comes_back():
    inner = Composition(
        "inner", "SequentialLR",
        (Schedule("p", "ConstantLR", {"factor": 0.5}), Schedule("p", "ExponentialLR", {"gamma": 0.5})),
        (2,),
    )  # fmt: skip
    outer = Composition(
        "outer", "ChainedScheduler", (inner, Schedule("p", "StepLR", {"step_size": 2}))
    )
    optimizer, scheduler = on_the_way(outer)
    other = two_groups()
    restored = outer.build(other)
    other.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(deepcopy(scheduler.state_dict()))
    check.same(
        seen=[standing(other, restored), advance(other, restored, 4)],
        expected=[standing(optimizer, scheduler), advance(optimizer, scheduler, 4)],
        source="the composition that was saved",
    )
