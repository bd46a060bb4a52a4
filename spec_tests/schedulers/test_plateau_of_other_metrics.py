"""ReduceLROnPlateau over metrics that are infinite, NaN, truth values, texts or no number at all."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.claims import claim
from fixtures.runs.schedule_steps import two_groups

NAN, INF = math.nan, math.inf
MODES = pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
# In mode "min"; mode "max" sees the same metrics with the other sign.
COURSES = {
    "nan_first": ([NAN, 1.0, 2.0], [False, True, False]),
    "nan_between": ([2.0, NAN, 1.0, NAN], [True, False, True, False]),
    "the_worst_first": ([INF, INF, 1.0], [False, False, True]),
    "the_worst_between": ([2.0, INF, 1.0], [True, False, True]),
    "the_best": ([-INF, -INF, -1e300, NAN], [True, False, False, False]),
}


@claim("schedules.plateau-infinite-metrics")
@MODES
@pytest.mark.parametrize("mode, sign", [("min", 1), ("max", -1)], ids=["min", "max"])
def test_a_metric_improves_if_it_is_beyond_the_best_one(mode, sign, threshold_mode):
    seen = {}
    for name, (metrics, _) in COURSES.items():
        scheduler = lr_scheduler.ReduceLROnPlateau(
            two_groups(), mode, patience=99, threshold_mode=threshold_mode
        )
        seen[name] = []
        for metric in metrics:
            before = scheduler.num_bad_epochs
            scheduler.step(sign * metric)
            seen[name].append(scheduler.num_bad_epochs <= before and not scheduler.num_bad_epochs)
    check.same(
        seen=seen,
        expected={name: improved for name, (_, improved) in COURSES.items()},
        source="the order of numbers, in which NaN has no place; the best is the worst infinity first",
    )


NUMBERS = {
    "true": True,
    "false": False,
    "large_integer": 2**70,
    "fraction": Fraction(1, 2),
    "decimal": Decimal("0.5"),
    "text": "0.5",
    "boolean_tensor": torch.tensor(True),
    "integer_tensor": torch.tensor(3, dtype=torch.int8),
    "float16_tensor": torch.tensor(0.5, dtype=torch.float16),
    "bfloat16_vector": torch.tensor([0.5], dtype=torch.bfloat16),
    "matrix_of_one": torch.tensor([[0.5]]),
}


@claim("schedules.plateau-reads-metrics-by-float")
def test_a_metric_is_what_float_makes_of_it():
    seen = {}
    for name, metric in NUMBERS.items():
        scheduler = lr_scheduler.ReduceLROnPlateau(two_groups())
        scheduler.step(metric)
        seen[name] = scheduler.best
    expected = {name: float(metric) for name, metric in NUMBERS.items()}
    check.same(seen=seen, expected=expected, source="float()")


NO_NUMBERS = {
    "none": None,
    "complex": 1j,
    "list": [0.5],
    "word": "low",
    "too_large": 10**400,
    "complex_tensor": torch.tensor(1j),
    "two_elements": torch.tensor([1.0, 2.0]),
    "no_elements": torch.tensor([]),
}


@claim("schedules.plateau-refuses-other-metrics")
@pytest.mark.parametrize("metric", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_a_metric_that_is_no_number_is_an_error_that_changes_nothing(metric):
    optimizer = two_groups()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    scheduler.step(1.0)
    before = scheduler.state_dict(), [group["lr"] for group in optimizer.param_groups]
    with pytest.raises((TypeError, ValueError, OverflowError, RuntimeError)):
        scheduler.step(metric)
    check.same(
        seen=[scheduler.state_dict(), [group["lr"] for group in optimizer.param_groups]],
        expected=[*before],
        source="the scheduler before",
    )
