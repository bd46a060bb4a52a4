"""Averages, clipping, the scale of a loss and derivatives, against numbers worked out by hand."""

from functools import partial
from math import cos, exp, inf, sin, sqrt
from typing import Any

import pytest

from fixtures.oracles.averages import (
    Statistics,
    after_each,
    equally_weighted,
    exponential,
    normalised,
    normalised_by,
    over_batches,
    statistics_of,
    truncated,
)
from fixtures.oracles.clipping import clipped_by_norm, clipped_by_value, total_norm
from fixtures.oracles.finite_differences import derivative
from fixtures.oracles.loss_scale import LARGEST_FLOAT32, LossScale

near = partial(pytest.approx, rel=1e-14, abs=0.0)


@pytest.mark.parametrize(
    "average, model, averaged, mean",
    [
        # (2·2 + 5)/3
        pytest.param(2.0, 5.0, 2, 3.0, id="of three"),
        pytest.param(2.0, 5.0, 0, 5.0, id="of one"),
        pytest.param(1 + 1j, 3 + 5j, 1, 2 + 3j, id="of complex numbers"),
    ],
)
def test_models_are_weighted_equally(average: Any, model: Any, averaged: int, mean: Any) -> None:
    assert equally_weighted(average, model, averaged) == mean


@pytest.mark.parametrize("averaged", [1, 7], ids="after {}".format)
def test_an_exponential_average_forgets_by_its_decay(averaged: int) -> None:
    # 3/4·4 + 1/4·8
    assert exponential(0.75)(4.0, 8.0, averaged) == 5.0


def test_an_average_begins_with_the_first_model() -> None:
    assert after_each(equally_weighted, [3.0, 6.0, 0.0]) == [3.0, 4.5, 3.0]
    assert after_each(exponential(0.25), [4.0, 8.0, 3.0]) == [4.0, 7.0, 4.0]
    assert after_each(equally_weighted, [3.0]) == [3.0]


def test_whole_numbers_are_rounded_towards_zero_after_each() -> None:
    # 3/2; (2·1 + 5)/3 = 7/3.  -3/2; (2·-1 - 3)/3 = -5/3.
    assert after_each(truncated(equally_weighted), [1, 2, 5]) == [1, 1, 2]
    assert after_each(truncated(equally_weighted), [-1, -2, -3]) == [-1, -1, -1]


def test_statistics_are_of_each_feature_without_bias() -> None:
    # Of 0, 3, 6: 3, and (9 + 0 + 9)/2.  Of 1, 1, 4: 2, and (1 + 1 + 4)/2.
    assert statistics_of([[0, 1], [3, 1], [6, 4]]) == Statistics([3.0, 2.0], [9.0, 3.0])


def test_batches_count_the_same_however_long_they_are() -> None:
    # (3, 9) of three rows, and (7, 2) of two
    assert over_batches([[[0], [3], [6]], [[6], [8]]]) == Statistics([5.0], [5.5])


def test_a_batch_is_normalised_by_its_own_biased_variance() -> None:
    # Of 0, 3 and 6: 3, and (9 + 0 + 9)/3; √(6 + 3) = 3.  Of 1, 1 and 1: 1, and 0.
    found = normalised([[0, 1], [3, 1], [6, 1]], eps=3.0)
    assert found == [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]


def test_a_batch_is_normalised_by_statistics_that_are_given() -> None:
    # (5 - 1)/√(3 + 1), (2 - 2)/√(8 + 1), (8 - 2)/√(8 + 1)
    found = normalised_by(Statistics([1.0, 2.0], [3.0, 8.0]), [[5, 2], [5, 8]], eps=1.0)
    assert found == [[2.0, 0.0], [2.0, 2.0]]


def test_eps_is_a_hundred_thousandth_by_default() -> None:
    # √(0 + 10⁻⁵)
    assert normalised_by(Statistics([0.0], [0.0]), [[1]]) == [near([100 * sqrt(10)])]
    assert normalised([[-1e-3], [1e-3]])[1] == near([1e-3 / sqrt(1.1e-5)])


@pytest.mark.parametrize(
    "gradients, norm_type, norm",
    [
        pytest.param([[3.0], [-4.0]], 2.0, 5.0, id="two"),
        pytest.param([[3.0], [-4.0]], 1.0, 7.0, id="one"),
        pytest.param([[3.0, -4.0]], inf, 4.0, id="infinity"),
        # (√9 + √16)²
        pytest.param([[9.0, 0.0], [16.0]], 0.5, 49.0, id="a half"),
        # ∛(27 + 64 + 125)
        pytest.param([[3.0, -4.0, 5.0]], 3.0, 6.0, id="three"),
        pytest.param([[3 + 4j], [12.0]], 2.0, 13.0, id="of complex numbers"),
        pytest.param([], 2.0, 0.0, id="of nothing"),
        pytest.param([[], []], inf, 0.0, id="of nothing, infinity"),
    ],
)
def test_the_norm_of_all_gradients(gradients: list[Any], norm_type: float, norm: float) -> None:
    assert total_norm(gradients, norm_type) == near(norm)


@pytest.mark.parametrize(
    "max_norm, factor",
    [
        pytest.param(2.5, 2.5 / 5.000001, id="above it"),
        pytest.param(5.0, 5.0 / 5.000001, id="at it"),
        pytest.param(5.000001, 1.0, id="just below it"),
        pytest.param(50.0, 1.0, id="far below it"),
        pytest.param(0.0, 0.0, id="zero"),
    ],
)
def test_gradients_are_scaled_to_their_largest_norm(max_norm: float, factor: float) -> None:
    gradients = [[3.0, 0.0], [-4.0]]
    clipped = clipped_by_norm(gradients, max_norm, 2.0)
    assert clipped == [near([3 * factor, 0.0]), near([-4 * factor])]
    assert gradients == [[3.0, 0.0], [-4.0]]


def test_gradients_are_scaled_by_the_norm_that_is_named() -> None:
    assert clipped_by_norm([[3.0, -4.0]], 2.0, inf) == [near([6 / 4.000001, -8 / 4.000001])]


def test_each_entry_is_moved_between_the_bounds() -> None:
    clipped = clipped_by_value([[-3.0, -2.0, -1.0], [0.0, 1.5, 2.5]], 2.0)
    assert clipped == [[-2.0, -2.0, -1.0], [0.0, 1.5, 2.0]]


def course(scale: LossScale, *found_inf: bool) -> list[tuple[float, int]]:
    """Return the scale and the steps that are counted after each step."""
    seen = []
    for found in found_inf:
        scale.update(found_inf=found)
        seen.append((scale.scale, scale.tracker))
    return seen


OPTIONS: dict[str, Any] = {
    "init_scale": 8.0, "growth_factor": 4.0, "backoff_factor": 0.25, "growth_interval": 2,
}  # fmt: skip


def test_a_scale_grows_after_as_many_steps_as_the_interval_has() -> None:
    seen = course(LossScale(**OPTIONS), False, False, False, False)
    assert seen == [(8.0, 1), (32.0, 0), (32.0, 1), (128.0, 0)]


def test_a_scale_backs_off_from_infinity_and_counts_anew() -> None:
    seen = course(LossScale(**OPTIONS), False, True, True, False, False)
    assert seen == [(8.0, 1), (2.0, 0), (0.5, 0), (0.5, 1), (2.0, 0)]


@pytest.mark.parametrize(
    "first, second",
    [
        pytest.param(LARGEST_FLOAT32 / 4, LARGEST_FLOAT32, id="the largest number"),
        pytest.param(2.0**126, 2.0**126, id="beyond it"),
    ],
)
def test_a_scale_stays_within_float32(first: float, second: float) -> None:
    scale = LossScale(**{**OPTIONS, "init_scale": first, "growth_interval": 1})
    assert course(scale, False) == [(second, 0)]


def test_the_largest_number_of_float32() -> None:
    assert LARGEST_FLOAT32 == (2 - 2.0**-23) * 2.0**127


def test_a_scale_is_65536_at_first_and_doubles_in_2000_steps() -> None:
    scale = LossScale()
    assert (scale.scale, scale.tracker) == (65536.0, 0)
    assert course(scale, *[False] * 2000)[-2:] == [(65536.0, 1999), (131072.0, 0)]
    assert course(scale, True) == [(65536.0, 0)]


@pytest.mark.parametrize("power", range(7), ids="x^{}".format)
def test_the_derivative_of_a_power_up_to_the_sixth_is_exact(power: int) -> None:
    assert derivative(lambda x: x**power, 2.0, step=0.5) == pytest.approx(
        power * 2.0 ** (power - 1), rel=1e-13, abs=0.0
    )


def test_the_error_is_the_sixth_power_of_the_shortest_width_times_the_others() -> None:
    # x⁷ at 0, over widths of 4, 2 and 1: 4⁶ = 4096, 64 and 1
    # (4·64 - 4096)/3 = -1280, (4·1 - 64)/3 = -20;  (16·-20 + 1280)/15
    assert derivative(lambda x: x**7, 0.0, step=4.0) == 64.0


def test_the_widest_half_width_is_a_thousandth_by_default() -> None:
    # As above, over 10⁻³ instead of 4: 64·(10⁻³/4)⁶
    assert derivative(lambda x: x**7, 0.0) == pytest.approx(64 * 0.25e-3**6, rel=1e-12, abs=0.0)


def test_the_derivative_of_a_smooth_function_is_in_error_by_a_trillionth() -> None:
    assert derivative(sin, 1.0) == pytest.approx(cos(1.0), rel=2e-12)
    assert derivative(exp, 2.0) == pytest.approx(exp(2.0), rel=2e-12)
