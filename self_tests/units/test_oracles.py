"""The update rules in plain numbers, against steps that were worked out by hand.

A comment above a result says how it comes about. Rates, betas and gradients are chosen so that roots come
out even; what is no binary fraction is compared within a few roundings.
"""

from collections.abc import Callable
from dataclasses import fields
from math import sqrt
from typing import Any

import pytest

from fixtures.catalogue import published
from fixtures.oracles.adadelta import Adadelta
from fixtures.oracles.adafactor import Adafactor
from fixtures.oracles.adagrad import Adagrad
from fixtures.oracles.asgd import ASGD
from fixtures.oracles.lbfgs import LBFGS
from fixtures.oracles.muon import Muon
from fixtures.oracles.oracle import Oracle
from fixtures.oracles.rmsprop import RMSprop
from fixtures.oracles.rprop import Rprop
from fixtures.oracles.sgd import SGD
from self_tests.units.walks import ELEMENTWISE, kept, near, walk


def name_of(rule: type) -> str:
    return rule.__name__


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
