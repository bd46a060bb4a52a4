"""What schedulers offer besides their steps: the rates that they compute, and the scale of a cycle."""

import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.catalogue import schedulers
from fixtures.catalogue.schedulers import inverse
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, momenta_of, two_groups

NUMBERS = (0.125, 0.0625)
AS_GIVEN = {
    "numbers": lambda: two_groups(NUMBERS),
    "tensors": lambda: two_groups([torch.tensor(rate) for rate in NUMBERS]),
}
# The scale of the first, third and fifth argument.
SCALES = {
    "triangular": ({"mode": "triangular"}, [1.0, 1.0, 1.0]),
    "triangular2": ({"mode": "triangular2"}, [1.0, 0.25, 0.0625]),
    "exp_range": ({"mode": "exp_range", "gamma": 0.5}, [0.5, 0.125, 0.03125]),
    "given": ({"scale_fn": inverse}, [0.5, 0.25, 1 / 6]),
}
COMPOSED = {
    "chainedscheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.StepLR(o, 3), lr_scheduler.ExponentialLR(o, 0.875)]
    ),
    "sequentiallr": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o, 0.5, 4), lr_scheduler.ExponentialLR(o, 0.875)], [7]
    ),
}
BUILT = COMPOSED | {entry.id: entry.build for entry in schedulers.SCHEDULES}


def computed_by(scheduler):
    """Return what get_lr() returns, without its warning that it is called by hand."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return scheduler.get_lr()


@claim("schedulers.rates-match-group-types")
@pytest.mark.parametrize("build", AS_GIVEN.values(), ids=AS_GIVEN)
@schedulers.each(first=True)
def test_the_rates_are_a_list_in_the_types_of_the_groups(schedule, build):
    optimizer = build()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    scheduler.step()
    expected = [type(group["lr"]).__name__ for group in optimizer.param_groups]
    seen = [scheduler.get_last_lr(), computed_by(scheduler)]
    check.same(
        seen=[[type(rate).__name__ for rate in rates] for rates in seen],
        expected=[expected, expected],
        source="the rates in the groups",
    )


@claim("schedulers.computed-rates-are-copies")
@schedulers.each(but="cycles_the_momentum", first=True)
def test_changing_what_get_lr_returned_changes_no_rate(schedule):
    optimizer = AS_GIVEN["tensors"]()
    scheduler = schedule.build(optimizer)
    before = [group["lr"].clone() for group in optimizer.param_groups]
    for rate in computed_by(scheduler):
        rate.fill_(9.0)
    seen = [group["lr"] for group in optimizer.param_groups]
    check.same(seen=seen, expected=before, source="the rates before")


@claim("schedulers.get-lr-writes-the-momentum")
@schedulers.each(which="cycles_the_momentum", first=True)
def test_get_lr_writes_the_momentum_of_its_place(schedule):
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    scheduler.step()
    expected = momenta_of(optimizer)
    for group in optimizer.param_groups:
        group["momentum"] = 0.25
    computed_by(scheduler)
    check.same(seen=momenta_of(optimizer), expected=expected, source="what step() had written")


@claim("schedulers.scale-of-a-cycle")
@pytest.mark.parametrize("options, expected", SCALES.values(), ids=SCALES)
def test_the_scale_is_that_of_the_policy(options, expected):
    scheduler = lr_scheduler.CyclicLR(two_groups(), base_lr=0.01, max_lr=0.1, **options)
    seen = [float(scheduler.scale_fn(x)) for x in (1, 3, 5)]
    check.same(seen=seen, expected=expected, source="1, 1/2^(x-1), gamma^x, or the function given")


@claim("schedulers.state-restores-any-schedule")
@pytest.mark.parametrize("build", BUILT.values(), ids=BUILT)
def test_a_scheduler_goes_on_from_the_state_of_another(build):
    optimizer, fresh_optimizer = two_groups(), two_groups()
    scheduler, fresh = build(optimizer), build(fresh_optimizer)
    advance(optimizer, scheduler, 5)
    fresh.load_state_dict(scheduler.state_dict())
    fresh_optimizer.load_state_dict(optimizer.state_dict())
    expected = [advance(optimizer, scheduler, 8), momenta_of(optimizer)]
    seen = [advance(fresh_optimizer, fresh, 8), momenta_of(fresh_optimizer)]
    check.same(seen=seen, expected=expected, source="the scheduler that was not interrupted")


class Fading:
    """A factor that remembers how fast it falls."""

    def __init__(self, speed):
        self.speed = speed

    def __call__(self, epoch):
        return 1 / (1 + self.speed * epoch)


@claim("schedulers.state-holds-callable-objects")
@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"], ids=str.lower)
def test_the_state_holds_what_a_callable_object_holds_and_no_function(name):
    build = getattr(lr_scheduler, name)
    scheduler = build(two_groups(), lr_lambda=[Fading(2.0), inverse])
    fresh = build(two_groups(), lr_lambda=[Fading(9.0), inverse])
    fresh.load_state_dict(scheduler.state_dict())
    check.same(
        seen=[scheduler.state_dict()["lr_lambdas"], fresh.lr_lambdas[0].speed],
        expected=[[{"speed": 2.0}, None], 2.0],
        source="the documentation of state_dict()",
    )
