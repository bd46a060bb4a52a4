"""Adafactor and Muon in plain numbers, against steps that were worked out by hand.

A comment above a result says how it comes about.
"""

from copy import deepcopy
from math import sqrt
from typing import Any

import pytest

from fixtures.oracles.adafactor import Adafactor
from fixtures.oracles.muon import Muon, astray, bfloat16
from fixtures.oracles.oracle import Oracle
from self_tests.units.walks import ELEMENTWISE, kept, near, walk


def moved(oracle: Oracle[Any], start: list[Any], gradient: list[Any]) -> list[Any]:
    """Return a parameter after one step."""
    theta = deepcopy(start)
    oracle.step([theta], [gradient])
    return theta


def test_adafactor_moves_a_vector_relative_to_its_size() -> None:
    # β₂ = 0, so that U is the sign; RMS(θ) = √((1 + 49)/2) = 5, and alpha = 5/2
    assert moved(Adafactor(lr=0.5), [1.0, 7.0], [2.0, -3.0]) == near([-1.5, 9.5])


def test_adafactor_shrinks_the_parameter_beside_the_step() -> None:
    # 7/8·1 - 5/2, 7/8·7 + 5/2: the size is that from before
    oracle = Adafactor(lr=0.5, weight_decay=0.25)
    assert moved(oracle, [1.0, 7.0], [2.0, -3.0]) == near([-1.625, 8.625])


def test_adafactor_averages_the_squares_ever_longer_and_clips() -> None:
    oracle = Adafactor(lr=0.5, beta2_decay=-1.0)
    # t = 1: alpha = 4·1/2, U = 1
    # t = 2: alpha = 2·1/2, β₂ = 1/2, V = 1/2 + 49/2 = 25, U = 7/5, clipped to 1
    assert walk(oracle, 4.0, 1.0, 7.0) == near([2.0, 1.0])
    assert kept(oracle) == {"step": 2.0, "variance": 25.0}


def test_adafactor_clips_at_d() -> None:
    # As above, but U = 7/5 is below 2.
    assert walk(Adafactor(lr=0.5, beta2_decay=-1.0, d=2.0), 4.0, 1.0, 7.0) == near([2.0, 0.6])
    # U = 1 is above 1/4 by four.
    assert walk(Adafactor(lr=0.5, d=0.25), 4.0, 1.0) == near([3.5])


def test_adafactor_has_a_rate_that_falls_and_a_least_size() -> None:
    oracle = Adafactor(lr=1.0, beta2_decay=-1.0, eps=(None, 0.25))
    # t = 1: alpha = 4·min(1, 1).   t = 2: θ = 0, alpha = max(1/4, 0)·min(1, 1/√2), U clipped to 1.
    assert walk(oracle, 4.0, 1.0, 7.0) == near([0.0, -0.25 / sqrt(2)])


@pytest.mark.parametrize(
    "oracle",
    [Adafactor(lr=0.5, eps=(2.0, 1e-3)), Adafactor(lr=0.5, machine_epsilon=2.0)],
    ids=["given", "of the machine"],
)
def test_adafactor_divides_by_its_first_eps_at_least(oracle: Adafactor) -> None:
    # √V = 1/2, U = 1/2 / 2;  4 - 2·1/4
    assert walk(oracle, 4.0, 0.5) == near([3.5])


def test_adafactor_bounds_by_the_eps_of_float64_by_default() -> None:
    # √V = 2⁻⁵³, U = 2⁻⁵³ / 2⁻⁵²;  4 - 2·1/2
    assert walk(Adafactor(lr=0.5), 4.0, 2.0**-53) == near([3.0])


def test_adafactor_takes_the_squares_of_a_matrix_apart() -> None:
    oracle = Adafactor(lr=0.2, d=100.0)
    # G⁻ = (1 1 | 1 25): R = (1, 13), C = (1, 13), mean 7, V = (1/7 13/7 | 13/7 169/7)
    # RMS(θ) = 5, alpha = 1, θ - G/√V
    off, last = sqrt(7 / 13), 5 * sqrt(7) / 13
    found = moved(oracle, [[1.0, 7.0], [7.0, 1.0]], [[1.0, 1.0], [1.0, 5.0]])
    assert found == [near([1 - sqrt(7), 7 - off]), near([7 - off, 1 - last])]
    assert oracle.state[0] == {"step": 1.0, "row_var": [[1.0], [13.0]], "col_var": [[1.0, 13.0]]}


def test_adafactor_averages_rows_and_columns_of_an_oblong_matrix() -> None:
    oracle, theta = Adafactor(lr=1.0, beta2_decay=-1.0, d=100.0), [[1.0] * 3, [-1.0] * 3]
    oracle.step([theta], [[[0.0, 0.0, 3.0], [3.0, 3.0, 0.0]]])
    # R = (3, 6), C = 9/2 each, mean 9/2, V = (3 | 6) in each column;  alpha = 1
    root = sqrt(3 / 2)
    assert theta == [near([1.0, 1.0, 1 - sqrt(3)]), near([-1 - root, -1 - root, -1.0])]
    oracle.step([theta], [[[0.0, 0.0, 6.0], [6.0, 6.0, 0.0]]])
    # β₂ = 1/2: half of R, and half of (12, 24); half of C, and half of 18
    state = {"step": 2.0, "row_var": [[7.5], [15.0]], "col_var": [[11.25, 11.25, 11.25]]}
    assert oracle.state[0] == state


def test_adafactor_bounds_the_mean_of_the_rows() -> None:
    # g = 3/8: R = C = 9/64 below 1/4, V = (9/64)²·4, √V = 9/32, U = 4/3;  4 - 2·4/3
    oracle = Adafactor(lr=0.5, d=2.0, eps=(0.25, 1e-3))
    assert moved(oracle, [[4.0]], [[0.375]]) == [near([4 / 3])]


def test_adafactor_takes_a_stack_matrix_by_matrix_with_one_size() -> None:
    # Matrices of one entry: V = g², U is the sign.  RMS(θ) = 5 as of the vector (1, 7).
    oracle = Adafactor(lr=0.5)
    found = moved(oracle, [[[[1.0]], [[7.0]]]], [[[[2.0]], [[-3.0]]]])
    assert found == [[[near([-1.5])], [near([9.5])]]]
    assert oracle.state[0]["row_var"] == oracle.state[0]["col_var"] == [[[[4.0]], [[9.0]]]]


def test_adafactor_and_it_alone_takes_matrices_as_rows() -> None:
    assert [r for r in (*ELEMENTWISE, Adafactor) if r.takes_nested_lists] == [Adafactor]


# Muon


@pytest.mark.parametrize(
    "value, nearest",
    [
        pytest.param(1 + 2.0**-7, 1 + 2.0**-7, id="8 significant bits"),
        pytest.param(1 + 2.0**-8, 1.0, id="the even one below"),
        pytest.param(1 + 3 * 2.0**-8, 1 + 2.0**-6, id="the even one above"),
        pytest.param(1 + 2.0**-8 + 2.0**-20, 1 + 2.0**-7, id="the nearer one above"),
        pytest.param(1 + 3 * 2.0**-8 - 2.0**-20, 1 + 2.0**-7, id="the nearer one below"),
        pytest.param(-1 - 3 * 2.0**-8, -1 - 2.0**-6, id="below zero"),
        pytest.param(2 - 2.0**-8, 2.0, id="the next power of two"),
        pytest.param(0.0, 0.0, id="zero"),
        # 0.6 = 153.6/128/2, 0.8 = 204.8/128/2
        pytest.param(0.6, 154 / 256, id="rounded up"),
        pytest.param(0.8, 205 / 256, id="a digit that is rounded up"),
    ],
)
def test_bfloat16_is_the_nearest_number_of_8_bits(value: float, nearest: float) -> None:
    assert bfloat16(value) == nearest


@pytest.mark.parametrize("sign", [1, -1], ids=["above zero", "below zero"])
def test_astray_is_either_of_two_neighbours(sign: int) -> None:
    either = astray(seed=1)
    found = {either(sign * (1 + 2.0**-9 + 2.0**-23)) for _ in range(64)}
    assert found == {sign * 1.0, sign * (1 + 2.0**-7)}


def test_astray_leaves_a_number_of_8_bits_where_it_is() -> None:
    either = astray(seed=1)
    assert {either(-1 - 2.0**-7) for _ in range(64)} == {-1 - 2.0**-7}


def test_astray_is_another_processor_with_each_seed() -> None:
    courses = [[either(1.001) for _ in range(64)] for either in map(astray, (1, 1, 2))]
    assert courses[0] == courses[1]
    assert courses[0] != courses[2]


# Without products and with a norm below ε, what is orthogonalized is D/8.
LINEAR: dict[str, Any] = {
    "lr": 8.0, "momentum": 0.5, "weight_decay": 0.0, "ns_steps": 0, "eps": 8.0,
}  # fmt: skip


def muon_walk(oracle: Muon, *gradients: float) -> list[float]:
    """Return a matrix of one number after each step, from 1 on."""
    theta, course = [[1.0]], []
    for gradient in gradients:
        oracle.step([theta], [[[gradient]]])
        course.append(theta[0][0])
    return course


def test_muon_of_nesterov_looks_ahead() -> None:
    oracle = Muon(**LINEAR)
    # B: 2, then 1 + 4;  D = 2 + 1, then 4 + 5/2
    assert muon_walk(oracle, 2.0, 4.0) == [-2.0, -8.5]
    assert oracle.state[0] == {"momentum_buffer": [[5.0]]}


def test_muon_without_nesterov_moves_along_its_momentum() -> None:
    assert muon_walk(Muon(**LINEAR, nesterov=False), 2.0, 4.0) == [-1.0, -6.0]


def test_muon_shrinks_the_parameter_beside_the_step() -> None:
    # 2 - 8·2/16 - 3
    oracle = Muon(**{**LINEAR, "weight_decay": 0.0625})
    assert moved(oracle, [[2.0]], [[2.0]]) == [[-2.0]]


def test_muon_leaves_the_gradient_as_it_is() -> None:
    gradient = [[2.0]]
    Muon(**LINEAR).step([[[1.0]]], [gradient])
    assert gradient == [[2.0]]


@pytest.mark.parametrize(
    "adjust, n, m, factor",
    [
        (None, 8, 2, 2.0),
        (None, 2, 8, 1.0),
        ("original", 8, 2, 2.0),
        ("original", 2, 8, 1.0),
        ("match_rms_adamw", 16, 4, 0.8),
        ("match_rms_adamw", 4, 16, 0.8),
        ("spectral_unclamped", 8, 2, 2.0),
        ("spectral_unclamped", 2, 8, 0.5),
    ],
    ids=str,
)
def test_the_rate_of_muon_is_adjusted_to_the_shape(
    adjust: str | None, n: int, m: int, factor: float
) -> None:
    assert Muon(adjust_lr_fn=adjust).adjustment(n, m) == near(factor)


def test_muon_multiplies_the_step_and_not_the_decay_by_the_adjustment() -> None:
    # Four rows and a column: lr' = 2·lr.  B = 2, D = 3, D/8·16 = 6;  1 - 8/16 - 6
    oracle = Muon(**{**LINEAR, "weight_decay": 0.0625})
    assert moved(oracle, [[1.0], [1.0], [1.0], [1.0]], [[2.0], [0.0], [0.0], [0.0]])[0] == [-5.5]


# The coefficients bring a singular value of 1/2 to 2/2 - 1.5/8 + 0.5/32 = 53/64.
HALVES: dict[str, Any] = {"ns_steps": 1, "ns_coefficients": (2.0, -1.5, 0.5)}


@pytest.mark.parametrize(
    "muon, direction, orthogonal",
    [
        # |D| = 4: X = D/4
        pytest.param(Muon(ns_steps=0), [[4.0]], [[1.0]], id="the norm"),
        pytest.param(Muon(ns_steps=0), [[2.0, -2.0], [2.0, 2.0]], [[0.5, -0.5], [0.5, 0.5]],
                     id="the norm of a matrix"),
        pytest.param(Muon(ns_steps=0, eps=8.0), [[4.0]], [[0.5]], id="no less than eps"),
        # ε is 2 + 2⁻⁶ in 8 bits
        pytest.param(Muon(ns_steps=0, eps=2 + 2.0**-6 + 2.0**-9), [[1 + 2.0**-7]], [[0.5]],
                     id="eps in 8 bits"),
        # |D| = 5: 0.6 and 0.8 in 8 bits
        pytest.param(Muon(ns_steps=0), [[3.0, 4.0]], [[154 / 256, 205 / 256]], id="8 bits"),
        # 1 + 2⁻⁸ is 1 in 8 bits
        pytest.param(Muon(ns_steps=0, eps=2.0), [[1 + 2.0**-8]], [[0.5]], id="the input in 8 bits"),
        # |D| = √2 is 181/128 in 8 bits, and 128/181 is 181.04/256
        pytest.param(Muon(ns_steps=0), [[1.0, 1.0]], [[181 / 256, 181 / 256]],
                     id="the norm in 8 bits"),
        # X = 1/2: A = 1/4, A² = 1/16
        pytest.param(Muon(**HALVES, eps=8.0), [[4.0]], [[53 / 64]], id="one product"),
        # X = D/2 has one singular value, 1: it stays 1
        pytest.param(Muon(**HALVES), [[1.0, 1.0], [1.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]],
                     id="a matrix of rank one"),
        # X = (1/2)·1 of four rows: as one product
        pytest.param(Muon(**HALVES), [[4.0 * (i == j) for j in range(4)] for i in range(4)],
                     [[53 / 64 * (i == j) for j in range(4)] for i in range(4)], id="a diagonal"),
        pytest.param(Muon(**HALVES), [[1.0], [1.0], [-1.0], [1.0]], [[0.5], [0.5], [-0.5], [0.5]],
                     id="more rows than columns"),
        pytest.param(Muon(**HALVES), [[1.0, 1.0, -1.0, 1.0]], [[0.5, 0.5, -0.5, 0.5]],
                     id="more columns than rows"),
        # Products that are nothing leave 2·X, twice.
        pytest.param(Muon(**{**HALVES, "ns_steps": 2}, eps=8.0, inner_rounding=lambda _: 0.0), [[1.0]],
                     [[0.5]], id="inner rounding"),
    ],
)  # fmt: skip
def test_muon_brings_singular_values_towards_one(
    muon: Muon, direction: list[list[float]], orthogonal: list[list[float]]
) -> None:
    assert muon.orthogonalize(direction) == orthogonal


def test_muon_rounds_what_goes_into_a_product_and_what_comes_out() -> None:
    rounded: list[float] = []

    def note(value: float) -> float:
        rounded.append(value)
        return value

    # D; the norm; X = D/8; A = X²; bA + cA²; aX + (bA + cA²)X
    Muon(**HALVES, eps=8.0, rounding=note).orthogonalize([[4.0]])
    assert rounded == [4.0, 4.0, 0.5, 0.25, -0.34375, 53 / 64]


def test_muon_rounds_the_square_and_the_product_before_they_are_added() -> None:
    rounded: list[float] = []

    def note(value: float) -> float:
        rounded.append(value)
        return value

    # A², (bA + cA²)X
    Muon(**HALVES, eps=8.0, inner_rounding=note).orthogonalize([[4.0]])
    assert rounded == [0.0625, -0.171875]


@pytest.mark.parametrize(
    "direction", [[[1.0], [1.0], [1.0], [1.0]], [[1.0] * 4]], ids=["rows", "columns"]
)
def test_muon_multiplies_matrices_of_the_shorter_side(direction: list[list[float]]) -> None:
    rounded: list[float] = []

    def note(value: float) -> float:
        rounded.append(value)
        return value

    # Four entries of D, its norm, X of four, A of one, bA + cA² of one, and X of four
    Muon(**HALVES, rounding=note).orthogonalize(direction)
    assert len(rounded) == 15
