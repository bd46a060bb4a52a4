"""ChainedScheduler: every schedule at every step, each on the rate that the one before it left."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue.compositions import COMPOSITIONS, Composition, schedule
from fixtures.catalogue.drawn.schedulers import links
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.runs.schedule_run import ScheduleRun
from fixtures.runs.schedule_steps import advance, rates_of, two_groups

CHAINS = [c for c in COMPOSITIONS if c.scheduler == "ChainedScheduler"]
HALVING = schedule("ExponentialLR", gamma=0.5)
STAIRS = schedule("StepLR", step_size=2, gamma=0.5)


@claim("chains.apply-each-part-in-turn")
@pytest.mark.parametrize("chain", [pytest.param(c, id=c.preset) for c in CHAINS])
def test_every_step_applies_every_part_to_what_the_one_before_left(chain):
    ScheduleRun(chain).check()


@claim("chains.hold-for-any-parts")
@given(parts=st.lists(links(), min_size=1, max_size=4))
def test_whatever_the_parts_each_is_applied_in_turn(parts):
    ScheduleRun(Composition("drawn", "ChainedScheduler", tuple(parts), steps=14)).check()


@claim("chains.multiply-their-factors")
def test_the_rate_is_the_initial_one_times_every_factor():
    optimizer = two_groups()
    chain = Composition("two", "ChainedScheduler", (HALVING, STAIRS)).build(optimizer)
    seen = [rate / RATES[0] for rate, _ in advance(optimizer, chain, 4)]
    check.close_numbers(
        seen=seen,
        expected=[0.5, 0.125, 0.0625, 0.015625],
        source="0.5ᵗ · 0.5^⌊t/2⌋",
        tolerance=SCHEDULE,
    )


@claim("chains.last-rates")
def test_get_last_lr_of_a_chain_is_what_its_last_part_left():
    optimizer = two_groups()
    chain = CHAINS[1].build(optimizer)
    seen, expected = [chain.get_last_lr()], [rates_of(optimizer)]
    for _ in range(5):
        expected += advance(optimizer, chain, 1)
        seen.append(chain.get_last_lr())
    check.same(seen=seen, expected=expected, source="the rates in the groups")


@claim("chains.last-rates")
def test_get_last_lr_of_a_chain_that_is_listed_in_another_order_than_built():
    optimizer = two_groups()
    built = [part.build(optimizer) for part in (STAIRS, schedule("ConstantLR", factor=0.5))]
    chain = lr_scheduler.ChainedScheduler(built[::-1])
    check.same(
        seen=chain.get_last_lr(),
        expected=[rate * 0.5 for rate in RATES],
        source="what the part that was built last left",
    )


@claim("chains.last-rates-are-copies")
def test_changing_what_get_last_lr_of_a_chain_returned_changes_no_rate():
    optimizer = two_groups([torch.tensor(rate, dtype=torch.float64) for rate in RATES])
    chain = CHAINS[0].build(optimizer)
    before = rates_of(optimizer)
    chain.get_last_lr()[0].fill_(7.0)
    after = rates_of(optimizer)
    stepped = advance(optimizer, chain, 1)[0]
    chain.get_last_lr()[0].fill_(7.0)
    check.same(
        seen=[after, rates_of(optimizer)],
        expected=[before, stepped],
        source="the rates before",
    )


@claim("chains.optimizer-of-their-parts")
@pytest.mark.parametrize("given_", [False, True], ids=["left_out", "given"])
def test_a_chain_has_the_optimizer_of_its_parts(given_):
    optimizer = two_groups()
    parts = [HALVING.build(optimizer), STAIRS.build(optimizer)]
    chain = lr_scheduler.ChainedScheduler(parts, *([optimizer] if given_ else []))
    assert chain.optimizer is optimizer


@claim("chains.refuse-another-optimizer")
def test_a_chain_refuses_an_optimizer_that_is_not_that_of_its_parts():
    parts = [HALVING.build(two_groups())]
    with pytest.raises(ValueError, match=r"same optimizer.*index 0"):
        lr_scheduler.ChainedScheduler(parts, optimizer=two_groups())
