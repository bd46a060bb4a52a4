"""When a learning rate that is written into a group takes effect."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# The rates of three steps, and where a weight of 1 with a gradient of 1 is after them.
RATES = (
    ((0.5, 0.25, 0.125), 0.125),
    ((0.5, 0.0, 0.25), 0.25),
    ((0.0, 2.0, 1.0), -2.0),
)


def set_rate(training, rate):
    for group in training.optimizer.param_groups:
        group["lr"] = rate


@claim("param-groups.rate-applies-to-next-step")
@optimizers.each(but="keeps_lr_in_state")
def test_a_rate_of_zero_stops_the_next_step(case, device):
    training = Training(case, device)
    training.run(1)
    before = training.values()
    set_rate(training, 0.0)
    training.run(1)
    check.same(seen=training.values(), expected=before, source="the parameters before the step")


@claim("param-groups.rate-applies-to-next-step")
@pytest.mark.parametrize("rates, expected", RATES, ids=["falling", "paused", "late"])
def test_each_step_of_sgd_has_the_rate_that_stands_in_the_group(rates, expected, device):
    weight = torch.ones(1, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    weight.grad = torch.ones(1, device=device)
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    check.same(
        seen=weight,
        expected=torch.tensor([expected], device=device),
        source="1 less the sum of the rates",
    )


@claim("param-groups.asgd-rate-applies-late")
@optimizers.each(only=("ASGD",), every_preset=True)
def test_asgd_takes_one_more_step_with_the_rate_it_had(case, device):
    changed, unchanged = Training(case, device), Training(case, device)
    unchanged.run(2)
    changed.run(1)
    set_rate(changed, 0.0)
    changed.run(1)
    a_step_later = changed.values()
    changed.run(1)
    check.same(
        seen=[a_step_later, changed.values()],
        expected=[unchanged.values(), unchanged.values()],
        source="two steps at the old rate, and no third",
    )


@claim("param-groups.rprop-rate-sets-first-move")
@optimizers.each(only=("Rprop",), every_preset=True)
def test_rprop_goes_on_as_if_the_rate_had_not_changed(case, device):
    changed, unchanged = Training(case, device), Training(case, device)
    unchanged.run(4)
    changed.run(1)
    set_rate(changed, 0.0)
    changed.run(3)
    check.same(
        seen=changed.values(), expected=unchanged.values(), source="four steps at the first rate"
    )


@claim("param-groups.rprop-rate-sets-first-move")
@pytest.mark.parametrize("rate", [0.01, 0.3], ids=["lr=0.01", "lr=0.3"])
def test_the_first_move_of_rprop_is_as_large_as_the_rate(rate, device):
    weight = torch.tensor([1.0, -2.0], device=device, requires_grad=True)
    optimizer = torch.optim.Rprop([weight], lr=rate)
    weight.grad = torch.tensor([5.0, -0.25], device=device)
    optimizer.step()
    check.close(
        seen=weight,
        expected=torch.tensor([1.0 - rate, -2.0 + rate], device=device),
        source="the rate against the sign of the gradient, whatever its size",
        tolerance=STEPS,
    )
