"""Adam, Adamax, NAdam, RAdam and their variants in plain numbers, against steps that were worked out by hand.

A comment above a result says how it comes about.
"""

from math import sqrt
from typing import Any

import pytest

from fixtures.oracles.adam import Adam, AdamW
from fixtures.oracles.adamax import Adamax
from fixtures.oracles.nadam import NAdam
from fixtures.oracles.radam import RAdam
from fixtures.oracles.sparse_adam import SparseAdam
from self_tests.units.walks import ELEMENTWISE, kept, near, walk


def test_adam_divides_the_mean_by_the_root_of_the_mean_square() -> None:
    oracle = Adam(lr=2.0, betas=(0.25, 0.5), eps=5.0)
    # t = 1: m = 3/4·5, m̂ = 5;  v = 25/2, v̂ = 25;  2·5 / (5 + 5) = 1
    # t = 2: m = 3.75/4 + 3/4 = 27/16, m̂ = 27/16 / (15/16) = 9/5
    #        v = 25/4 + 1/2 = 27/4, v̂ = 27/4 / (3/4) = 9;  2·9/5 / (3 + 5) = 9/20
    assert walk(oracle, 0.0, 5.0, 1.0) == near([-1.0, -1.45])
    assert kept(oracle) == {"step": 2.0, "exp_avg": 1.6875, "exp_avg_sq": 6.75}


def test_amsgrad_divides_by_the_root_of_the_largest_mean_square() -> None:
    plain, largest = (Adam(lr=1.0, betas=(0.25, 0.5625), eps=0.0, amsgrad=a) for a in (False, True))
    # t = 1: m̂ = 5, v̂ = 25;  5/5
    # t = 2: m̂ = 15/16 / (15/16) = 1;  v = 9/16·7/16·25, and 1 - (9/16)² = 175/256: v̂ = 9;  1/3
    #        of the v before, 7/16·25: v̂ = 16;  1/4
    assert walk(plain, 0.0, 5.0, 0.0) == near([-1.0, -4 / 3])
    assert walk(largest, 0.0, 5.0, 0.0) == near([-1.0, -1.25])
    assert "max_exp_avg_sq" not in kept(plain)
    assert (kept(largest)["exp_avg_sq"], kept(largest)["max_exp_avg_sq"]) == (6.15234375, 10.9375)


# The step is 2·5 / (5 + 5) = 1, if the gradient that counts is 5.
ADAM: dict[str, Any] = {"lr": 2.0, "betas": (0.25, 0.5), "eps": 5.0, "weight_decay": 0.25}


@pytest.mark.parametrize(
    "oracle, gradient, end",
    [
        # The gradient that counts is 4 + 4/4
        pytest.param(Adam(**ADAM), 4.0, 3.0, id="added"),
        # The gradient that counts is -(-4) + 4/4
        pytest.param(Adam(**ADAM, maximize=True), -4.0, 3.0, id="added to the negated gradient"),
        # 4 - 2·4/4, and g = 5
        pytest.param(Adam(**ADAM, decoupled_weight_decay=True), 5.0, 1.0, id="decoupled"),
        pytest.param(AdamW(**ADAM), 5.0, 1.0, id="AdamW"),
        pytest.param(AdamW(**ADAM, maximize=True), -5.0, 1.0, id="AdamW, maximizing"),
    ],
)
def test_the_weight_decay_of_adam(oracle: Adam, gradient: float, end: float) -> None:
    assert walk(oracle, 4.0, gradient) == near([end])


def test_adamw_decays_unless_it_is_told_otherwise() -> None:
    # 1 - 0.5·0.01, and a step of the rate
    assert walk(AdamW(lr=0.5, eps=0.0), 1.0, 3.0) == near([0.495])
    # 1 + 0.5·1: the decay is coupled, and the step is of the rate whatever the gradient
    coupled = AdamW(lr=0.5, eps=0.0, decoupled_weight_decay=False)
    assert walk(coupled, 1.0, -3.0) == near([1.5])


# Adamax


def test_adamax_divides_by_the_largest_size_that_decays() -> None:
    oracle = Adamax(lr=1.0, betas=(0.75, 0.5), eps=1.0)
    # t = 1: m = -3/4, u = max(0, 3 + 1) = 4;  -3/4 / (1/4·4) = -3/4
    # t = 2: m = -9/16 + 1/8 = -7/16, u = max(4/2, 1/2 + 1) = 2;  -7/16 / (7/16·2) = -1/2
    assert walk(oracle, 0.0, -3.0, 0.5) == [0.75, 1.25]
    assert kept(oracle) == {"step": 2.0, "exp_avg": -0.4375, "exp_inf": 2.0}


@pytest.mark.parametrize("maximize, gradient", [(False, -4.0), (True, 4.0)], ids=str)
def test_adamax_adds_the_decay_to_the_gradient(maximize: bool, gradient: float) -> None:
    # g = -4 + 2/2 = -3, as above
    oracle = Adamax(lr=1.0, betas=(0.75, 0.5), eps=1.0, weight_decay=0.5, maximize=maximize)
    assert walk(oracle, 2.0, gradient) == [2.75]


# Adagrad


@pytest.mark.parametrize(
    "t, momentum_decay, mu",
    [
        # 1/2·(1 - 0.96/2), 1/2·(1 - 0.96²/2)
        pytest.param(1, 1.0, 0.26, id="the first"),
        pytest.param(2, 1.0, 0.2696, id="the second"),
        pytest.param(2, 0.5, 0.26, id="half the decay"),
        pytest.param(9, 0.0, 0.25, id="no decay"),
    ],
)
def test_the_momentum_of_nadam_warms_up(t: int, momentum_decay: float, mu: float) -> None:
    assert NAdam(betas=(0.5, 0.25), momentum_decay=momentum_decay).mu(t) == near(mu)


def test_nadam_looks_ahead() -> None:
    oracle = NAdam(lr=0.5, betas=(0.5, 0.5), eps=2.0, momentum_decay=0.0)
    # μ = 1/4.  t = 1: m = 15/2;  m̂ = 15/8 / (15/16) + 3/4·15 / (3/4) = 2 + 15;  v̂ = 225
    #           1/2·17 / (15 + 2) = 1/2
    #           t = 2: m = 15/4 + 3/2;  m̂ = 21/16 / (63/64) + 9/4 / (15/16) = 4/3 + 12/5
    #           v = 225/4 + 9/2 = 243/4, v̂ = 81;  1/2·56/15 / (9 + 2) = 28/165
    assert walk(oracle, 0.0, 15.0, 3.0) == near([-0.5, -0.5 - 28 / 165])
    state = {"step": 2.0, "mu_product": 0.0625, "exp_avg": 5.25, "exp_avg_sq": 60.75}
    assert kept(oracle) == state


def test_nadam_weighs_this_momentum_and_the_next() -> None:
    oracle = NAdam(lr=1.0, betas=(0.5, 0.5), eps=0.0, momentum_decay=1.0)
    # m̂ = 0.2696·g/2 / (1 - 0.26·0.2696) + 0.74·g / 0.74, v̂ = g²
    assert walk(oracle, 0.0, 2.0) == near([-1 - 0.1348 / 0.929904])
    assert kept(oracle)["mu_product"] == near(0.26)


# The step is 1/2·17 / (15 + 2) = 1/2, if the gradient that counts is 15.
NADAM: dict[str, Any] = {
    "lr": 0.5, "betas": (0.5, 0.5), "eps": 2.0, "momentum_decay": 0.0, "weight_decay": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    "oracle, gradient, end",
    [
        # The gradient that counts is 10 + 10/2
        pytest.param(NAdam(**NADAM), 10.0, 9.5, id="added"),
        pytest.param(NAdam(**NADAM, maximize=True), -10.0, 9.5, id="added to the negated gradient"),
        # 10 - 1/2·10/2, and g = 15
        pytest.param(NAdam(**NADAM, decoupled_weight_decay=True), 15.0, 7.0, id="decoupled"),
        pytest.param(NAdam(**NADAM, decoupled_weight_decay=True, maximize=True), -15.0, 7.0,
                     id="decoupled, maximizing"),
    ],
)  # fmt: skip
def test_the_weight_decay_of_nadam(oracle: NAdam, gradient: float, end: float) -> None:
    assert walk(oracle, 10.0, gradient) == near([end])


# RAdam, with rho∞ = 2 / (1/4) - 1 = 7


@pytest.mark.parametrize(
    "t, rho",
    [
        # 7 - 2t(3/4)ᵗ / (1 - (3/4)ᵗ)
        pytest.param(1, 1.0, id="the first"),
        pytest.param(2, 13 / 7, id="the second"),
        pytest.param(8, 307849 / 58975, id="the eighth"),
    ],
)
def test_the_length_of_the_average_of_radam(t: int, rho: float) -> None:
    assert RAdam(betas=(0.5, 0.75)).length(t) == near(rho)


def test_radam_moves_by_the_mean_as_long_as_the_average_is_short() -> None:
    oracle = RAdam(lr=0.5, betas=(0.5, 0.75))
    # t = 1: m̂ = 2 / (1/2).   t = 2: m̂ = 3/2 / (3/4).
    assert walk(oracle, 0.0, 4.0, 1.0) == [-2.0, -3.0]
    assert kept(oracle) == {"step": 2.0, "exp_avg": 1.5, "exp_avg_sq": 3.25}


def late(t: float, **options: Any) -> RAdam:
    """Return a rule that has taken t steps, whose means are 509 and 5."""
    oracle = RAdam(betas=(0.5, 0.75), eps=2.0, **options)
    oracle.state[0] = {"step": t, "exp_avg": [509.0], "exp_avg_sq": [5.0]}
    return oracle


def test_radam_moves_by_the_mean_while_the_length_is_between_4_and_5() -> None:
    # t = 7: rho = 7 - 14·2187 / (16384 - 2187) = 4.84;  m = 255, m̂ = 255·128/127
    assert RAdam(betas=(0.5, 0.75)).length(7) == near(7 - 30618 / 14197)
    assert walk(late(6.0, lr=1.0), 0.0, 1.0) == near([-255 * 128 / 127])


def test_radam_divides_by_the_root_of_the_mean_square_once_the_average_is_long() -> None:
    # t = 8: (3/4)⁸ = 6561/65536;  rho = 7 - 16·6561/58975 = 307849/58975 > 5
    #        m = 255, m̂ = 256;  v = 15/4 + 1/4, l = √(58975/65536) / (2 + 2) = √58975 / 1024
    #        r² = (rho - 4)(rho - 2)·7 / (3·5·rho) = 71949·189899·7 / (15·307849·58975)
    #        4·256·r·l = √(71949·189899·7 / (15·307849))
    move = sqrt(71949 * 189899 * 7 / (15 * 307849))
    assert walk(late(7.0, lr=4.0), 0.0, 1.0) == near([-move])


@pytest.mark.parametrize(
    "options, gradient, end",
    [
        # g = 2 + 4/2, and a step of half of it
        pytest.param({}, 2.0, 2.0, id="added"),
        pytest.param({"maximize": True}, -2.0, 2.0, id="added to the negated gradient"),
        # 4 - 1/2·4/2, and g = 4
        pytest.param({"decoupled_weight_decay": True}, 4.0, 1.0, id="decoupled"),
        pytest.param({"decoupled_weight_decay": True, "maximize": True}, -4.0, 1.0,
                     id="decoupled, maximizing"),
    ],
)  # fmt: skip
def test_the_weight_decay_of_radam(options: dict[str, Any], gradient: float, end: float) -> None:
    oracle = RAdam(lr=0.5, betas=(0.5, 0.75), weight_decay=0.5, **options)
    assert walk(oracle, 4.0, gradient) == [end]
    # m = g/2, without the decay where that is decoupled
    assert kept(oracle)["exp_avg"] == 2.0


# SparseAdam, with √(1 - 0.96) = 0.2 and √(1 - 0.96²) = 0.28

SPARSE_ADAM: dict[str, Any] = {"lr": 15.0, "betas": (0.5, 0.96), "eps": 2.0}


def test_sparse_adam_adds_eps_to_the_root_of_the_uncorrected_mean_square() -> None:
    oracle = SparseAdam(**SPARSE_ADAM)
    # t = 1: m = 5, v = 4;  15·0.2 / (1/2)·5 / (2 + 2) = 7.5
    # t = 2: m = 5/2 + 1, v = 3.84 + 0.16 = 4;  15·0.28 / (3/4)·3.5 / (2 + 2) = 4.9
    assert walk(oracle, 0.0, 10.0, 2.0) == near([-7.5, -12.4])
    assert kept(oracle) == near({"step": 2.0, "exp_avg": 3.5, "exp_avg_sq": 4.0})


def test_sparse_adam_leaves_an_absent_entry_alone_and_counts_the_step() -> None:
    oracle = SparseAdam(**SPARSE_ADAM)
    # t = 2, for the first time: m = 5, v = 4;  15·0.28 / (3/4)·5 / (2 + 2) = 7
    assert walk(oracle, 1.0, None, 10.0, None) == near([1.0, -6.0, -6.0])
    assert kept(oracle) == near({"step": 3.0, "exp_avg": 5.0, "exp_avg_sq": 4.0})


def test_sparse_adam_alone_is_told_of_absent_rows() -> None:
    assert [rule for rule in ELEMENTWISE if rule.skips_absent_rows] == [SparseAdam]


# Adafactor
