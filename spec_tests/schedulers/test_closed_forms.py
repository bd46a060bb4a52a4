"""Each schedule against its closed form, in plain Python, over its life and past its end."""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures import check
from fixtures.claims import claim
from fixtures.tolerances import Tolerance

RATES = (0.1, 0.02)
STEPS = 24
# The recursive forms multiply once a step: half an ulp each time, and cosines twice that.
RECURSION = Tolerance(4 * STEPS, "one rounding or two a step, added up over 24 steps")


def restart(t, first, factor):
    """Return (steps into the cycle, length of the cycle) of warm restarts after t steps."""
    length = first
    while t >= length:
        t, length = t - length, length * factor
    return t, length


# id, the scheduler, its closed form: the factor on the initial rate, or the rate itself
SCHEDULES = [
    ("step", lambda o: lr_scheduler.StepLR(o, 3, 0.5), lambda t, b: b * 0.5 ** (t // 3)),
    (
        "multistep",
        lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 5, 9], 0.5),
        lambda t, b: b * 0.5 ** sum(t >= m for m in (2, 5, 5, 9)),
    ),
    ("exponential", lambda o: lr_scheduler.ExponentialLR(o, 0.9), lambda t, b: b * 0.9**t),
    (
        "constant",
        lambda o: lr_scheduler.ConstantLR(o, 0.25, 4),
        lambda t, b: b * (0.25 if t < 4 else 1),
    ),
    (
        "linear",
        lambda o: lr_scheduler.LinearLR(o, 0.25, 0.75, 5),
        lambda t, b: b * (0.25 + 0.5 * min(t, 5) / 5),
    ),
    (
        "polynomial",
        lambda o: lr_scheduler.PolynomialLR(o, 6, 2.0),
        lambda t, b: b * (1 - min(t, 6) / 6) ** 2,
    ),
    (
        "cosine",
        lambda o: lr_scheduler.CosineAnnealingLR(o, 5, 0.001),
        lambda t, b: 0.001 + (b - 0.001) * (1 + math.cos(math.pi * t / 5)) / 2,
    ),
    (
        "warm_restarts",
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3, 2, 0.001),
        lambda t, b: (
            0.001
            + (b - 0.001) * (1 + math.cos(math.pi * restart(t, 3, 2)[0] / restart(t, 3, 2)[1])) / 2
        ),
    ),
    ("lambda", lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t, b: b / (1 + t)),
    (
        "multiplicative",
        lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.5 + 0.5 / t),
        lambda t, b: b * math.prod(0.5 + 0.5 / i for i in range(1, t + 1)),
    ),
]


def two_groups(**options):
    parameters = [torch.zeros(1, requires_grad=True) for _ in RATES]
    groups = [{"params": [p], "lr": rate} for p, rate in zip(parameters, RATES, strict=True)]
    return torch.optim.SGD(groups, lr=1.0, **options)


def rates_of(optimizer, scheduler, steps):
    rates = [scheduler.get_last_lr()]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
    return rates


@claim("schedules.follow-their-closed-form")
@pytest.mark.parametrize(
    "make, rate", [pytest.param(make, rate, id=name) for name, make, rate in SCHEDULES]
)
def test_every_rate_is_that_of_the_closed_form(make, rate):
    optimizer = two_groups()
    seen = rates_of(optimizer, make(optimizer), STEPS)
    expected = [[rate(t, base) for base in RATES] for t in range(STEPS + 1)]
    check.close(
        seen=torch.tensor(seen, dtype=torch.float64),
        expected=torch.tensor(expected, dtype=torch.float64),
        source="closed form",
        tolerance=RECURSION,
    )


def annealed(start, end, share, strategy):
    if strategy == "linear":
        return start + (end - start) * share
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def one_cycle(t, phases, strategy):
    """Return the value after t steps; phases are (last step, value at the end), from step 0 on."""
    (begin, start), *rest = phases
    for last, end in rest:
        if t <= last:
            return annealed(start, end, (t - begin) / (last - begin), strategy)
        begin, start = last, end
    raise ValueError(t)


@claim("schedules.one-cycle-rises-and-falls")
@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize(
    "length", [{"total_steps": 20}, {"epochs": 4, "steps_per_epoch": 5}], ids=["total", "epochs"]
)
@pytest.mark.parametrize("three_phase", [False, True], ids=["two_phases", "three_phases"])
def test_rate_and_momentum_follow_the_phases(strategy, length, three_phase):
    optimizer = two_groups(momentum=0.5)
    scheduler = lr_scheduler.OneCycleLR(
        optimizer, 0.5, **length, pct_start=0.3, anneal_strategy=strategy, div_factor=10.0,
        final_div_factor=100.0, three_phase=three_phase, base_momentum=0.8, max_momentum=0.9,
    )  # fmt: skip
    seen = []
    for _ in range(19):
        seen.append([optimizer.param_groups[1][key] for key in ("lr", "momentum")])
        optimizer.step()
        scheduler.step()
    peak = 0.3 * 20 - 1
    rates = [(0, 0.05), (peak, 0.5), (19, 0.0005)]
    momenta = [(0, 0.9), (peak, 0.8), (19, 0.9)]
    if three_phase:
        down = 2 * 0.3 * 20 - 2
        rates = [(0, 0.05), (peak, 0.5), (down, 0.05), (19, 0.0005)]
        momenta = [(0, 0.9), (peak, 0.8), (down, 0.9), (19, 0.9)]
    expected = [[one_cycle(t, curve, strategy) for curve in (rates, momenta)] for t in range(19)]
    check.close(
        seen=torch.tensor(seen, dtype=torch.float64),
        expected=torch.tensor(expected, dtype=torch.float64),
        source="closed form",
        tolerance=RECURSION,
    )


@claim("schedules.one-cycle-ends")
def test_a_step_past_the_end_is_an_error():
    optimizer = two_groups(momentum=0.5)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=3)
    rates_of(optimizer, scheduler, 3 - 1)
    with pytest.raises(ValueError, match="3"):
        rates_of(optimizer, scheduler, 2)


def plateau(metrics, *, mode, factor, patience, threshold, relative, minimum, cooldown, rate):
    """Return the rate after each metric."""
    best, bad, resting, rates = None, 0, 0, []
    for metric in metrics:
        margin = threshold * abs(best) if relative and best is not None else threshold
        better = best is None or (
            metric < best - margin if mode == "min" else metric > best + margin
        )
        best = metric if better else best
        bad = 0 if better else bad + 1
        if resting:
            resting, bad = resting - 1, 0
        if bad > patience:
            rate, resting, bad = max(rate * factor, minimum), cooldown, 0
        rates.append(rate)
    return rates


METRICS = (1.0, 0.9, 0.89, 0.91, 0.9, 0.895, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)


@claim("schedules.plateau-waits-for-patience")
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("patience, cooldown", [(0, 0), (1, 0), (2, 1)], ids=["0", "1", "2_cool"])
def test_rates_fall_when_the_metric_stops_improving(mode, threshold_mode, patience, cooldown):
    metrics = METRICS if mode == "min" else tuple(2.0 - metric for metric in METRICS)
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, mode=mode, factor=0.5, patience=patience, threshold=0.05, cooldown=cooldown,
        threshold_mode=threshold_mode, min_lr=0.002,
    )  # fmt: skip
    seen = []
    for metric in metrics:
        optimizer.step()
        scheduler.step(metric)
        seen.append([group["lr"] for group in optimizer.param_groups])
    columns = [
        plateau(
            metrics, mode=mode, factor=0.5, patience=patience, threshold=0.05, rate=rate,
            relative=threshold_mode == "rel", minimum=0.002, cooldown=cooldown,
        )
        for rate in RATES
    ]  # fmt: skip
    check.same(seen=seen, expected=[list(row) for row in zip(*columns, strict=True)], source="rule")
