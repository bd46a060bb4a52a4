"""When zero_grad() is called: before, after, in between, never."""

import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import Bowl
from fixtures.claims import claim
from fixtures.runs.training import Training

ROUNDS = 4


def clearing_first(training):
    training.optimizer.zero_grad()
    training.backward()
    training.step()


def clearing_last(training):
    training.backward()
    training.step()
    training.optimizer.zero_grad()


@claim("zero-grad.before-backward-or-after-step")
@optimizers.each()
def test_both_places_give_the_same_trajectory(case, device):
    first, last = Training(case, device), Training(case, device)
    for _ in range(ROUNDS):
        clearing_first(first)
        clearing_last(last)
    check.same(seen=last.values(), expected=first.values(), source="clearing before backward")


@claim("zero-grad.forgotten-sums-the-gradients")
def test_the_bowl_without_clearing(device):
    w = Bowl.start(device)
    optimizer = torch.optim.SGD([w], lr=0.01)
    trajectory = []
    for _ in range(ROUNDS):
        Bowl.loss(w).backward()
        optimizer.step()
        trajectory.append(w.detach().clone())
    expected, (a, b), (total_a, total_b) = [], (0.5, 0.5), (0.0, 0.0)
    for _ in range(ROUNDS):
        total_a, total_b = total_a + 2 * a, total_b + 4 * b
        a, b = a - 0.01 * total_a, b - 0.01 * total_b
        expected.append(torch.tensor([a, b]))
    check.close(
        seen=trajectory, expected=expected, source="steps of summed gradients", tolerance=STEPS
    )


@claim("zero-grad.between-backward-and-step")
@optimizers.each()
def test_nothing_moves(case, device):
    training = Training(case, device)
    before = training.values()
    training.backward()
    training.optimizer.zero_grad()
    training.step()
    check.same(seen=training.values(), expected=before, source="the parameters before")
