"""Descent on a quadratic loss: what the curvature makes of a rate, and who makes use of it."""

from math import hypot, sqrt

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import LOOP
from fixtures.catalogue import document_data
from fixtures.catalogue.document_problems import RAW_TEMPERATURES, TEMPERATURES
from fixtures.claims import claim

PROBLEMS = {"normalised": TEMPERATURES, "raw": RAW_TEMPERATURES}
each_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def eigenvectors(problem):
    """Return (λ, v) of the second derivatives 2·[[mean u², mean u], [mean u, 1]], the largest first."""
    n = len(document_data.T_UNKNOWN)
    mean = sum(document_data.T_UNKNOWN) * problem.scale / n
    square = sum((u * problem.scale) ** 2 for u in document_data.T_UNKNOWN) / n
    half, root = square + 1, sqrt((square - 1) ** 2 + 4 * mean**2)
    pairs = []
    for value in (half + root, half - root):
        x, y = value / 2 - 1, mean
        pairs.append((value, (x / hypot(x, y), y / hypot(x, y))))
    return pairs


def least_squares(problem):
    """Return the parameters of the smallest loss."""
    n = len(document_data.T_UNKNOWN)
    inputs = [u * problem.scale for u in document_data.T_UNKNOWN]
    mean_u, mean_c = sum(inputs) / n, sum(document_data.T_CELSIUS) / n
    covariance = sum(
        (u - mean_u) * (c - mean_c) for u, c in zip(inputs, document_data.T_CELSIUS, strict=True)
    )
    w = covariance / sum((u - mean_u) ** 2 for u in inputs)
    return w, mean_c - w * mean_u


def closed_form(problem, rate, steps):
    """Return θ* + Σ (1 - lr·λ)^k (v·(θ₀ - θ*)) v."""
    w, b = least_squares(problem)
    theta = [w, b]
    for value, (x, y) in eigenvectors(problem):
        left = (1 - rate * value) ** steps * (x * (1.0 - w) + y * (0.0 - b))
        theta = [theta[0] + left * x, theta[1] + left * y]
    return theta


def descent(problem, device, steps, lr):
    """Return the losses before each step of SGD, and the parameters at the end."""
    t_u, t_c = problem.samples(device)
    params, losses = problem.start(device), []
    optimizer = torch.optim.SGD([params], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = problem.mean_square(params, t_u, t_c)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu().tolist(), params.detach()


@claim("temperatures.sgd-contracts")
@pytest.mark.parametrize("steps", [1, 10, 300])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.03], ids="lr={}".format)
def test_sgd_is_where_the_closed_form_says(rate, steps, device):
    check.close(
        seen=descent(TEMPERATURES, device, steps, lr=rate)[1],
        expected=torch.tensor(closed_form(TEMPERATURES, rate, steps)),
        source="the closed form of gradient descent on a quadratic",
        tolerance=LOOP,
    )


@claim("temperatures.largest-rate")
@pytest.mark.parametrize(
    "of_the_limit, falls", [(0.95, True), (1.05, False)], ids=["below", "above"]
)
@each_problem
def test_a_rate_below_the_limit_lowers_the_loss_and_one_above_raises_it(
    problem, of_the_limit, falls, device
):
    (steepest, _), _ = eigenvectors(problem)
    losses, _ = descent(problem, device, 100, lr=of_the_limit * 2 / steepest)
    assert (losses[-1] < losses[0]) is falls, f"from {losses[0]} to {losses[-1]}"


@claim("temperatures.largest-rate")
def test_the_limits_are_a_hundred_apart():
    limits = [f"{2 / eigenvectors(problem)[0][0]:.2g}" for problem in PROBLEMS.values()]
    check.same(seen=limits, expected=["0.033", "0.00034"], source="the sentence of the claim")


@claim("temperatures.sgd-needs-normalised-input")
@pytest.mark.parametrize("rate", [0.01, 0.1], ids="lr={}".format)
def test_sgd_overflows_on_the_input_as_measured(rate, device):
    _, params = descent(RAW_TEMPERATURES, device, 100, lr=rate)
    assert not bool(params.isfinite().any()), params


@claim("temperatures.sgd-needs-normalised-input")
def test_sgd_lowers_the_loss_on_normalised_input(device):
    losses, _ = descent(TEMPERATURES, device, 100, lr=0.01)
    assert losses == sorted(losses, reverse=True), f"the loss rose: {losses}"
