"""Three weights in a chain, at a rate that is too large and at one that is not."""

from math import inf, nan

import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import LOOP, STEPS
from fixtures.catalogue.document_problems import ChainedWeights
from fixtures.claims import claim
from fixtures.oracles.sgd import SGD

ITERATIONS = 100
TOO_LARGE, SMALL_ENOUGH = 0.01, 1.5e-4


def trained(device, rate, iterations):
    """Return the losses before each step and the weights (n, 3) after it."""
    weights = ChainedWeights.start(device)
    optimizer = torch.optim.SGD(weights, lr=rate)
    losses, course = [], []
    for _ in range(iterations):
        loss = ChainedWeights.loss(weights)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        course.append(torch.cat(weights).detach())
    return losses, torch.stack(course)


def in_plain_python(rate, iterations):
    """Return the weights after each step without torch."""
    return torch.tensor(ChainedWeights.course(SGD(lr=rate), iterations))


def largest_curvature(w1, w2, w3):
    """Return the largest absolute row sum of the second derivatives, a bound of every eigenvalue."""
    first = (2 * w2 * w3, 2 * w1 * w3, 2 * w1 * w2)
    mixed = ((0, w3, w2), (w3, 0, w1), (w2, w1, 0))
    error = 2 * w1 * w2 * w3 - 1
    return max(
        sum(abs(2 * f_i * f_j + 2 * error * 2 * m) for f_j, m in zip(first, row, strict=True))
        for f_i, row in zip(first, mixed, strict=True)
    )


@claim("chain.diverges-at-the-printed-rate")
def test_the_first_step_overshoots(device):
    check.printed(
        seen=trained(device, TOO_LARGE, 1)[1],
        exact=ChainedWeights.course(SGD(lr=TOO_LARGE), 1),
        expected=["-92.2", "-67.4", "-52.12"],
        source="002-13",
        tolerance=STEPS,
    )


@claim("chain.diverges-at-the-printed-rate")
def test_two_steps_go_where_the_derivatives_lead(device):
    check.close(
        seen=trained(device, TOO_LARGE, 2)[1],
        expected=in_plain_python(TOO_LARGE, 2),
        source="the derivatives written out, in float64",
        tolerance=STEPS,
    )


@claim("chain.diverges-at-the-printed-rate")
def test_the_third_step_overflows_and_nothing_is_left_in_the_end(device):
    _, course = trained(device, TOO_LARGE, ITERATIONS)
    check.same(
        seen=[course[2], course[-1]],
        expected=[torch.tensor([-inf] * 3), torch.tensor([nan] * 3)],
        source="some -1e39 is beyond float32, and inf - inf is nan",
    )


@claim("chain.converges-at-a-small-rate")
def test_every_iteration_lowers_the_loss(device):
    losses, _ = trained(device, SMALL_ENOUGH, ITERATIONS)
    assert losses == sorted(set(losses), reverse=True), f"the loss rose: {losses}"


@claim("chain.converges-at-a-small-rate")
def test_a_hundred_iterations_lower_the_loss_to_less_than_a_millionth(device):
    losses, _ = trained(device, SMALL_ENOUGH, ITERATIONS)
    assert losses[0] == 14161 > 1e-6 > losses[-1], f"from {losses[0]} to {losses[-1]}"


@claim("chain.converges-at-a-small-rate")
def test_the_chain_goes_where_the_derivatives_lead(device, recorded):
    _, course = trained(device, SMALL_ENOUGH, ITERATIONS)
    check.close(
        seen=course,
        expected=in_plain_python(SMALL_ENOUGH, ITERATIONS),
        source="the derivatives written out, in float64",
        tolerance=LOOP,
    )
    recorded(course[9::10], tolerance=LOOP)


@claim("chain.converges-at-a-small-rate")
def test_the_curvature_bears_the_rate_all_the_way():
    start = largest_curvature(3.0, 4.0, 5.0)
    course = in_plain_python(SMALL_ENOUGH, ITERATIONS).tolist()
    later = max(largest_curvature(*theta) for theta in course)
    assert later < start == 11804 < 2 / SMALL_ENOUGH, f"{start} at the start, up to {later} later"
