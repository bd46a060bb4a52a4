"""The update rules in plain numbers, against steps that were worked out by hand.

A comment above a result says how it comes about. Rates, betas and gradients are chosen so that roots come
out even; what is no binary fraction is compared within a few roundings.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from functools import partial
from math import sqrt
from typing import Any

import pytest

from fixtures.catalogue import published
from fixtures.oracles.adadelta import Adadelta
from fixtures.oracles.adafactor import Adafactor
from fixtures.oracles.adagrad import Adagrad
from fixtures.oracles.adam import Adam, AdamW
from fixtures.oracles.adamax import Adamax
from fixtures.oracles.asgd import ASGD
from fixtures.oracles.lbfgs import LBFGS
from fixtures.oracles.muon import Muon, astray, bfloat16
from fixtures.oracles.nadam import NAdam
from fixtures.oracles.oracle import Oracle
from fixtures.oracles.radam import RAdam
from fixtures.oracles.rmsprop import RMSprop
from fixtures.oracles.rprop import Rprop
from fixtures.oracles.sgd import SGD
from fixtures.oracles.sparse_adam import SparseAdam

near = partial(pytest.approx, rel=1e-14, abs=0.0)

ELEMENTWISE = (
    Adadelta, Adagrad, Adam, AdamW, Adamax, ASGD, NAdam, RAdam, RMSprop, Rprop, SGD, SparseAdam,
)  # fmt: skip


def name_of(rule: type) -> str:
    return rule.__name__


def walk(oracle: Oracle[Any], start: float, *gradients: float | None) -> list[float]:
    """Return a parameter of one number after each step."""
    theta, course = [start], []
    for gradient in gradients:
        oracle.step([theta], [[gradient]])
        course.append(theta[0])
    return course


def moved(oracle: Oracle[Any], start: list[Any], gradient: list[Any]) -> list[Any]:
    """Return a parameter after one step."""
    theta = deepcopy(start)
    oracle.step([theta], [gradient])
    return theta


def kept(oracle: Oracle[Any]) -> dict[str, Any]:
    """Return what is kept for a parameter of one number, out of its lists."""
    return {key: v[0] if isinstance(v, list) else v for key, v in oracle.state[0].items()}


def test_a_parameter_without_a_gradient_sits_out() -> None:
    oracle, parameters = Rprop(lr=0.5), [[1.0], [1.0], [1.0]]
    oracle.step(parameters, [[2.0], None, [2.0]])
    oracle.step(parameters, [None, None, [2.0]])
    # The third takes a second step of 1.2·0.5; the second never begins.
    assert parameters == [[0.5], [1.0], near([-0.1])]
    assert {index: state["step"] for index, state in oracle.state.items()} == {0: 1.0, 2: 2.0}


def test_as_many_gradients_as_parameters_are_given() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        SGD().step([[1.0], [1.0]], [[1.0]])


def test_an_oracle_without_a_rule_takes_no_step() -> None:
    with pytest.raises(NotImplementedError):
        Oracle[list[float]]().step([[1.0]], [[1.0]])


@pytest.mark.parametrize("rule", ELEMENTWISE, ids=name_of)
def test_entries_and_parameters_move_by_their_own_gradients(rule: type[Oracle[Any]]) -> None:
    together = [[1.0, -3.0], [0.5]]
    oracle = rule()
    for gradients in ([[2.0, 0.25], [-1.0]], [[-1.0, 0.5], [-2.0]]):
        oracle.step(together, gradients)
    assert [[walk(rule(), 1.0, 2.0, -1.0)[-1], walk(rule(), -3.0, 0.25, 0.5)[-1]],
            [walk(rule(), 0.5, -1.0, -2.0)[-1]]] == together  # fmt: skip


@pytest.mark.parametrize("rule", [*ELEMENTWISE, Adafactor], ids=name_of)
def test_to_maximize_is_to_follow_the_gradient_up(rule: Callable[..., Oracle[Any]]) -> None:
    climbing = walk(rule(maximize=True), 1.0, 2.0, -0.5, -1.0)
    assert climbing == walk(rule(), 1.0, -2.0, 0.5, 1.0)
    assert climbing[0] > 1.0


def published_defaults(rule: type) -> dict[str, Any]:
    """Return the defaults of a constructor's options, as they are published."""
    signature = published.published("2.13.0")[f"torch.optim.{rule.__name__}"]["signature"]
    return {p["name"]: published.value(p["default"]) for p in signature if "default" in p}


def options_of(rule: type, known: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults of an oracle's options, of those that a constructor takes."""
    return {f.name: f.default for f in fields(rule) if f.init and f.name in known}


@pytest.mark.parametrize("rule", [*ELEMENTWISE, Adafactor, LBFGS, Muon], ids=name_of)
def test_defaults_are_those_that_are_published(rule: type) -> None:
    of_torch = published_defaults(rule)
    defaults = options_of(rule, of_torch)
    assert len(defaults) > 2
    assert defaults == {name: of_torch[name] for name in defaults}


# SGD


def test_sgd_moves_against_the_gradient() -> None:
    oracle = SGD(lr=0.5)
    # θ - lr·g: 1 - 2/2, 0 + 4/2
    assert walk(oracle, 1.0, 2.0, -4.0) == [0.0, 2.0]
    assert oracle.state == {0: {}}


def test_sgd_adds_the_decay_to_the_gradient() -> None:
    # The gradient that counts is 2 + 4/4
    assert walk(SGD(lr=0.5, weight_decay=0.25), 4.0, 2.0) == [2.5]


def test_sgd_negates_the_gradient_and_not_the_decay() -> None:
    # The gradient that counts is -2 + 4/4
    assert walk(SGD(lr=0.5, weight_decay=0.25, maximize=True), 4.0, 2.0) == [4.5]


def test_sgd_with_momentum_begins_with_the_gradient_and_dampens_those_behind() -> None:
    oracle = SGD(lr=1.0, momentum=0.5, dampening=0.75)
    # b: 4, then 4/2 + 12/4
    assert walk(oracle, 0.0, 4.0, 12.0) == [-4.0, -9.0]
    assert kept(oracle) == {"momentum_buffer": 5.0}


def test_sgd_with_full_momentum_forgets_nothing() -> None:
    # b: 4, then 4 + 2/2
    oracle = SGD(lr=1.0, momentum=1.0, dampening=0.5)
    assert walk(oracle, 0.0, 4.0, 2.0) == [-4.0, -9.0]


def test_sgd_of_nesterov_looks_ahead() -> None:
    # b: 4, then 4/2 + 2;  g + b/2: 4 + 2, then 2 + 2
    oracle = SGD(lr=1.0, momentum=0.5, nesterov=True)
    assert walk(oracle, 0.0, 4.0, 2.0) == [-6.0, -10.0]
    assert kept(oracle) == {"momentum_buffer": 4.0}


def test_sgd_multiplies_the_whole_velocity_by_the_rate_of_the_step() -> None:
    oracle = SGD(lr=1.0, momentum=0.5)
    assert walk(oracle, 0.0, 4.0) == [-4.0]
    oracle.lr = 0.25
    # b = 4/2 + 2, and a quarter of it
    assert walk(oracle, -4.0, 2.0) == [-5.0]


# Adam, AMSGrad, AdamW


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


def test_adagrad_divides_by_the_root_of_the_sum_of_squares_with_a_rate_that_decays() -> None:
    oracle = Adagrad(lr=12.0, lr_decay=1.0, eps=1.0)
    # t = 1: s = 9;  12·3 / (3 + 1) = 9.   t = 2: s = 25;  6·4 / (5 + 1) = 4.
    assert walk(oracle, 0.0, 3.0, 4.0) == [-9.0, -13.0]
    assert kept(oracle) == {"step": 2.0, "sum": 25.0}


def test_adagrad_begins_with_the_sum_that_it_is_given() -> None:
    # s = 16 + 9;  12·3 / (5 + 1)
    assert walk(Adagrad(lr=12.0, initial_accumulator_value=16.0, eps=1.0), 0.0, 3.0) == [-6.0]


@pytest.mark.parametrize("maximize, gradient", [(False, 2.0), (True, -2.0)], ids=str)
def test_adagrad_adds_the_decay_to_the_gradient(maximize: bool, gradient: float) -> None:
    # g = 2 + 2/2 = 3;  2 - 12·3 / (3 + 1)
    oracle = Adagrad(lr=12.0, eps=1.0, weight_decay=0.5, maximize=maximize)
    assert walk(oracle, 2.0, gradient) == [-7.0]


def test_adagrad_leaves_an_entry_without_a_slope_alone() -> None:
    assert walk(Adagrad(), 3.0, 0.0) == [3.0]


# Adadelta


def test_adadelta_scales_by_the_root_mean_square_of_its_moves() -> None:
    oracle = Adadelta(lr=0.5, rho=0.75, eps=400.0)
    # t = 1: v = 900/4 = 225;  Δ = 30·√400 / √625 = 24;  u = 24²/4 = 144
    # t = 2: v = 3/4·225 + 225/4 = 225;  Δ = 15·√544 / √625 = 12/5·√34
    #        u = 3/4·144 + (12/5·√34)²/4 = 108 + 48.96
    assert walk(oracle, 0.0, 30.0, 15.0) == near([-12.0, -12 - 6 / 5 * sqrt(34)])
    assert kept(oracle) == near({"step": 2.0, "square_avg": 225.0, "acc_delta": 156.96})


@pytest.mark.parametrize("maximize, gradient", [(False, 20.0), (True, -20.0)], ids=str)
def test_adadelta_adds_the_decay_to_the_gradient(maximize: bool, gradient: float) -> None:
    # g = 20 + 20/2 = 30;  20 - 24/2
    oracle = Adadelta(lr=0.5, rho=0.75, eps=400.0, weight_decay=0.5, maximize=maximize)
    assert walk(oracle, 20.0, gradient) == [8.0]


# RMSprop


def test_rmsprop_divides_by_the_root_of_the_mean_square() -> None:
    oracle = RMSprop(lr=2.0, alpha=0.75, eps=1.0)
    # t = 1: v = 36/4 = 9;  2·6 / (3 + 1) = 3.   t = 2: v = 27/4 + 9/4 = 9;  2·3 / (3 + 1) = 3/2.
    assert walk(oracle, 0.0, 6.0, 3.0) == [-3.0, -4.5]
    assert kept(oracle) == {"step": 2.0, "square_avg": 9.0}


def test_rmsprop_with_momentum_adds_up_what_it_divided() -> None:
    oracle = RMSprop(lr=2.0, alpha=0.75, eps=1.0, momentum=0.5)
    # b: 6/4 = 3/2, then 3/4 + 3/4
    assert walk(oracle, 0.0, 6.0, 3.0) == [-3.0, -6.0]
    assert kept(oracle) == {"step": 2.0, "square_avg": 9.0, "momentum_buffer": 1.5}


def test_rmsprop_that_is_centered_divides_by_the_standard_deviation() -> None:
    oracle = RMSprop(lr=1.0, alpha=0.5, eps=0.75, centered=True)
    # t = 1: v = 18, a = 3, ṽ = 18 - 9 = 9;  6 / (3 + 3/4) = 8/5
    # t = 2: v = 9 + 10.125, a = 1.5 + 2.25, ṽ = 19.125 - 14.0625 = (9/4)²;  4.5 / (9/4 + 3/4) = 3/2
    assert walk(oracle, 0.0, 6.0, 4.5) == near([-1.6, -3.1])
    assert kept(oracle) == {"step": 2.0, "square_avg": 19.125, "grad_avg": 3.75}


def test_rmsprop_that_is_centered_has_a_momentum_too() -> None:
    oracle = RMSprop(lr=1.0, alpha=0.5, eps=0.75, centered=True, momentum=0.5)
    # b: 8/5, then 4/5 + 3/2
    assert walk(oracle, 0.0, 6.0, 4.5) == near([-1.6, -3.9])


@pytest.mark.parametrize("maximize, gradient", [(False, 2.0), (True, -2.0)], ids=str)
def test_rmsprop_adds_the_decay_to_the_gradient(maximize: bool, gradient: float) -> None:
    # g = 2 + 8/2 = 6;  8 - 3
    oracle = RMSprop(lr=2.0, alpha=0.75, eps=1.0, weight_decay=0.5, maximize=maximize)
    assert walk(oracle, 8.0, gradient) == [5.0]


# Rprop


def test_rprop_grows_while_the_sign_stays_and_shrinks_where_it_turns() -> None:
    oracle = Rprop(lr=0.5, etas=(0.25, 1.5))
    # η: 1/2, 3/4 as the sign stays, 3/16 without a move as it turns, and 3/16 from there on
    assert walk(oracle, 0.0, 3.0, 0.25, -8.0, -2.0) == [-0.5, -1.25, -1.25, -1.0625]
    assert kept(oracle) == {"step": 4.0, "prev": -2.0, "step_size": 0.1875}


def test_rprop_remembers_nothing_of_where_the_sign_turned() -> None:
    oracle = Rprop(lr=0.5, etas=(0.25, 1.5))
    walk(oracle, 0.0, 3.0, -8.0)
    assert kept(oracle) == {"step": 2.0, "prev": 0.0, "step_size": 0.125}


def test_rprop_grows_below_zero_as_well() -> None:
    assert walk(Rprop(lr=0.5, etas=(0.25, 1.5)), 0.0, -3.0, -0.25) == [0.5, 1.25]


def test_rprop_keeps_its_steps_within_bounds() -> None:
    oracle = Rprop(lr=0.5, etas=(0.25, 1.5), step_sizes=(0.375, 0.625))
    # η: 1/2, 5/8 instead of 3/4, 3/8 instead of 5/32
    assert walk(oracle, 0.0, 1.0, 1.0, -1.0, -1.0) == [-0.5, -1.125, -1.125, -0.75]


def test_rprop_leaves_an_entry_without_a_slope_alone() -> None:
    oracle = Rprop(lr=0.5)
    assert walk(oracle, 1.0, 1.0, 0.0, -1.0) == [0.5, 0.5, 1.0]
    assert kept(oracle)["step_size"] == 0.5


# ASGD


def test_asgd_shrinks_the_parameter_with_a_rate_that_decays() -> None:
    oracle = ASGD(lr=1.0, lambd=3.0, alpha=0.5)
    # η = 1: (1 - 3)·4 - 2 = -10.   η = 1/√(1 + 3) = 1/2: (1 - 3/2)·-10 + 6/2 = 8.
    assert walk(oracle, 4.0, 2.0, -6.0) == [-10.0, 8.0]
    # η = 1/√(1 + 3·2), and the average is the parameter until t₀
    assert kept(oracle) == near({"step": 2.0, "eta": 1 / sqrt(7), "mu": 1.0, "ax": 8.0})


def test_asgd_multiplies_its_rates_by_the_first() -> None:
    oracle = ASGD(lr=0.5, lambd=6.0, alpha=2.0)
    walk(oracle, 0.0, 1.0)
    # η = 0.5 / (1 + 6·0.5·1)²
    assert kept(oracle)["eta"] == 0.03125


def test_asgd_averages_from_its_second_step_behind_t0_on() -> None:
    oracle, averages = ASGD(lr=1.0, lambd=0.0, t0=1.0), []
    theta = [0.0]
    for _ in range(5):
        oracle.step([theta], [[-1.0]])
        averages.append(kept(oracle)["ax"])
    # θ: 1, 2 … 5.   a: of t = 4 on the mean of 3 and 4, and of 3, 4 and 5
    assert averages == near([1.0, 2.0, 3.0, 3.5, 4.0])
    assert kept(oracle)["mu"] == 0.25


@pytest.mark.parametrize("maximize, gradient", [(False, 1.0), (True, -1.0)], ids=str)
def test_asgd_adds_the_decay_to_the_gradient(maximize: bool, gradient: float) -> None:
    # g = 1 + 4/2 = 3;  (1 - 3)·4 - 3
    oracle = ASGD(lr=1.0, lambd=3.0, weight_decay=0.5, maximize=maximize)
    assert walk(oracle, 4.0, gradient) == [-11.0]


# NAdam


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
