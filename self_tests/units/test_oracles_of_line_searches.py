"""The line search of L-BFGS in plain numbers, against moves worked out by hand.

A line is mostly a script: losses and slopes in the order of the evaluations, so that what a search does with
them is seen in where it evaluates next.
"""

from functools import partial

import pytest

from fixtures.oracles.lbfgs import Line, Point, lower, lowest_of_cubic

near = partial(pytest.approx, rel=1e-12, abs=0.0)


class Script:
    """A line from 0 on, whose losses and slopes are given in the order of the evaluations."""

    def __init__(self, *points: tuple[float, float]):
        self._points = iter(points)
        self.visited: list[float] = []

    def __call__(self, theta: list[float]) -> tuple[float, list[float]]:
        """Return the next loss and slope, wherever that is."""
        self.visited.append(theta[0])
        loss, slope = next(self._points)
        return loss, [slope]


def searched(
    script: Script, slope: float = -1.0, most: int = 25, tolerance_change: float = 1e-9
) -> Point:
    """Return what a search finds that begins at t = 1, from a loss of 0 at 0 on."""
    line = Line(script, [0.0], [1.0], tolerance_change)
    found = line.search(Point(0.0, 0.0, [slope], slope), 1.0, most)
    assert line.evaluations == len(script.visited)
    return found


GOOD = (-1000.0, 0.0)


def test_the_first_point_that_satisfies_both_conditions_is_found() -> None:
    # The loss has to fall by 10⁻⁴·4, and the slope to be 0.9·4 at most.
    script = Script((-4e-4, 3.6))
    assert searched(script, slope=-4.0) == Point(1.0, -4e-4, [3.6], 3.6)


@pytest.mark.parametrize(
    "point",
    [(-3.9e-4, 0.0), (-1.0, 3.7)],
    ids=["a loss that has not fallen enough", "a slope that is too steep"],
)
def test_a_point_just_beyond_a_condition_is_not_found(point: tuple[float, float]) -> None:
    script = Script(point, GOOD)
    assert 0 < searched(script, slope=-4.0).t < 1


def test_a_gentle_slope_that_rises_too_steeply_is_bracketed() -> None:
    assert 0 < searched(Script((-1.0, 0.95), GOOD)).t < 1


def test_the_loss_has_to_fall_the_further_the_longer_the_way() -> None:
    # Straight down, and at 10 by less than 10·10⁻⁴·4.
    script = Script((-4.0, -4.0), (-3.9e-3, 0.0), GOOD)
    assert 1 < searched(script, slope=-4.0).t < 10


@pytest.mark.parametrize(
    "point, onward",
    [
        # The slope stays -1: there is no lowest point on the way.
        pytest.param((-1.0, -1.0), 10.0, id="ten times as far at most"),
        # Slopes -(t + 1)(t + 2)/2: lowest at -2.
        pytest.param((-23 / 12, -3.0), 1.01, id="a hundredth further at least"),
        # Slopes -1 + 2t - 3t²: nowhere lowest.
        pytest.param((-1.0, -2.0), (1.01 + 10) / 2, id="half way between"),
        # Slopes (5t²/12 - 17t/12 - 1): lowest at 4.
        pytest.param((-113 / 72, -2.0), 4.0, id="the lowest point of the cubic"),
    ],
)
def test_a_search_goes_on_while_the_loss_falls_steeply(
    point: tuple[float, float], onward: float
) -> None:
    script = Script(point, GOOD)
    assert searched(script).t == script.visited[1]
    assert script.visited == [1.0, near(onward)]


@pytest.mark.parametrize(
    "point, onward",
    [
        pytest.param((-10.0, -1.0), 100.0, id="ten times as far at most"),
        # As above, from 1 on and nine times as far: 10 and a hundredth of 9.
        pytest.param((-18.25, -3.0), 10.09, id="a hundredth further at least"),
    ],
)
def test_each_round_goes_on_from_the_last_two_points(
    point: tuple[float, float], onward: float
) -> None:
    script = Script((-1.0, -1.0), point, GOOD)
    searched(script)
    assert script.visited == [1.0, 10.0, near(onward)]


def test_from_the_third_point_on_a_loss_that_does_not_fall_is_bracketed() -> None:
    script = Script((-1.0, -1.0), (-10.0, -1.0), (-10.0, -1.0), GOOD)
    found = searched(script)
    assert script.visited[:3] == [1.0, 10.0, 100.0]
    assert 10 < found.t < 100


def test_before_that_it_is_not() -> None:
    script = Script((-1.0, -1.0), (-0.5, -1.0), GOOD)
    assert searched(script).t > 10


def test_of_a_search_that_is_out_of_evaluations_the_lower_end_is_found() -> None:
    falling = Script((-1.0, -1.0), (-10.0, -1.0))
    assert searched(falling, most=1).t == 10.0
    rising = Script((1.0, 1.0))
    assert searched(rising, most=0).t == 0.0


def test_a_bracket_narrows_to_the_side_on_which_the_slope_points() -> None:
    # Between 0 and 1 a point is lower than both, and too steep: its slope falls towards 0, or towards 1.
    to_the_left = Script((4.0, 3.0), (-1.0, 0.95), GOOD)
    assert 0 < searched(to_the_left).t < to_the_left.visited[1]
    to_the_right = Script((4.0, 3.0), (-1.0, -2.0), GOOD)
    assert 1 > searched(to_the_right).t > to_the_right.visited[1]


@pytest.mark.parametrize("slope, left, right", [(2.0, 0, 2), (-2.0, 2, 1)], ids=["left", "right"])
def test_a_bracket_whose_lower_end_is_the_far_one_narrows_alike(
    slope: float, left: int, right: int
) -> None:
    # Between 1 and 10, where the slope is too steep, a point is lower than both.
    script = Script((-8.0, -15.0), (-71.0, 1.0), (-80.0, slope), GOOD)
    found = searched(script)
    assert script.visited[left] < found.t < script.visited[right]


def test_a_bracket_narrows_to_the_lower_of_its_ends() -> None:
    # The new point is higher than the end at 0.
    script = Script((4.0, 3.0), (3.0, -2.0), GOOD)
    assert 0 < searched(script).t < script.visited[1] < 1


def test_a_bracket_narrows_to_an_end_that_is_as_low_as_the_new_point() -> None:
    # The second point in it is as low as the first, which is the lower end, though its slope is 0.
    script = Script((4.0, 3.0), (-1.0, -2.0), (-1.0, 0.0), GOOD)
    found = searched(script)
    assert script.visited[1] < found.t < script.visited[2]


def test_a_point_of_a_bracket_that_has_not_fallen_enough_is_not_found() -> None:
    # It is lower than both ends, but by less than a ten-thousandth of the way.
    script = Script((4.0, 3.0), (-1e-6, 0.0), GOOD)
    assert searched(script).t == script.visited[2]
    # It is the better of the ends, where the search may not go on.
    short = Script((4.0, 3.0), (-1e-6, 0.0))
    assert searched(short, most=1).t == short.visited[1]


# A parabola with the slopes -1 and 15 at the ends of an interval rises by 7 of its lengths, and is lowest at
# a sixteenth of it.


def test_a_second_trial_close_to_an_end_is_moved_away_from_it() -> None:
    script = Script((7.0, 15.0), (7 / 16, 15.0), GOOD)
    searched(script)
    # A sixteenth of 1; of that not a sixteenth again, but a tenth.
    assert script.visited == [1.0, near(1 / 16), near(0.1 / 16)]


def test_a_third_trial_may_be_close_again() -> None:
    script = Script((7.0, 15.0), (7 / 16, 15.0), (7 * 0.1 / 16, 15.0), GOOD)
    searched(script)
    assert script.visited[3] == near(0.1 / 16 / 16)


def test_a_trial_that_is_not_close_leaves_the_next_one_where_it_is() -> None:
    # Slopes -1 and 3: lowest at a quarter; then at a sixteenth of that.
    script = Script((1.0, 3.0), (1.75, 15.0), GOOD)
    searched(script)
    assert script.visited == [1.0, near(0.25), near(0.25 / 16)]


def test_closeness_is_seen_from_the_end_wherever_that_lies() -> None:
    # The bracket is from 1 to 10, and then from 1 to 25/16.
    script = Script((-1.0, -1.0), (62.0, 15.0), (-1 + 7 * 9 / 16, 15.0), GOOD)
    searched(script)
    assert script.visited == [1.0, 10.0, near(1 + 9 / 16), near(1 + 0.1 * 9 / 16)]


def test_a_second_trial_close_to_the_far_end_is_moved_away_from_that() -> None:
    # Straight down to -8 with slopes -1 and -15, so that the search goes to 10; there the slope is 1, and
    # the loss 63 lower.  Between 1 and 10 the parabola is lowest at 15/16 of the way.
    script = Script((-8.0, -15.0), (-71.0, 1.0), (-71 + 7 * 9 / 16, -15.0), GOOD)
    searched(script)
    assert script.visited == [1.0, 10.0, near(1 + 9 * 15 / 16), near(10 - 0.1 * 9 / 16)]


def test_a_bracket_that_is_short_is_not_searched() -> None:
    script = Script((4.0, 3.0))
    assert searched(script, tolerance_change=1.5).t == 0.0
    as_long = Script((4.0, 3.0), GOOD)
    assert searched(as_long, tolerance_change=1.0).t == as_long.visited[1]


def test_a_bracket_is_as_long_as_its_ends_are_apart() -> None:
    # From 1 to 10
    script = Script((-1.0, -1.0), (100.0, 1.0))
    assert searched(script, tolerance_change=10.0).t == 1.0


def test_a_bracket_is_as_long_as_the_way_of_the_parameter_that_moves_most() -> None:
    def line(d: list[float]) -> Line:
        return Line(lambda _: (4.0, [3.0, 0.0]), [0.0, 0.0], d, tolerance_change=2.5)

    # Lengths of 2 and 3; of the second one trial leaves less than 5/6.
    start = Point(0.0, 0.0, [-1.0, 0.0], -1.0)
    short, long = line([1.0, -2.0]), line([1.0, -3.0])
    assert short.search(start, 1.0, 9).t == long.search(start, 1.0, 9).t == 0.0
    assert (short.evaluations, long.evaluations) == (1, 2)


def test_of_a_bracket_that_is_out_of_evaluations_the_lower_end_is_found() -> None:
    script = Script((4.0, 3.0), (-1.0, 2.0), (-2.0, 2.0))
    assert searched(script, most=2).t == script.visited[2]
    assert len(script.visited) == 3


@pytest.mark.parametrize(
    "point", [(100.0, 1.0), (-10.0, 1.0)], ids=["a loss that rose", "a slope that rises"]
)
def test_evaluations_before_a_bracket_count(point: tuple[float, float]) -> None:
    # Of two, one was used to go on: one is left for the bracket.
    script = Script((-1.0, -1.0), point, (50.0, 1.0))
    searched(script, most=2)
    assert len(script.visited) == 3


@pytest.mark.parametrize(
    "first, second, index", [(1.0, 2.0, 0), (2.0, 1.0, 1), (1.0, 1.0, 0)], ids=str
)
def test_of_two_points_with_the_same_loss_the_first_is_lower(
    first: float, second: float, index: int
) -> None:
    points = [Point(t, loss, [], 0.0) for t, loss in ((0.0, first), (1.0, second))]
    assert lower(points) == index


def at(t: float, loss: float, slope: float) -> Point:
    return Point(t, loss, [], slope)


@pytest.mark.parametrize(
    "one, other, bounds, lowest",
    [
        # t³ - 3t: slopes -3 and 9
        pytest.param(at(0, 0, -3), at(2, 2, 9), (0, 2), 1, id="a cubic"),
        pytest.param(at(2, 2, 9), at(0, 0, -3), (0, 2), 1, id="from the other end"),
        pytest.param(at(0, 8, -16), at(4, 72, 48), (0, 4), 1, id="a parabola"),
        pytest.param(at(0, 8, -16), at(4, 72, 48), (0, 0.5), 0.5, id="beyond the upper bound"),
        pytest.param(at(0, 8, -16), at(4, 72, 48), (1.5, 4), 1.5, id="beyond the lower bound"),
        # Slopes 1 - 3t + 3t², which are 1/4 at least
        pytest.param(at(0, 0, 1), at(1, 0.5, 1), (2, 5), 3.5, id="no lowest point"),
        pytest.param(at(0, 1, -1), at(1, 0, -1), (1.01, 10), 10, id="a line that falls"),
        pytest.param(at(0, 0, 0.25), at(1, 0.25, 0.25), (1.01, 10), 1.01, id="a line that rises"),
        # 2t + t² - 4t³: slopes 2 + 2t - 12t², zero at -1/3 and 1/2, and rising at -1/3
        pytest.param(at(0, 0, 2), at(1, -1, -8), (-1, 1), -1 / 3, id="where the formula is 0/0"),
    ],
)
def test_the_lowest_point_of_a_cubic(
    one: Point, other: Point, bounds: tuple[float, float], lowest: float
) -> None:
    assert lowest_of_cubic(one, other, bounds) == near(lowest)
