"""Compositions of one part, compositions of compositions, and what a composition does not have."""

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE
from fixtures.catalogue import compositions, schedulers
from fixtures.catalogue.compositions import Composition, schedule
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, momenta_of, rates_of, two_groups

HALF = schedule("ConstantLR", factor=0.5, total_iters=9)
FALLING = schedule("ExponentialLR", gamma=0.5)
SEQUENCE = Composition("inner", "SequentialLR", (HALF, FALLING), (2,))
CHAIN = Composition("inner", "ChainedScheduler", (HALF, FALLING))
SINGLE = schedule("ConstantLR", factor=0.25, total_iters=30)
NESTED = {
    "chain_in_chain": Composition("n", "ChainedScheduler", (CHAIN, FALLING)),
    "sequence_in_chain": Composition("n", "ChainedScheduler", (SEQUENCE, FALLING)),
    "chain_first_in_sequence": Composition("n", "SequentialLR", (CHAIN, SINGLE), (4,)),
    "sequence_first_in_sequence": Composition("n", "SequentialLR", (SEQUENCE, SINGLE), (4,)),
    "chain_later_in_sequence": Composition("n", "SequentialLR", (SINGLE, CHAIN), (4,)),
    "sequence_later_in_sequence": Composition("n", "SequentialLR", (SINGLE, SEQUENCE), (4,)),
}


@claim("compositions.nest")
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # no optimizer steps
@pytest.mark.parametrize("nested", NESTED)
def test_a_composition_is_a_part_like_any_other(nested):
    optimizer = two_groups()
    scheduler = NESTED[nested].build(optimizer)
    seen = [rates_of(optimizer), *advance(optimizer, scheduler, 8)]
    expected = [[NESTED[nested].rate(t, initial) for initial in RATES] for t in range(9)]
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="the parts as they compose, in fixtures/oracles/compositions.py",
        tolerance=SCHEDULE,
    )


@claim("compositions.single-part-is-unchanged")
@pytest.mark.parametrize("kind", ["SequentialLR", "ChainedScheduler"], ids=["sequence", "chain"])
@schedulers.each()
def test_a_composition_of_one_schedule_is_that_schedule(schedule, kind):
    plain, composed = two_groups(), two_groups()
    scheduler, composition = (
        schedule.build(plain),
        Composition("one", kind, (schedule,)).build(composed),
    )
    seen, expected = ([[rates_of(o), momenta_of(o)]] for o in (composed, plain))
    for _ in range(schedule.steps):
        seen += [advance(composed, composition, 1), momenta_of(composed)]
        expected += [advance(plain, scheduler, 1), momenta_of(plain)]
    check.same(seen=seen, expected=expected, source="the schedule by itself")


@claim("compositions.get-lr-not-implemented")
@compositions.each()
def test_get_lr_of_a_composition_is_not_implemented(schedule):
    scheduler = schedule.build(two_groups())
    with pytest.raises(NotImplementedError):
        scheduler.get_lr()


@claim("compositions.take-no-epoch")
@compositions.each()
def test_step_of_a_composition_takes_no_epoch(schedule):
    scheduler = schedule.build(two_groups())
    with pytest.raises(TypeError):
        scheduler.step(3)
