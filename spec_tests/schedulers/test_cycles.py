"""CyclicLR and OneCycleLR at their smallest and largest, and what they keep."""

import warnings

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE, STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.schedulers import EACH_MOMENTUM, RATES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, momenta_of, rates_of, two_groups

CYCLE = {"base_lr": 0.01, "max_lr": 0.2}
# Optimizers that have momentum, or betas, and are built with none.
WITHOUT = [
    (entry.name, none)
    for none in ({"momentum": 0.0}, {"betas": (0.0, 0.999)})
    for entry in optimizers.chosen(which="accepts_vectors", taking=tuple(none))
]
SHORTEST = (
    {"total_steps": 1},
    {"epochs": 1, "steps_per_epoch": 5},
    {"epochs": 5, "steps_per_epoch": 1},
)


def course(name, steps, **options):
    """Return the rate of the first group at every step, from 0 on."""
    optimizer = two_groups()
    scheduler = Schedule("cycle", name, options).build(optimizer)
    return [rate for rate, _ in [rates_of(optimizer), *advance(optimizer, scheduler, steps)]]


@claim("one-cycle.of-one-step")
@pytest.mark.parametrize("length", SHORTEST, ids=["step", "epoch", "steps_of_epochs"])
def test_the_shortest_cycle_ends_at_its_minimum(length):
    steps = Schedule("short", "OneCycleLR", {"max_lr": 0.5, **length})
    last = course("OneCycleLR", length.get("total_steps", 5) - 1, **steps.options)[-1]
    check.close(seen=last, expected=0.5 / 25 / 1e4, source="max_lr / 25 / 1e4", tolerance=STEPS)


@claim("one-cycle.total-steps-come-first")
def test_the_steps_in_total_are_taken_where_epochs_are_given_as_well():
    options = {"max_lr": 0.5, "total_steps": 10}
    seen = course("OneCycleLR", 9, **options, epochs=3, steps_per_epoch=7)
    check.same(
        seen=seen,
        expected=course("OneCycleLR", 9, **options),
        source="the schedule with total_steps alone",
    )


@claim("one-cycle.rises-or-falls-only")
@pytest.mark.parametrize("share, falls", [(1.0, False), (0.0, True)], ids=["rises", "falls"])
def test_a_cycle_of_one_phase_goes_one_way(share, falls):
    seen = course("OneCycleLR", 9, max_lr=0.5, total_steps=10, pct_start=share)
    check.same(seen=seen, expected=sorted(seen, reverse=falls), source="the same rates in order")


@claim("cyclic.by-default")
def test_a_cycle_takes_four_thousand_steps_by_default():
    seen = course("CyclicLR", 4000, **CYCLE)[::500]
    expected = [0.01 + 0.19 * share for share in (0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0)]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="2000 steps up, 2000 down",
        tolerance=SCHEDULE,
    )


@claim("cyclic.by-default")
def test_an_exponential_range_does_not_shrink_by_default():
    seen = course("CyclicLR", 8, **CYCLE, mode="exp_range", step_size_up=2)
    expected = [0.01, 0.105, 0.2, 0.105, 0.01, 0.105, 0.2, 0.105, 0.01]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="the documented default, a gamma of 1",
        tolerance=SCHEDULE,
    )


@claim("cyclic.falls-at-once")
def test_a_cycle_that_takes_no_steps_down_begins_again_at_once():
    seen = course("CyclicLR", 9, **CYCLE, step_size_up=4, step_size_down=0)
    expected = [0.01 + 0.19 * (t % 4) / 4 for t in range(10)]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="four steps up, none down",
        tolerance=SCHEDULE,
    )


@claim("cyclic.mode-overrides-scale-mode")
@pytest.mark.parametrize(
    "mode, expected",
    [("triangular", "cycle"), ("triangular2", "cycle"), ("exp_range", "iterations")],
)
@pytest.mark.parametrize("asked", ["cycle", "iterations"])
def test_the_mode_of_the_scale_is_that_of_the_policy(mode, expected, asked):
    options = {**CYCLE, "mode": mode, "scale_mode": asked}
    seen = Schedule("mode", "CyclicLR", options).build(two_groups()).scale_mode
    check.same(seen=seen, expected=expected, source="the policies of the paper")


@claim("cycles.take-tensors-as-bounds")
@pytest.mark.parametrize(
    "name, options",
    [
        ("CyclicLR", {**CYCLE, "step_size_up": 3}),
        ("OneCycleLR", {"max_lr": 0.5, "total_steps": 10}),
    ],
    ids=["cyclic", "one_cycle"],
)
def test_a_bound_that_is_a_tensor_is_copied(name, options):
    optimizer = two_groups([torch.tensor(rate, dtype=torch.float64) for rate in RATES])
    bounds = {
        key: torch.tensor(value, dtype=torch.float64) if key.endswith("_lr") else value
        for key, value in options.items()
    }
    scheduler = Schedule("tensors", name, bounds).build(optimizer)
    for bound in bounds.values():
        bound.fill_(7.0) if torch.is_tensor(bound) else None
    schedule = Schedule("numbers", name, options)
    seen = [rates_of(optimizer), *advance(optimizer, scheduler, 9)]
    check.close_numbers(
        seen=seen,
        expected=[[schedule.rate(t, rate) for rate in RATES] for t in range(10)],
        source="the bounds as they were given",
        tolerance=SCHEDULE,
    )


@claim("cycles.take-tensors-as-momenta")
@EACH_MOMENTUM
@pytest.mark.parametrize(
    "scheduler, options",
    [
        ("CyclicLR", {**CYCLE, "step_size_up": 3}),
        ("OneCycleLR", {"max_lr": 0.5, "total_steps": 10}),
    ],
    ids=["cyclic", "one_cycle"],
)
def test_a_bound_of_the_momentum_that_is_a_tensor_is_copied(scheduler, options, name):
    numbers = {"base_momentum": 0.5, "max_momentum": 0.75}
    bounds = {key: torch.tensor(value) for key, value in numbers.items()}
    optimizer, expected = two_groups(name=name), two_groups(name=name)
    tensors = Schedule("tensors", scheduler, {**options, **bounds}).build(optimizer)
    for bound in bounds.values():
        bound.fill_(0.125)
    courses = []
    for over, built in (
        (optimizer, tensors),
        (expected, Schedule("numbers", scheduler, {**options, **numbers}).build(expected)),
    ):
        courses.append([momenta_of(over)])
        for _ in range(8):
            over.step()
            built.step()
            courses[-1].append(momenta_of(over))
    check.close(
        seen=torch.tensor(courses[0]),
        expected=torch.tensor(courses[1]),
        source="the bounds as they were given, as numbers",
        tolerance=STEPS,
    )


@claim("one-cycle.older-state-keeps-strategy")
@pytest.mark.parametrize("saved", ["cos", "linear"])
@pytest.mark.parametrize("built", ["cos", "linear"], ids=["into_cos", "into_linear"])
def test_a_state_of_an_older_release_goes_on_with_the_strategy_of_the_constructor(saved, built):
    options = {"max_lr": 0.5, "total_steps": 20}
    first, resumed, expected = two_groups(), two_groups(), two_groups()
    older = Schedule("saved", "OneCycleLR", {**options, "anneal_strategy": saved}).build(first)
    advance(first, older, 5)
    state = {k: v for k, v in older.state_dict().items() if k != "_anneal_func_type"}
    state["anneal_func"] = getattr(older, f"_annealing_{saved}")
    new = Schedule("built", "OneCycleLR", {**options, "anneal_strategy": built})
    scheduler, alone = new.build(resumed), new.build(expected)
    scheduler.load_state_dict(state)
    advance(expected, alone, 5)
    check.same(
        seen=advance(resumed, scheduler, 14),
        expected=advance(expected, alone, 14),
        source="the same steps with the strategy of the constructor",
    )


@claim("cycles.keep-their-bounds-in-the-groups")
@EACH_MOMENTUM
@pytest.mark.parametrize(
    "scheduler, options, kept",
    [
        ("CyclicLR", {**CYCLE, "base_momentum": [0.7, 0.6], "max_momentum": [0.8, 0.9]}, {}),
        (
            "OneCycleLR",
            {
                "max_lr": [0.5, 0.25], "total_steps": 10, "div_factor": 2.0, "final_div_factor": 4.0,
                "base_momentum": [0.7, 0.6], "max_momentum": [0.8, 0.9],
            },
            {"initial_lr": [0.25, 0.125], "max_lr": [0.5, 0.25], "min_lr": [0.0625, 0.03125]},
        ),
    ],
    ids=["cyclic", "one_cycle"],
)  # fmt: skip
def test_the_groups_hold_the_bounds(scheduler, options, kept, name):
    optimizer = two_groups(name=name)
    Schedule("bounds", scheduler, options).build(optimizer)
    expected = {**kept, "base_momentum": [0.7, 0.6], "max_momentum": [0.8, 0.9]}
    check.same(
        seen={key: [group[key] for group in optimizer.param_groups] for key in expected},
        expected=expected,
        source="the options that OneCycleLR was given",
    )


@claim("cycles.take-a-momentum-of-zero")
@pytest.mark.parametrize("name, none", WITHOUT, ids=[name.lower() for name, _ in WITHOUT])
@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(Schedule("zero", "CyclicLR", {**CYCLE, "step_size_up": 3}), id="cyclic"),
        pytest.param(
            Schedule("zero", "OneCycleLR", {"max_lr": 0.5, "total_steps": 8}), id="one_cycle"
        ),
    ],
)
def test_a_momentum_that_was_zero_is_cycled(schedule, name, none):
    optimizer = two_groups(name=name, **none)
    scheduler = schedule.build(optimizer)
    seen = [momenta_of(optimizer)]
    for _ in range(7):
        advance(optimizer, scheduler, 1)
        seen.append(momenta_of(optimizer))
    check.close_numbers(
        seen=seen,
        expected=[[schedule.momentum(t)] * len(RATES) for t in range(8)],
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=SCHEDULE,
    )


@claim("cosine.get-lr-after-resuming")
@pytest.mark.parametrize("last_epoch", [0, 3])
def test_get_lr_of_a_resumed_cosine_computes_the_closed_form(last_epoch):
    optimizer = two_groups()
    schedule = Schedule("resumed", "CosineAnnealingLR", {"T_max": 7, "eta_min": 0.005})
    advance(optimizer, schedule.build(optimizer), last_epoch + 1)
    resumed = schedule.build(optimizer, last_epoch=last_epoch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        seen = resumed.get_lr()
    check.close_numbers(
        seen=seen,
        expected=[schedule.rate(last_epoch + 1, rate) for rate in RATES],
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=STEPS,
    )
