"""Schedulers of one's own, derived from LRScheduler."""

import warnings

import pytest
from torch.optim.lr_scheduler import LRScheduler, SequentialLR, StepLR

from fixtures.assertions import check
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups


class Halving(LRScheduler):
    """The initial rates, halved at every step."""

    def get_lr(self):
        return [rate * 0.5**self.last_epoch for rate in self.base_lrs]


class WithClosedForm(Halving):
    """Has a closed form, which says something else so that one can tell."""

    def _get_closed_form_lr(self):
        return [rate * 0.25**self.last_epoch for rate in self.base_lrs]


class TooMany(LRScheduler):
    """Computes a rate more than there are groups, from its second step on."""

    def get_lr(self):
        return [*self.base_lrs, *([0.5] if self.last_epoch else [])]


class ByEpoch(LRScheduler):
    """Computes the rates of an epoch that it is given."""

    def get_lr(self, epoch):
        return [rate * 0.5**epoch for rate in self.base_lrs]


class Relative(LRScheduler):
    """Multiplies what stands in the group, unless it is being built."""

    def get_lr(self):
        factor = 0.5 if self.last_epoch else 1.0
        return [group["lr"] * factor for group in self.optimizer.param_groups]


@claim("own-schedulers.compute-the-rates")
def test_step_writes_what_get_lr_returns():
    optimizer = two_groups()
    scheduler = Halving(optimizer)
    seen = [rates_of(optimizer), *advance(optimizer, scheduler, 3)]
    expected = [[rate * 0.5**t for rate in RATES] for t in range(4)]
    check.same(seen=seen, expected=expected, source="0.5ᵗ of the initial rates")


@claim("own-schedulers.inherit-the-attributes")
def test_it_counts_and_remembers_as_every_scheduler():
    optimizer = two_groups()
    scheduler = Halving(optimizer)
    advance(optimizer, scheduler, 2)
    check.same(
        seen=[scheduler.last_epoch, scheduler.base_lrs, scheduler.get_last_lr()],
        expected=[2, list(RATES), [rate / 4 for rate in RATES]],
        source="two steps, each of which halves the rates",
    )


@claim("own-schedulers.epoch-uses-closed-form")
@pytest.mark.parametrize(
    "of_class, factor", [(Halving, 0.5), (WithClosedForm, 0.25)], ids=["without", "with"]
)
def test_an_epoch_asks_the_closed_form_if_there_is_one(of_class, factor):
    optimizer = two_groups()
    scheduler = of_class(optimizer)
    optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler.step(3)
    expected = [rate * factor**3 for rate in RATES]
    check.same(seen=rates_of(optimizer), expected=expected, source="the closed form at 3")


@claim("own-schedulers.step-ignores-closed-form")
def test_a_step_without_an_epoch_leaves_the_closed_form_alone():
    optimizer = two_groups()
    seen = advance(optimizer, WithClosedForm(optimizer), 2)
    expected = [[rate * 0.5**t for rate in RATES] for t in (1, 2)]
    check.same(seen=seen, expected=expected, source="the rates that get_lr() returns")


@claim("own-schedulers.resume")
def test_its_state_comes_back():
    optimizer, other = two_groups(), two_groups()
    scheduler, restored = Relative(optimizer), Relative(other)
    advance(optimizer, scheduler, 3)
    other.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(scheduler.state_dict())
    check.same(
        seen=advance(other, restored, 3),
        expected=advance(optimizer, scheduler, 3),
        source="the scheduler that was saved",
    )


@claim("own-schedulers.may-be-composed")
def test_it_may_be_part_of_a_sequence():
    optimizer = two_groups()
    parts = [StepLR(optimizer, 1, 0.5), Halving(optimizer)]
    seen = [rate for rate, _ in advance(optimizer, SequentialLR(optimizer, parts, [2]), 4)]
    expected = [0.05, 0.1, 0.05, 0.025]
    check.same(seen=seen, expected=expected, source="halved, and anew from the milestone 2 on")


@claim("own-schedulers.return-too-many-rates")
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # no optimizer steps
def test_rates_for_more_groups_than_there_are_are_an_error():
    optimizer = two_groups()
    scheduler = TooMany(optimizer)
    with pytest.raises(ValueError, match=r"zip\(\)"):
        scheduler.step()


@claim("own-schedulers.get-lr-is-given-nothing")
def test_a_get_lr_that_wants_an_epoch_is_an_error():
    optimizer = two_groups()
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'epoch'"):
        ByEpoch(optimizer)
    check.same(seen=rates_of(optimizer), expected=list(RATES), source="the rates before")


@claim("own-schedulers.base-class-is-abstract")
def test_the_base_class_computes_nothing():
    with pytest.raises(NotImplementedError):
        LRScheduler(two_groups())
