"""Schedules far from their start, over a thousand cycles, and over lengths of none and one, by every path."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE, Tolerance
from fixtures.catalogue.schedulers import Schedule
from fixtures.claims import claim
from fixtures.oracles import schedules

RATE = 1.0
CYCLES = 1_030
EVERY_STEP = Tolerance(2 * CYCLES, "two roundings of the rate in each of 1,030 steps")


def one_group(momentum=0.5):
    parameter = torch.zeros(1, requires_grad=True)
    return torch.optim.SGD([parameter], lr=RATE, momentum=momentum)


def rate_of(optimizer):
    return float(optimizer.param_groups[0]["lr"])


def step_to(scheduler, epoch):
    """Call step(epoch), of which torch warns that it is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler.step(epoch)


def far_rate(schedule, t):
    """Return the rate of a schedule so far out that a power no longer fits a float."""
    try:
        return schedule.rate(t, RATE)
    except OverflowError:
        return math.inf


def check_rates(seen, expected, tolerance=SCHEDULE, source="closed form"):
    __tracebackhide__ = True
    check.close_numbers(seen=seen, expected=expected, source=source, tolerance=tolerance)


_CYCLE = {"base_lr": 0.125, "max_lr": 1.0, "step_size_up": 1, "cycle_momentum": False}
LONG = {
    "cyclic_triangular": Schedule("long", "CyclicLR", _CYCLE),
    "cyclic_halved": Schedule("long", "CyclicLR", {**_CYCLE, "mode": "triangular2"}),
    "cyclic_shrinking": Schedule("long", "CyclicLR", {**_CYCLE, "mode": "exp_range", "gamma": 0.5}),
    "step_halved": Schedule("long", "StepLR", {"step_size": 1, "gamma": 0.5}),
    "step_doubled": Schedule("long", "StepLR", {"step_size": 1, "gamma": 2.0}),
    "exponential_falling": Schedule("long", "ExponentialLR", {"gamma": 0.5}),
    "exponential_rising": Schedule("long", "ExponentialLR", {"gamma": 2.0}),
    "milestones": Schedule("long", "MultiStepLR", {"milestones": list(range(2_500)), "gamma": 0.5}),
    "cosine_short": Schedule("long", "CosineAnnealingLR", {"T_max": 1, "eta_min": 0.125}),
    "cosine": Schedule("long", "CosineAnnealingLR", {"T_max": 7, "eta_min": 0.125}),
    "restarts_short": Schedule("long", "CosineAnnealingWarmRestarts", {"T_0": 1}),
    "restarts": Schedule("long", "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    "constant": Schedule("long", "ConstantLR", {"factor": 0.25, "total_iters": 2_000}),
    "linear": Schedule("long", "LinearLR", {"start_factor": 0.25, "total_iters": 2_400}),
    "polynomial": Schedule("long", "PolynomialLR", {"total_iters": 2_400, "power": 2.0}),
    "swa": Schedule("long", "SWALR", {"swa_lr": 0.125, "anneal_epochs": 2_400}),
}
EACH_LONG = pytest.mark.parametrize("schedule", LONG.values(), ids=LONG)


# Those of which a cycle or a power takes a step, or two.
OFTEN = (
    "cyclic_halved", "step_doubled", "exponential_falling", "exponential_rising", "cosine_short",
    "restarts_short",
)  # fmt: skip


@claim("schedules.a-thousand-cycles")
@pytest.mark.parametrize("name", OFTEN)
def test_a_schedule_holds_over_a_thousand_cycles(name):
    optimizer, schedule = one_group(), LONG[name]
    scheduler = schedule.build(optimizer)
    optimizer.step()
    seen = {}
    for t in range(1, CYCLES * schedule.options.get("step_size_up", 0) + CYCLES):
        scheduler.step()
        seen[t] = rate_of(optimizer)
    check_rates([*seen.values()], [far_rate(schedule, t) for t in seen], EVERY_STEP)


# What can be asked for the rate of an epoch, and so at once for one that is far.
FAR = (1_023, 1_026, 2_500, 10**4, 10**5 + 1)


@claim("schedules.far-by-epoch")
@EACH_LONG
def test_an_epoch_far_away_has_the_rate_of_the_closed_form(schedule, not_applicable):
    if schedule.scheduler == "SWALR":
        not_applicable("SWALR computes each rate from the one before")
    optimizer = one_group()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    seen = []
    for epoch in FAR:
        step_to(scheduler, epoch)
        seen.append(rate_of(optimizer))
    check_rates(seen, [far_rate(schedule, epoch) for epoch in FAR])


@claim("schedules.no-iterations-by-epoch")
@pytest.mark.parametrize("name", ["ConstantLR", "LinearLR", "PolynomialLR"])
def test_a_schedule_over_no_iterations_has_the_initial_rate_at_every_epoch(name):
    optimizer = one_group()
    scheduler = Schedule("none", name, {"total_iters": 0}).build(optimizer)
    optimizer.step()
    seen = []
    for epoch in (1, 2, 7, 1.5):
        step_to(scheduler, epoch)
        seen.append(rate_of(optimizer))
    check_rates(seen, [RATE] * 4, source="nothing is left to change from the first epoch on")


SHORT = {
    "step": Schedule("one", "StepLR", {"step_size": 1, "gamma": 0.5}),
    "milestones": Schedule("one", "MultiStepLR", {"milestones": [1], "gamma": 0.5}),
    "constant": Schedule("one", "ConstantLR", {"factor": 0.5, "total_iters": 1}),
    "linear": Schedule("one", "LinearLR", {"start_factor": 0.5, "total_iters": 1}),
    "polynomial": Schedule("one", "PolynomialLR", {"total_iters": 1, "power": 2.0}),
    "cosine": Schedule("one", "CosineAnnealingLR", {"T_max": 1, "eta_min": 0.125}),
    "restarts": Schedule("one", "CosineAnnealingWarmRestarts", {"T_0": 1, "eta_min": 0.125}),
    "cyclic": Schedule("one", "CyclicLR", _CYCLE),
}
EACH_SHORT = pytest.mark.parametrize("schedule", SHORT.values(), ids=SHORT)
EPOCHS = range(1, 7)


def by_steps(schedule):
    optimizer = one_group()
    scheduler = schedule.build(optimizer)
    for _ in EPOCHS:
        optimizer.step()
        scheduler.step()
        yield rate_of(optimizer)


def by_epoch(schedule):
    optimizer = one_group()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    for epoch in EPOCHS:
        step_to(scheduler, epoch)
        yield rate_of(optimizer)


def by_loading(schedule):
    """Yield the rate of each step of another scheduler, built anew and loaded at each."""
    optimizer = one_group()
    scheduler = schedule.build(optimizer)
    for _ in EPOCHS:
        other = one_group()
        later = schedule.build(other)
        later.load_state_dict(scheduler.state_dict())
        other.load_state_dict(optimizer.state_dict())
        optimizer, scheduler = other, later
        optimizer.step()
        scheduler.step()
        yield rate_of(optimizer)


BY = {"step": by_steps, "epoch": by_epoch, "load": by_loading}


@claim("schedules.lengths-of-one")
@pytest.mark.parametrize("path", BY.values(), ids=BY)
@EACH_SHORT
def test_a_length_of_one_step_follows_the_closed_form_by_every_path(schedule, path):
    check_rates([*path(schedule)], [schedule.rate(t, RATE) for t in EPOCHS])


@dataclass(frozen=True)
class Odd:
    """A schedule whose formula has a value at epochs that no step reaches."""

    schedule: Schedule
    epochs: tuple[float, ...] = (-7, -1, -0.5, 0.25, 2.5, 3.999, -2.75, 1000.5)


def odd(name: str, options: Mapping[str, Any]) -> Odd:
    return Odd(Schedule("odd", name, options))


ODD = {
    "lambda": odd("LambdaLR", {"lr_lambda": lambda t: 2.0 + t}),
    "step": odd("StepLR", {"step_size": 2, "gamma": 0.5}),
    "milestones": odd("MultiStepLR", {"milestones": [1, 3], "gamma": 0.5}),
    "constant": odd("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    "linear": odd("LinearLR", {"start_factor": 0.5, "total_iters": 4}),
    "exponential": odd("ExponentialLR", {"gamma": 0.875}),
    "polynomial": odd("PolynomialLR", {"total_iters": 4, "power": 2.0}),
    "cosine": odd("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.125}),
    "cyclic": odd("CyclicLR", {**_CYCLE, "step_size_up": 3}),
}


@claim("schedules.odd-epochs")
@pytest.mark.parametrize("case", ODD.values(), ids=ODD)
def test_an_epoch_that_no_step_reaches_has_the_value_of_the_formula(case):
    optimizer = one_group()
    scheduler = case.schedule.build(optimizer)
    optimizer.step()
    seen = []
    for epoch in case.epochs:
        step_to(scheduler, epoch)
        seen.append([scheduler.last_epoch, rate_of(optimizer)])
    expected = [[epoch, case.schedule.rate(epoch, RATE)] for epoch in case.epochs]
    check_rates(seen, expected, source="the formula, continued to both sides")


@claim("warm-restarts.long-cycles-by-epoch")
@pytest.mark.parametrize("factor", [1, 2])
def test_warm_restarts_reach_far_epochs_of_every_kind(factor):
    schedule = Schedule("far", "CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": factor})
    optimizer = one_group()
    scheduler = schedule.build(optimizer)
    seen, epochs = [], (0, 0.5, 4.75, 5.25, 1_000, 999.5, 12_345.5, 3, 10**5 + 1)
    for epoch in epochs:
        scheduler.step(epoch)
        seen.append(rate_of(optimizer))
    # The position in a cycle is exact; the end of it is where a power of the factor says.
    expected = [schedules.warm_restarts(epoch, RATE, 5, factor) for epoch in epochs]
    check_rates(seen, expected)


BUILD = {
    "CyclicLR": {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 9},
}


@claim("cycles.keep-tensor-betas")
@pytest.mark.parametrize("name", BUILD)
def test_a_first_beta_in_a_tensor_stays_a_tensor(name):
    parameter = torch.zeros(1, requires_grad=True)
    betas = (torch.tensor(0.9), torch.tensor(0.99))
    optimizer = torch.optim.Adam([parameter], lr=torch.tensor(0.1), betas=betas)
    scheduler = Schedule("betas", name, BUILD[name]).build(optimizer)
    kinds = [[type(beta).__name__ for beta in optimizer.param_groups[0]["betas"]]]
    for _ in range(2):
        optimizer.step()
        scheduler.step()
        kinds.append([type(beta).__name__ for beta in optimizer.param_groups[0]["betas"]])
    check.same(seen=kinds, expected=[["Tensor"] * 2] * 3, source="both are tensors before")
