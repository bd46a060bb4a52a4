"""ReduceLROnPlateau, which goes by a metric instead of a count."""

import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.oracles.plateau import plateau
from fixtures.runs.schedule_steps import rates_of, two_groups

METRICS = (1.0, 0.9, 0.89, 0.91, 0.9, 0.895, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)


def reduced(metrics, **options):
    """Return the rates of the groups after each metric."""
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for metric in metrics:
        optimizer.step()
        scheduler.step(metric)
        rates.append(rates_of(optimizer))
    return rates


@claim("schedules.plateau-waits-for-patience")
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("patience, cooldown", [(0, 0), (1, 0), (2, 1)], ids=["0", "1", "2_cool"])
@pytest.mark.parametrize("lower_by", [0.0, 3.0], ids=["positive", "negative"])
def test_rates_fall_when_the_metric_stops_improving(
    mode, threshold_mode, patience, cooldown, lower_by
):
    metrics = METRICS if mode == "min" else tuple(2.0 - metric for metric in METRICS)
    metrics = tuple(metric - lower_by for metric in metrics)
    options = {
        "mode": mode, "factor": 0.5, "patience": patience, "threshold": 0.05,
        "threshold_mode": threshold_mode, "cooldown": cooldown, "min_lr": 0.002,
    }  # fmt: skip
    columns = [plateau(metrics, rate, **options) for rate in RATES]
    check.same(
        seen=reduced(metrics, **options),
        expected=[list(row) for row in zip(*columns, strict=True)],
        source="the documented rule of ReduceLROnPlateau",
    )


@claim("schedules.plateau-by-default")
def test_the_defaults_wait_for_ten_metrics_and_divide_by_ten():
    metrics = [1.0] + [1.0 - 0.9e-4] * 24 + [1.0 - 1.9e-4] * 11
    options = {
        "mode": "min", "factor": 0.1, "patience": 10, "threshold": 1e-4, "threshold_mode": "rel",
        "cooldown": 0, "min_lr": 0.0,
    }  # fmt: skip
    columns = [plateau(metrics, rate, **options) for rate in RATES]
    check.same(
        seen=reduced(metrics),
        expected=[list(row) for row in zip(*columns, strict=True)],
        source="rule with the documented defaults",
    )


@claim("schedules.plateau-min-lr-per-group")
def test_each_group_has_a_floor_of_its_own():
    seen = reduced([1.0] * 9, factor=0.5, patience=0, min_lr=[0.03, 0.004])[-1]
    check.same(seen=seen, expected=[0.03, 0.004], source="the min_lr that each group was given")


@claim("schedules.plateau-makes-no-tiny-change")
def test_a_change_smaller_than_eps_is_not_made():
    seen = reduced([1.0] * 3, factor=0.5, patience=0, eps=0.01)
    check.same(
        seen=seen,
        expected=[[0.1, 0.02], [0.05, 0.02], [0.025, 0.02]],
        source="halving 0.02 is a change of 0.01, which is not more than eps",
    )


@claim("schedules.plateau-nan-is-no-improvement")
def test_a_metric_of_nan_counts_as_a_bad_one():
    seen = reduced([1.0, math.nan, math.nan], factor=0.5, patience=1)[-1]
    check.same(seen=seen, expected=[0.05, 0.01], source="one reduction after two bad metrics")


@claim("schedules.plateau-accepts-tensor-metrics")
def test_a_metric_may_be_a_tensor():
    metrics = (1.0, 1.0, 1.0, 0.5, 0.75)
    check.same(
        seen=reduced([torch.tensor(metric) for metric in metrics], factor=0.5, patience=0),
        expected=reduced(metrics, factor=0.5, patience=0),
        source="the same metrics as numbers",
    )


def counters_of(scheduler):
    return [
        scheduler.last_epoch, scheduler.best, scheduler.num_bad_epochs,
        scheduler.cooldown_counter, scheduler.in_cooldown,
    ]  # fmt: skip


@claim("schedules.plateau-keeps-count")
def test_the_counters_say_how_things_stand():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, cooldown=3)
    seen = [counters_of(scheduler)]
    for metric in (3.0, 2.0, 2.5, 2.5, 2.5):
        scheduler.step(metric)
        seen.append(counters_of(scheduler))
    check.same(
        seen=seen,
        expected=[
            [0, math.inf, 0, 0, False],
            [1, 3.0, 0, 0, False],
            [2, 2.0, 0, 0, False],
            [3, 2.0, 1, 0, False],
            [4, 2.0, 0, 3, True],
            [5, 2.0, 0, 2, True],
        ],
        source="rule: epoch, best, bad epochs, epochs to rest, resting",
    )


@claim("schedules.plateau-cooldown-without-change")
@pytest.mark.parametrize("options", [{"min_lr": RATES}, {"eps": 1.0}], ids=["min_lr", "eps"])
def test_a_reduction_that_changes_no_rate_is_rested_from(options):
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, cooldown=2, **options)
    seen = []
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(metric)
        seen.append([scheduler.cooldown_counter, scheduler.num_bad_epochs, *rates_of(optimizer)])
    check.same(
        seen=seen,
        expected=[[0, 0, *RATES], [2, 0, *RATES], [1, 0, *RATES]],
        source="rule: metrics to rest, bad metrics, rates",
    )


@claim("schedules.plateau-reduces-added-groups")
def test_a_group_added_later_is_reduced_with_the_others():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.25})
    scheduler.step(1.0)
    scheduler.step(1.0)
    check.same(
        seen=rates_of(optimizer), expected=[0.05, 0.01, 0.125], source="every rate, halved once"
    )


@claim("schedules.plateau-min-lr-list-too-short")
def test_floors_listed_for_fewer_groups_are_an_error():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=0, min_lr=[0.01, 0.01]
    )
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.25})
    scheduler.step(1.0)
    with pytest.raises(RuntimeError, match="min_lrs"):
        scheduler.step(1.0)


@claim("schedules.plateau-deprecates-the-epoch")
def test_an_epoch_warns_and_is_taken():
    scheduler = lr_scheduler.ReduceLROnPlateau(two_groups())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scheduler.step(1.0, 7)
    assert (scheduler.last_epoch, ["deprecated" in str(w.message) for w in caught]) == (7, [True])


@claim("schedules.plateau-resumes-from-state")
@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_restored_plateau_goes_on(mode):
    options = {"factor": 0.5, "patience": 1, "cooldown": 1, "threshold": 0.05}
    optimizer, other = two_groups(), two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode, **options)
    for metric in METRICS[:6]:
        scheduler.step(metric)
    restored = lr_scheduler.ReduceLROnPlateau(other)
    other.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(scheduler.state_dict())
    seen, expected = [], []
    for metric in METRICS[6:]:
        scheduler.step(metric)
        restored.step(metric)
        expected.append(rates_of(optimizer))
        seen.append(rates_of(other))
    check.same(seen=seen, expected=expected, source="the one that was not interrupted")
