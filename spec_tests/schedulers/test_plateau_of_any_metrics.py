"""ReduceLROnPlateau over metrics and options drawn at random, and at the edges of its documentation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.oracles.plateau import plateau
from fixtures.runs.schedule_steps import rates_of, two_groups

OPTIONS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.sampled_from([0.0, 0.5, 0.9, 0.95]),
        "patience": st.integers(0, 2),
        "threshold": st.sampled_from([0.0, 0.1, 0.5]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 0.0, 0.005, 0.05]),
        "eps": st.sampled_from([0.0, 1e-8, 0.01]),
    }
)
METRICS = st.lists(st.sampled_from([-1.0, -0.95, 0.5, 1.0, 1.05]), min_size=12, max_size=24)


def reduced(metrics, optimizer, **options):
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for metric in metrics:
        scheduler.step(metric)
        rates.append(rates_of(optimizer))
    return rates


@claim("schedules.plateau-holds-for-any-metrics")
@settings(max_examples=max(40, settings().max_examples))
@given(metrics=METRICS, options=OPTIONS)
def test_whatever_the_metrics_the_rates_are_those_of_the_rule(metrics, options):
    columns = [plateau(metrics, rate, **options) for rate in RATES]
    check.same(
        seen=reduced(metrics, two_groups(), **options),
        expected=[list(row) for row in zip(*columns, strict=True)],
        source="rule in fixtures/oracles/plateau.py",
    )


@claim("schedules.plateau-equal-metric-keeps-rate")
def test_a_metric_that_remains_the_same_leaves_the_rate():
    seen = reduced([1.0, 1.0, 1.0], two_groups(), patience=0, factor=0.5)
    check.same(seen=seen, expected=[list(RATES)] * 3, source="documentation of patience")


@claim("schedules.plateau-min-lr-lifts-no-rate")
def test_a_rate_below_the_floor_stays_there():
    seen = reduced([1.0] * 4, two_groups(), patience=0, factor=0.5, min_lr=0.05)
    expected = [[0.1, 0.02], [0.05, 0.02], [0.05, 0.02], [0.05, 0.02]]
    check.same(seen=seen, expected=expected, source="the floor is a lower bound of what is written")


@claim("schedules.plateau-min-lr-as-tuple")
def test_the_floors_may_stand_in_a_tuple():
    courses = [
        reduced([1.0] * 6, two_groups(), patience=0, factor=0.5, min_lr=floors)
        for floors in ((0.03, 0.004), [0.03, 0.004])
    ]
    check.same(seen=courses[0], expected=courses[1], source="the same floors in a list")


@claim("schedules.plateau-writes-tensor-in-place")
def test_a_rate_that_is_a_tensor_is_reduced_in_place():
    rates = [torch.tensor(0.5), torch.tensor(0.25)]
    optimizer = two_groups(rates)
    reduced([1.0, 1.0], optimizer, patience=0, factor=0.5)
    kept = [group["lr"] is rate for group, rate in zip(optimizer.param_groups, rates, strict=True)]
    assert (kept, [float(rate) for rate in rates]) == ([True, True], [0.25, 0.125])


@claim("schedules.plateau-last-rates")
def test_get_last_lr_of_a_plateau_lists_what_stands_in_the_groups():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    seen = [scheduler.get_last_lr()]
    for metric in (1.0, 1.0):
        scheduler.step(metric)
        seen.append(scheduler.get_last_lr())
    check.same(
        seen=seen,
        expected=[[0.1, 0.02], [0.1, 0.02], [0.05, 0.01]],
        source="the rates in the groups",
    )


@claim("schedules.plateau-last-rates")
def test_get_last_lr_of_a_plateau_lists_rates_that_somebody_else_set_before_the_step():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
    optimizer.param_groups[0]["lr"] = 0.75
    scheduler.step(1.0)
    check.same(
        seen=scheduler.get_last_lr(), expected=[0.75, 0.02], source="the rates in the groups"
    )


@claim("schedules.plateau-last-rates-are-copies")
def test_changing_what_get_last_lr_of_a_plateau_returned_changes_no_rate():
    optimizer = two_groups([torch.tensor(0.5), torch.tensor(0.25)])
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
    scheduler.get_last_lr()[0].fill_(7.0)
    scheduler.step(1.0)
    scheduler.get_last_lr()[0].fill_(7.0)
    check.same(seen=rates_of(optimizer), expected=[0.5, 0.25], source="the rates before")


@claim("schedules.plateau-min-lr-list-can-grow")
def test_floors_that_were_put_right_serve_an_added_group():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, patience=0, factor=0.5, min_lr=[0.01, 0.01]
    )
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.25})
    scheduler.min_lrs = [0.01, 0.01, 0.2]
    scheduler.step(1.0)
    scheduler.step(1.0)
    check.same(seen=rates_of(optimizer), expected=[0.05, 0.01, 0.2], source="halved, or the floor")


@claim("schedules.plateau-min-lr-for-added-group")
def test_the_floor_of_all_groups_is_that_of_an_added_one():
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, min_lr=0.015)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.025})
    scheduler.step(1.0)
    scheduler.step(1.0)
    expected = [0.05, 0.015, 0.015]
    check.same(seen=rates_of(optimizer), expected=expected, source="halved, or the floor")


@claim("schedules.plateau-copies-tensor-metrics")
def test_changing_a_metric_that_was_a_tensor_changes_no_best():
    scheduler = lr_scheduler.ReduceLROnPlateau(two_groups())
    metric = torch.tensor(0.5)
    scheduler.step(metric)
    metric.fill_(0.25)
    check.same(seen=scheduler.best, expected=0.5, source="the metric when it was given")


@claim("schedules.plateau-get-lr-not-implemented")
def test_get_lr_of_a_plateau_is_not_implemented():
    with pytest.raises(NotImplementedError):
        lr_scheduler.ReduceLROnPlateau(two_groups()).get_lr()


@claim("schedules.plateau-default-eps")
def test_a_change_of_more_than_ten_to_the_minus_eight_is_made():
    seen = reduced([1.0, 1.0], two_groups([1.6e-8, 2.8e-8]), patience=0, factor=0.5)[-1]
    check.same(seen=seen, expected=[1.6e-8, 1.4e-8], source="eps is 1e-8: halving 1.6e-8 is less")


@claim("schedules.plateau-threshold-is-exclusive")
@pytest.mark.parametrize(
    "mode, threshold_mode, bound",
    [("min", "rel", 0.5), ("min", "abs", 0.5), ("max", "rel", 1.5), ("max", "abs", 1.5)],
    ids=["min_rel", "min_abs", "max_rel", "max_abs"],
)
def test_a_metric_at_the_bound_is_no_improvement(mode, threshold_mode, bound):
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, mode, threshold=0.5, threshold_mode=threshold_mode
    )
    scheduler.step(1.0)
    scheduler.step(bound)
    check.same(
        seen=[scheduler.best, scheduler.num_bad_epochs],
        expected=[1.0, 1],
        source="best · (1 ∓ 0.5) or best ∓ 0.5, which a metric has to exceed",
    )


@claim("schedules.plateau-state-of-unknown-mode")
def test_a_state_with_an_unknown_mode_is_an_error():
    scheduler = lr_scheduler.ReduceLROnPlateau(two_groups())
    with pytest.raises(ValueError, match="mode mean is unknown"):
        scheduler.load_state_dict({**scheduler.state_dict(), "mode": "mean"})
