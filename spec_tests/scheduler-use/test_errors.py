"""What schedulers refuse, and that the optimizer is left as it was."""

from copy import deepcopy

import pytest
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.catalogue.schedulers import SCHEDULES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import rates_of, two_groups
from fixtures.runs.scheduler_state import PLATEAU

ONE_CYCLE = {"max_lr": 0.5, "total_steps": 10}
CYCLE = {"base_lr": 0.01, "max_lr": 0.2}
# class, options, the type of the error, what identifies it
REFUSED = (
    ("LambdaLR", {"lr_lambda": [abs]}, ValueError, "2 lr_lambdas, but got 1"),
    ("MultiplicativeLR", {"lr_lambda": [abs]}, ValueError, "2 lr_lambdas, but got 1"),
    ("MultiplicativeLR", {"lr_lambda": 0.5}, TypeError, "should be a function"),
    ("ConstantLR", {"factor": 1.5}, ValueError, "between 0 and 1"),
    ("ConstantLR", {"factor": -0.5}, ValueError, "between 0 and 1"),
    ("LinearLR", {"start_factor": 0.0}, ValueError, "Starting multiplicative factor"),
    ("LinearLR", {"start_factor": 1.5}, ValueError, "Starting multiplicative factor"),
    ("LinearLR", {"end_factor": 1.5}, ValueError, "Ending multiplicative factor"),
    ("LinearLR", {"end_factor": -0.5}, ValueError, "Ending multiplicative factor"),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}, ValueError, "positive integer T_0"),
    ("CosineAnnealingWarmRestarts", {"T_0": 2.5}, ValueError, "positive integer T_0"),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}, ValueError, "T_mult >= 1"),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 1.5}, ValueError, "T_mult >= 1"),
    (
        "CosineAnnealingWarmRestarts",
        {"T_0": 2, "eta_min": "0"},
        ValueError,
        "Expected float or int eta_min",
    ),
    ("CosineAnnealingWarmRestarts", {"T_0": -3}, ValueError, "positive integer T_0"),
    ("CyclicLR", {**CYCLE, "mode": "square"}, ValueError, "mode is invalid"),
    ("CyclicLR", {**CYCLE, "base_lr": [0.1]}, ValueError, "base_lr must have"),
    ("CyclicLR", {**CYCLE, "max_lr": [0.1]}, ValueError, "max_lr must have"),
    ("CyclicLR", {**CYCLE, "base_momentum": [0.1]}, ValueError, "base_momentum must have"),
    ("CyclicLR", {**CYCLE, "max_momentum": [0.1]}, ValueError, "max_momentum must have"),
    ("OneCycleLR", {"max_lr": 0.5}, ValueError, "total_steps OR"),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 3}, ValueError, "total_steps OR"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 0}, ValueError, "total_steps"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 2.5}, ValueError, "total_steps"),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 0, "steps_per_epoch": 5}, ValueError, "epochs"),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 2.5, "steps_per_epoch": 5}, ValueError, "epochs"),
    (
        "OneCycleLR",
        {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 0},
        ValueError,
        "steps_per_epoch",
    ),
    (
        "OneCycleLR",
        {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 0.5},
        ValueError,
        "steps_per_epoch",
    ),
    ("OneCycleLR", {**ONE_CYCLE, "pct_start": 1.5}, ValueError, "pct_start"),
    ("OneCycleLR", {**ONE_CYCLE, "pct_start": -0.5}, ValueError, "pct_start"),
    ("OneCycleLR", {**ONE_CYCLE, "pct_start": 1}, ValueError, "pct_start"),
    ("OneCycleLR", {**ONE_CYCLE, "anneal_strategy": "exp"}, ValueError, "anneal_strategy"),
    ("OneCycleLR", {**ONE_CYCLE, "max_lr": [0.5]}, ValueError, "max_lr must have"),
    ("OneCycleLR", {**ONE_CYCLE, "max_momentum": [0.5]}, ValueError, "max_momentum must have"),
    ("OneCycleLR", {**ONE_CYCLE, "base_momentum": [0.5]}, ValueError, "base_momentum must have"),
    ("ReduceLROnPlateau", {"factor": 1.0}, ValueError, "Factor should be < 1"),
    ("ReduceLROnPlateau", {"mode": "mean"}, ValueError, "mode mean"),
    ("ReduceLROnPlateau", {"threshold_mode": "log"}, ValueError, "threshold mode log"),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}, ValueError, "expected 2 min_lrs"),
    ("SWALR", {"swa_lr": [0.1]}, ValueError, "swa_lr"),
    ("SWALR", {"swa_lr": 0.1, "anneal_strategy": "exp"}, ValueError, "anneal_strategy"),
    ("SWALR", {"swa_lr": 0.1, "anneal_epochs": -1}, ValueError, "anneal_epochs"),
)
ONE_OF_EACH = {s.scheduler: s for s in (*SCHEDULES, PLATEAU) if s.scheduler != "SWALR"}
EVERY = pytest.mark.parametrize(
    "schedule", [pytest.param(s, id=name.lower()) for name, s in ONE_OF_EACH.items()]
)
WITHOUT_MOMENTUM = (("CyclicLR", CYCLE), ("OneCycleLR", ONE_CYCLE))
RESUMED = (
    ("StepLR", {"step_size": 2}),
    ("LambdaLR", {"lr_lambda": float}),
    ("CosineAnnealingLR", {"T_max": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CyclicLR", CYCLE),
    ("ExponentialLR", {"gamma": 0.5}),
)


def refused(but=()):
    """Return the parameters of a test for every refusal, with ids that count where they repeat."""
    return [
        pytest.param(Schedule("refused", name, options), error, word, id=f"{name.lower()}_{number}")
        for number, (name, options, error, word) in enumerate(REFUSED)
        if name not in but
    ]


def schedules(table):
    return pytest.mark.parametrize(
        "schedule", [pytest.param(Schedule("refused", *row), id=row[0].lower()) for row in table]
    )


@claim("scheduler-errors.options-out-of-range")
@pytest.mark.parametrize("schedule, error, word", refused())
def test_an_option_out_of_range_is_an_error(schedule, error, word):
    optimizer = two_groups()
    with pytest.raises(error) as caught:
        schedule.build(optimizer)
    assert word in str(caught.value)


@claim("scheduler-errors.leave-groups-unchanged")
@pytest.mark.parametrize("schedule, error, word", refused(but=("SWALR",)))
def test_a_refused_option_changes_nothing_in_the_groups(schedule, error, word):
    optimizer = two_groups()
    before = deepcopy(options_of(optimizer))
    with pytest.raises(error):
        schedule.build(optimizer)
    check.same(seen=options_of(optimizer), expected=before, source=f"before the error of {word}")


@claim("scheduler-errors.leave-groups-if-no-momentum")
@schedules(WITHOUT_MOMENTUM)
def test_refusing_an_optimizer_without_momentum_changes_nothing_in_its_groups(schedule):
    optimizer = two_groups(name="Adagrad")
    before = deepcopy(options_of(optimizer))
    with pytest.raises(ValueError, match="must support momentum"):
        schedule.build(optimizer)
    check.same(seen=options_of(optimizer), expected=before, source="the groups before the error")


@claim("scheduler-errors.leave-step-unchanged")
@pytest.mark.parametrize("schedule, error, word", refused(but=("SWALR",)))
def test_a_refused_option_leaves_the_step_of_the_optimizer(schedule, error, word):
    optimizer = two_groups()
    with pytest.raises(error):
        schedule.build(optimizer)
    assert "step" not in vars(optimizer), f"step() was replaced before the error of {word}"


def options_of(optimizer):
    """Return everything in the groups but the parameters."""
    return [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]


@claim("scheduler-errors.want-an-optimizer")
@EVERY
def test_something_that_is_no_optimizer_is_an_error(schedule):
    with pytest.raises(TypeError, match="list is not an Optimizer"):
        schedule.build([])


@claim("scheduler-errors.want-momentum-to-cycle")
@schedules(WITHOUT_MOMENTUM)
def test_cycling_the_momentum_of_an_optimizer_without_one_is_an_error(schedule):
    optimizer = two_groups(name="Adagrad")
    with pytest.raises(ValueError, match="must support momentum"):
        schedule.build(optimizer)


@claim("scheduler-errors.momentum-may-be-missing")
@schedules(WITHOUT_MOMENTUM)
def test_an_optimizer_without_momentum_is_taken_if_it_is_not_to_be_cycled(schedule):
    optimizer = two_groups(name="Adagrad")
    schedule.build(optimizer, cycle_momentum=False)
    expected = [schedule.rate(0, 0.0)] * 2
    check.same(seen=rates_of(optimizer), expected=expected, source="the first rate of the schedule")


@claim("scheduler-errors.initial-lr-is-missing")
@pytest.mark.parametrize("last_epoch", [3, 0])
@schedules(RESUMED)
def test_resuming_without_initial_rates_is_an_error(schedule, last_epoch):
    optimizer = two_groups()
    with pytest.raises(KeyError, match=r"initial_lr.*param_groups\[0\]"):
        schedule.build(optimizer, last_epoch=last_epoch)


def halving(optimizer):
    return lr_scheduler.StepLR(optimizer, 2, 0.5)


@claim("scheduler-errors.parts-are-missing")
def test_a_composition_of_no_schedulers_is_an_error():
    with pytest.raises(ValueError, match="at least one scheduler"):
        lr_scheduler.SequentialLR(two_groups(), [], [])


@claim("scheduler-errors.parts-are-missing")
def test_a_chain_of_no_schedulers_is_an_error():
    with pytest.raises(ValueError, match="at least one scheduler"):
        lr_scheduler.ChainedScheduler([])


@claim("scheduler-errors.parts-of-two-optimizers")
def test_schedulers_in_sequence_share_their_optimizer():
    optimizer = two_groups()
    with pytest.raises(ValueError, match=r"same optimizer.*index 1"):
        lr_scheduler.SequentialLR(optimizer, [halving(optimizer), halving(two_groups())], [2])


@claim("scheduler-errors.parts-of-two-optimizers")
def test_schedulers_in_a_chain_share_their_optimizer():
    optimizer = two_groups()
    with pytest.raises(ValueError, match=r"same optimizer.*index 1"):
        lr_scheduler.ChainedScheduler([halving(optimizer), halving(two_groups())])


@claim("scheduler-errors.number-of-milestones")
@pytest.mark.parametrize("milestones", [[], [2, 4]], ids=["none", "two"])
def test_two_schedulers_want_one_milestone(milestones):
    optimizer = two_groups()
    with pytest.raises(ValueError, match="milestone"):
        lr_scheduler.SequentialLR(optimizer, [halving(optimizer), halving(optimizer)], milestones)


@claim("scheduler-errors.parts-include-a-plateau")
def test_a_plateau_is_no_part_of_a_sequence():
    optimizer = two_groups()
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match=r"does not support `ReduceLROnPlateau`.*index 1"):
        lr_scheduler.SequentialLR(optimizer, [halving(optimizer), plateau], [2])


@claim("scheduler-errors.parts-include-a-plateau")
def test_a_plateau_is_no_part_of_a_chain():
    optimizer = two_groups()
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match=r"does not support `ReduceLROnPlateau`.*index 1"):
        lr_scheduler.ChainedScheduler([halving(optimizer), plateau])


@claim("scheduler-errors.parts-are-no-schedulers")
def test_a_sequence_is_made_of_schedulers():
    optimizer = two_groups()
    with pytest.raises(TypeError, match=r"index 1.*optimizer"):
        lr_scheduler.SequentialLR(optimizer, [halving(optimizer), "cosine"], [2])


@claim("scheduler-errors.parts-are-no-schedulers")
def test_a_chain_is_made_of_schedulers():
    with pytest.raises(TypeError, match=r"index 1.*optimizer"):
        lr_scheduler.ChainedScheduler([halving(two_groups()), "cosine"])
