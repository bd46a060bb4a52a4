"""L-BFGS in plain numbers: its directions and its limits, against moves worked out by hand.

The objective is mostly x²/2, whose slope is x.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fixtures.oracles.lbfgs import LBFGS

near = partial(pytest.approx, rel=1e-12, abs=0.0)

Objective = Callable[[list[float]], tuple[float, list[float]]]


def half_square(theta: list[float]) -> tuple[float, list[float]]:
    return theta[0] ** 2 / 2, [theta[0]]


def moved(
    oracle: LBFGS, *theta: float, objective: Objective = half_square
) -> tuple[list[float], float]:
    """Return the parameters after a step, and the loss that it returned."""
    found = list(theta)
    loss = oracle.step(found, objective)
    return found, loss


def test_the_first_move_is_at_most_the_rate_long() -> None:
    oracle = LBFGS(max_iter=1)
    # d = -4, t = 1/|4|: x = 4 - 1;  the loss is that of before
    assert moved(oracle, 4.0) == ([3.0], 8.0)
    assert oracle.state == {
        "func_evals": 1, "n_iter": 1, "d": [-4.0], "t": 0.25, "old_dirs": [], "old_stps": [],
        "ro": [], "H_diag": 1.0, "prev_flat_grad": [4.0], "prev_loss": 8.0,
    }  # fmt: skip


def test_the_first_move_follows_a_small_gradient_as_it_is() -> None:
    # d = -1/2, t = min(1, 2)/4
    assert moved(LBFGS(lr=0.25, max_iter=1), 0.5) == ([0.375], 0.125)


def test_the_first_rate_is_by_the_sum_of_the_sizes() -> None:
    def plane(_: list[float]) -> tuple[float, list[float]]:
        return 0.0, [-3.0, 1.0]

    # t = 2/|(-3, 1)|₁ = 1/2
    assert moved(LBFGS(lr=2.0, max_iter=1), 0.0, 0.0, objective=plane)[0] == [1.5, -0.5]


def test_the_second_move_goes_to_the_bottom_of_a_parabola() -> None:
    oracle = LBFGS(max_iter=2, max_eval=9)
    # s = -1, y = 3 - 4, rho = 1;  q = -3 + 3, r = 0 + 3·s;  t is the rate
    assert moved(oracle, 4.0) == ([0.0], 8.0)
    assert oracle.state == {
        "func_evals": 2, "n_iter": 2, "d": [-3.0], "t": 1.0, "old_dirs": [[-1.0]],
        "old_stps": [[-1.0]], "ro": [1.0], "H_diag": 1.0, "prev_flat_grad": [3.0], "prev_loss": 4.5,
    }  # fmt: skip


def test_a_step_goes_on_where_the_last_one_ended() -> None:
    oracle = LBFGS(max_iter=1)
    assert moved(oracle, 4.0)[0] == [3.0]
    # The pair is of the last step, and the rate is no first one.
    assert moved(oracle, 3.0)[0] == [0.0]
    assert (oracle.state["n_iter"], oracle.state["func_evals"]) == (2, 2)


def test_the_direction_of_one_pair() -> None:
    def ellipse(theta: list[float]) -> tuple[float, list[float]]:
        x, y = theta
        return x**2 / 2 + 2 * y**2, [x, 4 * y]

    oracle = LBFGS(lr=5.0, max_iter=2, max_eval=9)
    moved(oracle, 1.0, 1.0, objective=ellipse)
    # g = (1, 4), t = 5/5: θ = (0, -3), g = (0, -12);  s = (-1, -4), y = (-1, -16)
    # rho = 1/65, lr = 65/257;  alpha = rho s·(0, 12) = -48/65, q = (0, 12) - alpha·y = (-48, 12)/65
    # r = (-48, 12)/257, β = rho y·r = -144/(65·257), r + s(alpha - β) with alpha - β = -12192/16705
    assert oracle.state["d"] == near([9072 / 16705, 49548 / 16705])
    assert oracle.state["H_diag"] == near(65 / 257)
    assert (oracle.state["old_dirs"], oracle.state["old_stps"]) == ([[-1, -16]], [[-1, -4]])


def test_the_direction_of_two_pairs() -> None:
    oracle = LBFGS(lr=0.5, max_iter=1)
    oracle.state = {
        "func_evals": 9, "n_iter": 5, "d": [1.0, 1.0], "t": 1.0, "H_diag": 2.0, "ro": [1.0, 1.0],
        "old_dirs": [[1.0, 2.0], [1.0, 1.0]], "old_stps": [[1.0, 0.0], [0.0, 1.0]],
        "prev_flat_grad": [-3.0, -5.0], "prev_loss": 0.0,
    }  # fmt: skip
    found, _ = moved(oracle, 0.0, 0.0, objective=lambda _: (0.0, [-3.0, -5.0]))
    # y = 0 makes no pair.  alpha₂ = 5, q = (3, 5) - 5·(1, 1);  alpha₁ = -2, q = (-2, 0) + 2·(1, 2) = (0, 4)
    # r = (0, 8);  β₁ = 16, r = (0, 8) - 18·(1, 0);  β₂ = -10, r = (-18, 8) + 15·(0, 1)
    assert oracle.state["d"] == [-18.0, 23.0]
    assert found == [-9.0, 11.5]
    assert (oracle.state["H_diag"], len(oracle.state["ro"])) == (2.0, 2)


def table(theta: list[float]) -> tuple[float, list[float]]:
    """Return losses and slopes that no parabola has: 4, then 3, then 1."""
    loss, slope = {4.0: (8.0, 4.0), 3.0: (4.5, 3.0), 0.0: (2.0, 1.0)}[theta[0]]
    return loss, [slope]


@pytest.mark.parametrize(
    "history_size, old_dirs, old_stps, ro",
    [
        pytest.param(1, [[-2.0]], [[-3.0]], [1 / 6], id="one"),
        pytest.param(2, [[-1.0], [-2.0]], [[-1.0], [-3.0]], [1.0, 1 / 6], id="two"),
    ],
)
def test_the_last_pairs_are_kept(
    history_size: int, old_dirs: list[Any], old_stps: list[Any], ro: list[float]
) -> None:
    oracle = LBFGS(max_iter=3, max_eval=9, history_size=history_size)
    # s = 0 - 3, y = 1 - 3, rho = 1/6, lr = 6/4;  from 0 on by -s/y·1
    assert moved(oracle, 4.0, objective=table)[0] == near([-1.5])
    assert (oracle.state["old_dirs"], oracle.state["old_stps"]) == (old_dirs, old_stps)
    assert (oracle.state["ro"], oracle.state["H_diag"]) == (near(ro), 1.5)


def test_a_pair_along_which_the_slope_does_not_rise_is_left_out() -> None:
    oracle = LBFGS(max_iter=2, max_eval=9)
    # x: 4, 3;  g: 4, 6;  s = -1, y = 2, so that d = -6
    slopes = {4.0: 4.0, 3.0: 6.0}
    assert moved(oracle, 4.0, objective=lambda x: (-x[0], [slopes[x[0]]]))[0] == [-3.0]
    assert (oracle.state["ro"], oracle.state["H_diag"]) == ([], 1.0)


@pytest.mark.parametrize("rise, pairs", [(0.5e-10, 0), (1.5e-10, 1)], ids=["left out", "kept"])
def test_a_pair_is_kept_if_the_slope_rises_by_more_than_rounding(rise: float, pairs: int) -> None:
    oracle = LBFGS(max_iter=2, max_eval=9)
    slopes = {4.0: 4.0, 3.0: 4.0 - rise}
    moved(oracle, 4.0, objective=lambda x: (x[0], [slopes[x[0]]]))
    assert len(oracle.state["ro"]) == pairs


@pytest.mark.parametrize(
    "options, end, iterations, evaluations",
    [
        pytest.param({"tolerance_grad": 4.0}, 4.0, 0, 1, id="a small gradient at first"),
        pytest.param({"tolerance_grad": 3.0}, 3.0, 1, 2, id="a small gradient"),
        pytest.param({"tolerance_grad": 2.5}, 0.0, 2, 3, id="a gradient that is not small"),
        # Moves are 1 and 3 long; losses are 8, 4.5 and 0.
        pytest.param({"tolerance_change": 1.0}, 3.0, 1, 2, id="a short move"),
        pytest.param({"tolerance_change": 0.5}, 0.0, 2, 3, id="moves that are not short"),
        # The slope along d is -16, and -9.
        pytest.param({"tolerance_change": 16.5}, 4.0, 1, 1, id="a flat direction"),
        pytest.param({"tolerance_change": 16.0}, 3.0, 1, 2, id="a direction that is just not flat"),
        pytest.param({"max_eval": 2}, 3.0, 1, 2, id="few evaluations"),
        pytest.param({"max_eval": 3}, 0.0, 2, 3, id="some evaluations"),
        pytest.param({"max_eval": 1}, 3.0, 1, 2, id="one evaluation"),
        pytest.param({"max_iter": 1}, 3.0, 1, 1, id="one iteration"),
        pytest.param({}, 0.0, 2, 3, id="the bottom"),
    ],
)
def test_a_step_ends(
    options: dict[str, Any], end: float, iterations: int, evaluations: int
) -> None:
    oracle = LBFGS(**options)
    assert moved(oracle, 4.0) == ([end], 8.0)
    assert (oracle.state["n_iter"], oracle.state["func_evals"]) == (iterations, evaluations)


def test_a_step_ends_where_the_loss_hardly_changes() -> None:
    # The loss falls by 1/2 while the parameter moves by 1.
    def gentle(theta: list[float]) -> tuple[float, list[float]]:
        return theta[0] / 2, [4.0]

    assert moved(LBFGS(tolerance_change=0.75), 4.0, objective=gentle)[0] == [3.0]
    # Just so much is a change; the second move is by the rate.
    oracle = LBFGS(tolerance_change=0.5, max_iter=2, max_eval=9)
    assert moved(oracle, 4.0, objective=gentle)[0] == [-1.0]


def test_a_step_has_five_quarters_as_many_evaluations_as_iterations() -> None:
    oracle = LBFGS(lr=0.125, max_iter=4, line_search_fn="strong_wolfe")
    # The first search evaluates twice, the others once: after the third the five are used up.
    moved(oracle, 4.0)
    assert (oracle.state["func_evals"], oracle.state["n_iter"]) == (5, 3)


def test_to_maximize_is_to_minimize_the_negated_loss() -> None:
    oracle = LBFGS(max_iter=2, max_eval=9, maximize=True)

    def hill(theta: list[float]) -> tuple[float, list[float]]:
        return -(theta[0] ** 2) / 2, [-theta[0]]

    assert moved(oracle, 4.0, objective=hill) == ([0.0], -8.0)
    assert (oracle.state["prev_loss"], oracle.state["prev_flat_grad"]) == (4.5, [3.0])


# The line search, on the line x = 4 - 4t: the loss is 8(1 - t)², the slope -16(1 - t)


@pytest.mark.parametrize(
    "rate, end, t, evaluations",
    [
        # t = rate/4.  1/4: the slope -12 is flat enough, being no steeper than 0.9·16.
        pytest.param(1.0, 3.0, 0.25, 2, id="far enough at once"),
        # 1/32: -15.5 is too steep; ten times as far, -11.
        pytest.param(0.125, 2.75, 0.3125, 3, id="ten times as far"),
        # 4: the loss 72 is above 8; the parabola is lowest at 1.
        pytest.param(16.0, 0.0, 1.0, 3, id="back from a loss that rose"),
        # 63/32: the loss 7.5 is below 8, the slope 15.5 too steep.
        pytest.param(7.875, 0.0, 1.0, 3, id="back from a slope that rises"),
    ],
)
def test_a_line_search_ends_where_loss_and_slope_have_fallen(
    rate: float, end: float, t: float, evaluations: int
) -> None:
    oracle = LBFGS(lr=rate, max_iter=1, max_eval=9, line_search_fn="strong_wolfe")
    found, loss = moved(oracle, 4.0)
    assert found == pytest.approx([end], abs=1e-14)
    assert loss == 8.0
    assert (oracle.state["t"], oracle.state["func_evals"]) == (near(t), evaluations)


def test_an_iteration_begins_its_search_at_the_rate() -> None:
    oracle = LBFGS(max_iter=2, max_eval=9, line_search_fn="strong_wolfe")
    # x: 4, 3 by the first search;  d = -3, t = 1 at once
    assert moved(oracle, 4.0)[0] == [0.0]
    assert (oracle.state["t"], oracle.state["func_evals"], oracle.state["n_iter"]) == (1.0, 3, 2)


def test_a_search_that_may_evaluate_no_more_stays_at_the_better_end() -> None:
    # Of max_eval the step has used its one: the search evaluates at t = 4, and may not bracket.
    far = LBFGS(lr=16.0, max_eval=1, line_search_fn="strong_wolfe")
    assert moved(far, 4.0)[0] == [4.0]
    assert (far.state["t"], far.state["func_evals"]) == (0.0, 2)
    near_by = LBFGS(lr=0.125, max_eval=1, line_search_fn="strong_wolfe")
    assert moved(near_by, 4.0)[0] == [3.875]
