"""The steps that the documents print, of SGD and Adagrad."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue.document_problems import RAW_TEMPERATURES, TEMPERATURES, Bowl, leaf
from fixtures.claims import claim
from fixtures.oracles.adagrad import Adagrad
from fixtures.oracles.sgd import SGD

MOVING = {"lr": 0.01}
DECAYING = {"lr": 0.01, "weight_decay": 1.0}
WITH_MOMENTUM = {"lr": 0.01, "momentum": 0.1}


def stepped(parameter, loss, lr):
    optimizer = torch.optim.SGD([parameter], lr=lr)
    optimizer.zero_grad()
    loss(parameter).backward()
    optimizer.step()
    return parameter.detach()


def steps_over_one_gradient(device, steps, **options):
    """Return w after each step, the gradient staying (1, 2)."""
    w = Bowl.start(device)
    optimizer = torch.optim.SGD([w], **options)
    Bowl.loss(w).backward()
    return [(optimizer.step(), w.detach().clone())[1] for _ in range(steps)]


def fresh_steps(device, cls, steps, **options):
    """Return the gradient and w of each step, with zero_grad() and backward() before each."""
    w = Bowl.start(device)
    optimizer = cls([w], **options)
    trajectory = []
    for _ in range(steps):
        optimizer.zero_grad()
        Bowl.loss(w).backward()
        gradient = w.grad.clone()
        optimizer.step()
        trajectory.append({"gradient": gradient, "w": w.detach().clone()})
    return trajectory


def exact_step(problem, lr):
    """Return (w, b) after a step of SGD from (1, 0), on plain numbers."""
    return problem.course(SGD(lr=lr), 1)[0][2]


def exact_steps(oracle, steps, *, fresh):
    """Return [gradient, w] of each step on the bowl, on plain numbers.

    With ``fresh`` each step has the gradient at its own w, and otherwise that of the start.
    """
    w, course = [0.5, 0.5], []
    gradient = Bowl.by_hand(w)
    for _ in range(steps):
        gradient = Bowl.by_hand(w) if fresh else gradient
        oracle.step([w], [gradient])
        course.append([gradient, list(w)])
    return course


@claim("sgd.one-step-on-raw-temperatures")
def test_a_step_on_the_raw_temperatures(device):
    seen = stepped(RAW_TEMPERATURES.start(device), RAW_TEMPERATURES.loss, 1e-5)
    check.printed(
        seen=seen,
        exact=exact_step(RAW_TEMPERATURES, 1e-5),
        expected=["9.5483e-01", "-8.2600e-04"],
        source="001-9",
        tolerance=STEPS,
    )


@claim("sgd.one-step-on-normalised-temperatures")
def test_a_step_on_the_normalised_temperatures(device):
    seen = stepped(TEMPERATURES.start(device), TEMPERATURES.loss, 1e-2)
    check.printed(
        seen=seen,
        exact=exact_step(TEMPERATURES, 1e-2),
        expected=["1.7761", "0.1064"],
        source="001-10",
        tolerance=STEPS,
    )


@claim("sgd.rate-is-independent-of-the-gradient")
@pytest.mark.parametrize("lr", [0.01, 1.0, 8.0], ids="lr={}".format)
def test_a_step_of_grad_squared_is_not_a_step_of_sgd(lr, device):
    by_hand, parameter = leaf((0.5, 1.5), device), leaf((0.5, 1.5), device)
    (by_hand**3).sum().backward()
    (parameter**3).sum().backward()
    torch.optim.SGD([parameter], lr=lr).step()
    rate = by_hand.grad**2
    cubed = by_hand.detach() - rate * by_hand.grad
    # Of 3w², which is 0.75 and 6.75: no one rate is the square of both.
    expected = [0.5 - 0.75**3, 1.5 - 6.75**3], [0.5 - lr * 0.75, 1.5 - lr * 6.75]
    check.close(
        seen={"grad squared": cubed, "sgd": parameter},
        expected=dict(zip(("grad squared", "sgd"), map(tensor_of(device), expected), strict=True)),
        source="w - grad³, and w - lr·grad, in plain numbers",
        tolerance=STEPS,
    )


def tensor_of(device):
    return lambda values: torch.tensor(values, device=device)


@claim("sgd.steps-on-the-bowl")
def test_the_first_step_on_the_bowl(device, recorded):
    (first,) = fresh_steps(device, torch.optim.SGD, 1, **MOVING)
    check.printed(
        seen=[first["gradient"], first["w"]],
        exact=exact_steps(SGD(**MOVING), 1, fresh=True),
        expected=["1", "2", "0.4900", "0.4800"],
        source="003-2",
        tolerance=STEPS,
    )
    recorded(first)


@claim("sgd.repeats-step-without-new-backward")
def test_the_second_step_over_the_same_gradient(device):
    second = steps_over_one_gradient(device, 2, **MOVING)[1]
    check.printed(
        seen=second,
        exact=exact_steps(SGD(**MOVING), 2, fresh=False)[1][1],
        expected=["0.4800", "0.4600"],
        source="003-3",
        tolerance=STEPS,
    )


@claim("sgd.fresh-gradient-gives-a-fresh-step")
def test_the_second_step_over_a_fresh_gradient(device, recorded):
    trajectory = fresh_steps(device, torch.optim.SGD, 2, **MOVING)
    second = trajectory[1]
    check.printed(
        seen=[second["gradient"], second["w"]],
        exact=exact_steps(SGD(**MOVING), 2, fresh=True)[1],
        expected=["0.9800", "1.9200", "0.4802", "0.4608"],
        source="003-4",
        tolerance=STEPS,
    )
    recorded(trajectory)


@claim("sgd.weight-decay-adds-to-the-gradient")
def test_two_steps_with_decay(device, recorded):
    steps = steps_over_one_gradient(device, 2, **DECAYING)
    check.printed(
        seen=steps,
        exact=[w for _, w in exact_steps(SGD(**DECAYING), 2, fresh=False)],
        # The last is 0.45025 exactly, from which 0.4502 is as near as 0.4503.
        expected=["0.4850", "0.4750", "0.4702", "0.4502"],
        source="003-6",
        tolerance=STEPS,
    )
    recorded(steps)


@claim("sgd.momentum-starts-at-the-gradient")
def test_two_steps_with_momentum(device, recorded):
    steps = steps_over_one_gradient(device, 2, **WITH_MOMENTUM)
    check.printed(
        seen=steps,
        exact=[w for _, w in exact_steps(SGD(**WITH_MOMENTUM), 2, fresh=False)],
        expected=["0.4900", "0.4800", "0.4790", "0.4580"],
        source="003-7",
        tolerance=STEPS,
    )
    recorded(steps)


@claim("adagrad.rate-of-each-element")
def test_two_steps_of_adagrad(device, recorded):
    first, second = fresh_steps(device, torch.optim.Adagrad, 2, **MOVING)
    check.printed(
        seen=[first["gradient"], first["w"], second["gradient"], second["w"]],
        exact=exact_steps(Adagrad(**MOVING), 2, fresh=True),
        expected=["1", "2", "0.4900", "0.4900", "0.9800", "1.9600", "0.4830", "0.4830"],
        source="003-9",
        tolerance=STEPS,
    )
    recorded([first, second])


@claim("adagrad.zero-by-default")
def test_adagrad_left_alone_is_adagrad_of_zeros(device):
    zeros = {"lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0}
    check.same(
        seen=fresh_steps(device, torch.optim.Adagrad, 3, **MOVING),
        expected=fresh_steps(device, torch.optim.Adagrad, 3, **MOVING, **zeros),
        source="the same loop with the three options set to 0",
    )
