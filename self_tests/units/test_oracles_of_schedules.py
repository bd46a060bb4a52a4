"""Schedules, compositions and the plateau rule in plain numbers, against rates worked out by hand."""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Any

import pytest

from fixtures.oracles import compositions, schedules
from fixtures.oracles.plateau import plateau

near = partial(pytest.approx, rel=1e-14, abs=1e-15)

CYCLE: dict[str, Any] = {"step_size_up": 2, "step_size_down": 4}
RATES: dict[str, Any] = {"base_lr": 1.0, "max_lr": 5.0, **CYCLE}
MOMENTA: dict[str, Any] = {"base_momentum": 1.0, "max_momentum": 5.0, **CYCLE}
# Up from 8/4 = 2 in 0.5·10 - 1 = 4 steps, and down to 2/2 = 1 at the last, which is the ninth.
ONE: dict[str, Any] = {
    "max_lr": 8.0, "total_steps": 10, "pct_start": 0.5, "div_factor": 4.0, "final_div_factor": 2.0,
}  # fmt: skip
ONE_M: dict[str, Any] = {
    "total_steps": 10, "pct_start": 0.5, "base_momentum": 1.0, "max_momentum": 5.0,
}  # fmt: skip
LINE, THREE = {"anneal_strategy": "linear"}, {"three_phase": True}


def plus_one(t: float) -> float:
    return t + 1


@pytest.mark.parametrize(
    "schedule, arguments, options, rates",
    [
        pytest.param(schedules.lambda_lr, (2.0, plus_one), {}, {0: 2, 3: 8}, id="lambda"),
        # 2·(2·3·4)
        pytest.param(schedules.multiplicative, (2.0, plus_one), {}, {0: 2, 1: 4, 3: 48},
                     id="multiplicative"),
        pytest.param(schedules.step, (8.0,), {"step_size": 3, "gamma": 0.5},
                     {0: 8, 2: 8, 3: 4, 5: 4, 6: 2}, id="step"),
        pytest.param(schedules.step, (8.0, 3), {}, {3: 0.8}, id="step by default"),
        pytest.param(schedules.multi_step, (8.0,), {"milestones": [2, 5, 2], "gamma": 0.5},
                     {0: 8, 1: 8, 2: 2, 4: 2, 5: 1, 9: 1}, id="multi-step"),
        pytest.param(schedules.multi_step, (8.0, [1]), {}, {1: 0.8}, id="multi-step by default"),
        pytest.param(schedules.constant, (8.0,), {"factor": 0.25, "total_iters": 2},
                     {0: 2, 1: 2, 2: 8, 9: 8}, id="constant"),
        pytest.param(schedules.constant, (9.0,), {}, {4: 3, 5: 9}, id="constant by default"),
        # 8·(3/4 - t/4·1/2)
        pytest.param(schedules.linear, (8.0,),
                     {"start_factor": 0.75, "end_factor": 0.25, "total_iters": 4},
                     {0: 6, 1: 5, 4: 2, 9: 2}, id="linear"),
        pytest.param(schedules.linear, (15.0,), {}, {0: 5, 1: 7, 5: 15, 6: 15},
                     id="linear by default"),
        pytest.param(schedules.exponential, (8.0, 0.5), {}, {0: 8, 1: 4, 3: 1}, id="exponential"),
        # 16·(1 - t/4)²
        pytest.param(schedules.polynomial, (16.0,), {"total_iters": 4, "power": 2.0},
                     {0: 16, 1: 9, 2: 4, 4: 0, 6: 0}, id="polynomial"),
        pytest.param(schedules.polynomial, (10.0,), {}, {1: 8, 5: 0}, id="polynomial by default"),
        # 1 + 4·(1 + cos(πt/4))/2; cos(π/4) = √2/2
        pytest.param(schedules.cosine, (5.0,), {"T_max": 4, "eta_min": 1.0},
                     {0: 5, 1: 3 + sqrt(2), 2: 3, 4: 1, 6: 3, 8: 5}, id="cosine"),
        pytest.param(schedules.cosine, (5.0, 4), {}, {2: 2.5, 4: 0}, id="cosine by default"),
        pytest.param(schedules.warm_restarts, (5.0,), {"T_0": 2, "T_mult": 2, "eta_min": 1.0},
                     {0: 5, 1: 3, 2: 5, 4: 3, 6: 5, 10: 3, 14: 5}, id="warm restarts"),
        pytest.param(schedules.warm_restarts, (5.0, 2), {}, {0: 5, 1: 2.5, 2: 5, 3: 2.5, 4: 5},
                     id="warm restarts by default"),
        pytest.param(schedules.cyclic, (0.0,), RATES, {0: 1, 1: 3, 2: 5, 3: 4, 4: 3, 6: 1, 8: 5},
                     id="cyclic"),
        pytest.param(schedules.cyclic, (0.0,), {**RATES, "step_size_down": None},
                     {2: 5, 3: 3, 4: 1, 5: 3}, id="cyclic, as long down as up"),
        # The second cycle is half as high, the third a quarter.
        pytest.param(schedules.cyclic, (0.0,), {**RATES, "mode": "triangular2"},
                     {2: 5, 8: 3, 14: 2}, id="cyclic, by halves"),
        # 1 + 4·1/2·1/2; 1 + 4·1/4; 1 + 4·1/2⁸
        pytest.param(schedules.cyclic, (0.0,), {**RATES, "mode": "exp_range", "gamma": 0.5},
                     {1: 2, 2: 2, 8: 1 + 1 / 64}, id="cyclic, by powers"),
        pytest.param(schedules.cyclic, (0.0,), {**RATES, "mode": "exp_range"}, {2: 5, 8: 5},
                     id="cyclic, by powers of one"),
        pytest.param(schedules.cyclic, (0.0,), {**RATES, "scale_fn": lambda x: 1 / x},
                     {2: 5, 8: 3}, id="cyclic, by a function of the cycle"),
        pytest.param(schedules.cyclic, (0.0,),
                     {**RATES, "scale_fn": lambda x: x, "scale_mode": "iterations"},
                     {1: 3, 2: 9, 8: 33}, id="cyclic, by a function of the step"),
        pytest.param(schedules.cyclic, (0.0, 1.0, 5.0), {}, {1000: 3, 2000: 5, 3000: 3, 4000: 1},
                     id="cyclic by default"),
        pytest.param(schedules.cyclic_momentum, (), MOMENTA,
                     {0: 5, 1: 3, 2: 1, 3: 2, 4: 3, 6: 5}, id="cyclic momentum"),
        pytest.param(schedules.cyclic_momentum, (), {**MOMENTA, "mode": "triangular2"},
                     {2: 1, 8: 3}, id="cyclic momentum, by halves"),
        pytest.param(schedules.cyclic_momentum, (), {**MOMENTA, "mode": "exp_range", "gamma": 0.5},
                     {1: 4, 2: 4}, id="cyclic momentum, by powers"),
        pytest.param(schedules.cyclic_momentum, (), {**MOMENTA, "mode": "exp_range"}, {2: 1, 8: 1},
                     id="cyclic momentum, by powers of one"),
        pytest.param(schedules.cyclic_momentum, (), {**MOMENTA, "scale_fn": lambda x: 1 / x},
                     {2: 1, 8: 3}, id="cyclic momentum, by a function of the cycle"),
        pytest.param(schedules.cyclic_momentum, (),
                     {**MOMENTA, "step_size_down": None, "scale_fn": lambda x: x,
                      "scale_mode": "iterations"}, {1: 3, 3: -1},
                     id="cyclic momentum, by a function of the step"),
        pytest.param(schedules.cyclic_momentum, (), {}, {0: 0.9, 1000: 0.85, 2000: 0.8},
                     id="cyclic momentum by default"),
        # 8 + (2 - 8)·(1 + cos(π/4))/2 at a quarter
        pytest.param(schedules.one_cycle, (0.0,), ONE,
                     {0: 2, 1: 5 - 1.5 * sqrt(2), 2: 5, 4: 8, 9: 1}, id="one cycle"),
        pytest.param(schedules.one_cycle, (0.0,), {**ONE, **LINE}, {0: 2, 1: 3.5, 5: 6.6, 9: 1},
                     id="one cycle in lines"),
        pytest.param(schedules.one_cycle, (0.0,), {**ONE, **THREE},
                     {0: 2, 2: 5, 4: 8, 6: 5, 8: 2, 9: 1}, id="one cycle in three phases"),
        pytest.param(schedules.one_cycle, (0.0,),
                     {**ONE, "total_steps": None, "epochs": 2, "steps_per_epoch": 5},
                     {0: 2, 4: 8, 9: 1}, id="one cycle of epochs"),
        # 0.3·10 - 1 = 2 steps up
        pytest.param(schedules.one_cycle, (0.0, 5.0, 10), {},
                     {0: 0.2, 1: 2.6, 2: 5, 9: 0.00002}, id="one cycle by default"),
        pytest.param(schedules.one_cycle_momentum, (), ONE_M,
                     {0: 5, 1: 3 + sqrt(2), 2: 3, 4: 1, 9: 5}, id="one cycle of momentum"),
        pytest.param(schedules.one_cycle_momentum, (), {**ONE_M, **LINE}, {1: 4, 4: 1, 5: 1.8, 9: 5},
                     id="one cycle of momentum in lines"),
        pytest.param(schedules.one_cycle_momentum, (), {**ONE_M, **THREE},
                     {4: 1, 6: 3, 8: 5, 9: 5}, id="one cycle of momentum in three phases"),
        pytest.param(schedules.one_cycle_momentum, (),
                     {**ONE_M, "total_steps": None, "epochs": 5, "steps_per_epoch": 2},
                     {4: 1, 9: 5}, id="one cycle of momentum of epochs"),
        pytest.param(schedules.one_cycle_momentum, (10,), {}, {0: 0.95, 1: 0.9, 2: 0.85, 9: 0.95},
                     id="one cycle of momentum by default"),
        # 9 - 8·(1 - cos(πt/4))/2
        pytest.param(schedules.swa, (9.0, 1.0), {"anneal_epochs": 4},
                     {0: 9, 1: 5 + 2 * sqrt(2), 2: 5, 4: 1, 9: 1}, id="swa"),
        pytest.param(schedules.swa, (9.0, 1.0), {"anneal_epochs": 4, **LINE}, {1: 7, 2: 5, 4: 1},
                     id="swa in a line"),
        pytest.param(schedules.swa, (9.0, 1.0), {"anneal_epochs": 0}, {0: 1}, id="swa at once"),
        pytest.param(schedules.swa, (9.0, 1.0), {}, {5: 5, 10: 1}, id="swa by default"),
    ],
)  # fmt: skip
def test_the_rates_of_a_schedule(
    schedule: Callable[..., float],
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    rates: dict[int, float],
) -> None:
    assert {t: schedule(t, *arguments, **options) for t in rates} == near(rates)


@pytest.mark.parametrize(
    "t, number, since",
    [(0, 0, 0), (1, 0, 0), (2, 1, 2), (4, 1, 2), (5, 2, 5), (9, 2, 5)],
    ids=str,
)
def test_a_sequence_goes_on_with_the_next_schedule_at_each_milestone(
    t: int, number: int, since: int
) -> None:
    forms = [lambda t: 10.0 + t, lambda t: 20.0 + t, lambda t: 30.0 + t]
    assert compositions.part_in_force(t, [2, 5]) == (number, since)
    assert compositions.sequence(t, forms, [2, 5]) == 10 * (number + 1) + t - since


@pytest.mark.parametrize("t, rate", [(0, 2.0), (1, 6.0), (2, 16.0)], ids=str)
def test_a_chain_makes_every_move_at_every_step(t: int, rate: float) -> None:
    # (1 + 0)·2, (2 + 1)·2, (6 + 2)·2
    moves = [lambda t, rate: rate + t, lambda _, rate: rate * 2]
    assert compositions.chain(t, 1.0, moves) == rate


@pytest.mark.parametrize("t, rate", [(0, 4.0), (1, 4.0), (2, 0.0), (3, 8.0)], ids=str)
def test_a_factor_multiplies_by_what_it_changes_by(t: int, rate: float) -> None:
    # 8·1/2; 8·(1/4)/(1/2); 8·0; and behind zero the rate is left alone
    factors = [0.5, 0.25, 0.0, 3.0]
    assert compositions.multiplied(t, 8.0, lambda at: factors[at]) == rate


@pytest.mark.parametrize(
    "t, before, rate",
    [
        pytest.param(0, 5.0, 5.0, id="at first"),
        # 1 + 4·(1 + cos(π/2)) / (1 + cos 0)
        pytest.param(1, 5.0, 3.0, id="down"),
        pytest.param(2, 3.0, 1.0, id="to the bottom"),
        # 1 + (9 - 1)·(1 - cos(π/2))/2
        pytest.param(3, 1.0, 5.0, id="the first rise, from the initial rate"),
        # 1 + 4·(1 + cos 2π) / (1 + cos(3π/2))
        pytest.param(4, 5.0, 9.0, id="up"),
        pytest.param(5, 9.0, 5.0, id="down again"),
        pytest.param(7, 2.0, 6.0, id="the second rise"),
    ],
)
def test_a_cosine_goes_on_from_the_rate_before(t: int, before: float, rate: float) -> None:
    found = compositions.annealed(t, before, initial=9.0, T_max=2, eta_min=1.0)
    assert found == pytest.approx(rate, rel=1e-14, abs=1e-14)


def test_a_cosine_of_three_steps_rises_by_a_quarter_of_the_way_first() -> None:
    # 1 + (9 - 1)·(1 - cos(π/3))/2
    assert compositions.annealed(4, 1.0, 9.0, T_max=3, eta_min=1.0) == near(3.0)


def test_a_cosine_ends_at_zero_by_default() -> None:
    assert compositions.annealed(1, 5.0, 9.0, 2) == near(2.5)


PLATEAU: dict[str, Any] = {
    "rate": 8.0, "mode": "min", "factor": 0.5, "patience": 0, "threshold": 0.0,
    "threshold_mode": "abs", "cooldown": 0, "min_lr": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "change, metrics, rates",
    [
        pytest.param({}, [4, 3, 2], [8, 8, 8], id="each is better"),
        pytest.param({}, [4, 4, 5, 3], [8, 4, 2, 2], id="the same is not better"),
        pytest.param({}, [4, 2, 3], [8, 8, 4], id="the best so far counts"),
        pytest.param({"patience": 1}, [4, 4, 4, 4, 4], [8, 8, 4, 4, 2], id="more than its patience"),
        pytest.param({"patience": 1}, [4, 5, 3, 5, 2], [8, 8, 8, 8, 8], id="not in a row"),
        # Below 8·(1 - 1/4) = 6
        pytest.param({"threshold": 0.25, "threshold_mode": "rel"}, [8, 6, 5.5], [8, 4, 4],
                     id="lower by a part"),
        # Below 8 - 1 = 7
        pytest.param({"threshold": 1.0}, [8, 7, 6.5], [8, 4, 4], id="lower by a number"),
        # Above 8·(1 + 1/4) = 10
        pytest.param({"mode": "max", "threshold": 0.25, "threshold_mode": "rel"}, [8, 10, 10.5],
                     [8, 4, 4], id="higher by a part"),
        # Above 8 + 1 = 9
        pytest.param({"mode": "max", "threshold": 1.0}, [8, 9, 9.5], [8, 4, 4],
                     id="higher by a number"),
        pytest.param({"cooldown": 2}, [4, 4, 4, 4, 4, 4], [8, 4, 4, 4, 2, 2], id="two that rest"),
        pytest.param({"cooldown": 1, "patience": 1}, [4] * 7, [8, 8, 4, 4, 4, 2, 2],
                     id="patience begins behind the rest"),
        # The best is 2 from the one that rests on; 3 is not better.
        pytest.param({"cooldown": 1}, [4, 4, 2, 3], [8, 4, 4, 2], id="a best one that rests"),
        pytest.param({"factor": 0.25, "min_lr": 4.0}, [4, 4, 4], [8, 4, 4], id="not below the least"),
        pytest.param({"eps": 4.0}, [4, 4], [8, 8], id="a change of eps"),
        pytest.param({"eps": 3.9}, [4, 4], [8, 4], id="a change of more"),
        # Changes of 1.5e-8 and 0.75e-8
        pytest.param({"rate": 3e-8}, [4, 4, 4], [3e-8, 1.5e-8, 1.5e-8], id="eps by default"),
        pytest.param({"eps": 4.0, "cooldown": 1}, [4, 4, 4, 4], [8, 8, 8, 8],
                     id="a change too small, and a rest"),
        pytest.param({}, [], [], id="no metrics"),
    ],
)  # fmt: skip
def test_a_plateau_reduces_the_rate(
    change: dict[str, Any], metrics: list[float], rates: list[float]
) -> None:
    assert plateau(metrics, **{**PLATEAU, **change}) == near(rates)
