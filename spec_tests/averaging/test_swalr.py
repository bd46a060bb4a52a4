"""SWALR: from the rate that it finds to the rate of each group, and level from there on."""

import pickle
from io import BytesIO

import pytest
import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from fixtures.assertions import check
from fixtures.assertions.tolerances import Tolerance
from fixtures.catalogue.schedulers import RATES
from fixtures.claims import claim
from fixtures.oracles import schedules
from fixtures.runs.schedule_steps import advance, rates_of, two_groups

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

LATER = 17
RECURSION = Tolerance(4 * LATER, "one rounding or two a step, added up over 17 steps")
SHARP, FLAT = {"anneal_strategy": "linear"}, {"anneal_strategy": "cos"}
# swa_lr, what else it is built with
COURSES = {
    "default": (0.05, {}),
    "cos": (0.5, {**FLAT, "anneal_epochs": 6}),
    "linear": (0.5, {**SHARP, "anneal_epochs": 6}),
    "one_epoch": (0.001, {**SHARP, "anneal_epochs": 1}),
    "no_epoch_cos": (0.05, {**FLAT, "anneal_epochs": 0}),
    "no_epoch_linear": (0.05, {**SHARP, "anneal_epochs": 0}),
    "list": ([0.5, 0.001], {"anneal_epochs": 4}),
    "tuple": ((0.001, 0.5), {**SHARP, "anneal_epochs": 3}),
    "to_zero": (0.0, {**SHARP, "anneal_epochs": 5}),
}
EACH_COURSE = pytest.mark.parametrize("swa_lr, options", COURSES.values(), ids=COURSES)
EACH_STRATEGY = pytest.mark.parametrize("options", [FLAT, SHARP], ids=["cos", "linear"])
# What is wrong, and what identifies the error.
REFUSED = {
    "epochs_fraction": ({"anneal_epochs": 2.5}, "anneal_epochs .* got 2.5"),
    "epochs_text": ({"anneal_epochs": "3"}, "anneal_epochs .* got 3"),
    "epochs_negative": ({"anneal_epochs": -1}, "anneal_epochs .* got -1"),
    "strategy_exp": ({"anneal_strategy": "exp"}, "anneal_strategy .* got exp"),
    "strategy_capitals": ({"anneal_strategy": "Linear"}, "anneal_strategy .* got Linear"),
    "strategy_none": ({"anneal_strategy": None}, "anneal_strategy .* got None"),
    "list_short": ({"swa_lr": [0.1]}, "swa_lr .* 1"),
    "list_long": ({"swa_lr": (0.1, 0.2, 0.3)}, "swa_lr .* 3"),
}
KINDS = {"numbers": float, "tensors": torch.tensor}
# anneal_epochs, and the steps taken.
MOMENTS = {
    "start": (2, 0),
    "middle": (2, 1),
    "start_without_epochs": (0, 0),
    "end": (2, 4),
    "end_of_one": (1, 2),
}


def targets(swa_lr):
    return list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(RATES)


def annealed(rates, swa_lr, options, steps):
    """Return the rates after each step, in plain Python."""
    pairs = list(zip(rates, targets(swa_lr), strict=True))
    return [[schedules.swa(t, lr, to, **options) for lr, to in pairs] for t in steps]


def check_rates(seen, expected):
    __tracebackhide__ = True
    check.close_numbers(
        seen=seen,
        expected=expected,
        source="closed form in fixtures/oracles/schedules.py",
        tolerance=RECURSION,
    )


@claim("swalr.anneals-from-its-first-rate")
@EACH_COURSE
def test_rates_go_to_those_of_the_groups_and_stay(swa_lr, options):
    optimizer = two_groups()
    scheduler = SWALR(optimizer, swa_lr, **options)
    seen = [rates_of(optimizer), *advance(optimizer, scheduler, LATER)]
    check_rates(seen, annealed(RATES, swa_lr, options, range(LATER + 1)))


@claim("swalr.anneals-from-current-rates")
@EACH_COURSE
def test_rates_go_on_from_where_another_schedule_has_brought_them(swa_lr, options):
    optimizer = two_groups()
    other = lr_scheduler.ExponentialLR(optimizer, 0.5)
    scheduler = SWALR(optimizer, swa_lr, **options)
    found = advance(optimizer, other, 3)[-1]
    seen = advance(optimizer, scheduler, LATER)
    check_rates(seen, annealed(found, swa_lr, options, range(1, LATER + 1)))


@claim("swalr.holds-the-rate")
@pytest.mark.parametrize("epochs", [0, 1, 2, 7])
@EACH_STRATEGY
def test_a_rate_set_by_hand_after_the_end_is_overwritten(options, epochs):
    optimizer, seen = two_groups(), []
    scheduler = SWALR(optimizer, [0.05, 0.3], anneal_epochs=epochs, **options)
    advance(optimizer, scheduler, epochs)
    for _ in range(4):
        for group in optimizer.param_groups:
            group["lr"] = 7.0
        seen += advance(optimizer, scheduler, 1)
    check.same(seen=seen, expected=[[0.05, 0.3]] * 4, source="swa_lr of each group")


@claim("swalr.keeps-its-target-in-the-groups")
@EACH_STRATEGY
def test_a_target_that_is_changed_in_its_group_is_held(options):
    optimizer = two_groups()
    scheduler = SWALR(optimizer, [0.05, 0.3], anneal_epochs=2, **options)
    before = [group["swa_lr"] for group in optimizer.param_groups]
    advance(optimizer, scheduler, 3)
    optimizer.param_groups[1]["swa_lr"] = 0.4
    seen = [before, advance(optimizer, scheduler, 1)[-1]]
    check.same(seen=seen, expected=[[0.05, 0.3], [0.05, 0.4]], source="swa_lr of each group")


def added_group(**options):
    return {"params": [torch.zeros(1, requires_grad=True)], "lr": 0.25, **options}


@claim("swalr.added-group-needs-swa-lr")
def test_a_group_that_is_added_without_swa_lr_is_an_error():
    optimizer = two_groups()
    scheduler = SWALR(optimizer, 0.05)
    optimizer.add_param_group(added_group())
    optimizer.step()
    with pytest.raises(KeyError, match="swa_lr"):
        scheduler.step()


@claim("swalr.added-group-is-annealed")
def test_a_group_that_is_added_with_swa_lr_is_annealed_with_the_others():
    optimizer, options = two_groups(), {**SHARP, "anneal_epochs": 4}
    scheduler = SWALR(optimizer, 0.5, **options)
    optimizer.add_param_group(added_group(swa_lr=0.5))
    check_rates(
        advance(optimizer, scheduler, 6),
        [[schedules.swa(t, lr, 0.5, **options) for lr in (*RATES, 0.25)] for t in range(1, 7)],
    )


@claim("swalr.get-lr-has-the-type-of-the-rates")
@pytest.mark.parametrize("epochs, steps", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.filterwarnings("ignore:To get the last learning rate")
def test_get_lr_returns_rates_of_the_type_of_those_in_the_groups(kind, epochs, steps):
    optimizer = two_groups([kind(rate) for rate in RATES])
    scheduler = SWALR(optimizer, 0.05, anneal_epochs=epochs)
    advance(optimizer, scheduler, steps)
    check.same(
        seen=[type(rate).__name__ for rate in scheduler.get_lr()],
        expected=[type(group["lr"]).__name__ for group in optimizer.param_groups],
        source="the rates in the groups",
    )


@claim("swalr.get-lr-returns-copies")
@pytest.mark.parametrize("steps", [0, 1, 4], ids=["start", "middle", "end"])
@pytest.mark.filterwarnings("ignore:To get the last learning rate")
def test_changing_what_get_lr_returns_changes_no_rate(steps):
    optimizer = two_groups([torch.tensor(rate) for rate in RATES])
    scheduler = SWALR(optimizer, [torch.tensor(0.5), torch.tensor(0.25)], anneal_epochs=2)
    advance(optimizer, scheduler, steps)
    before = [[g["lr"].clone(), g["swa_lr"].clone()] for g in optimizer.param_groups]
    for rate in scheduler.get_lr():
        rate.fill_(7.0)
    after = [[g["lr"], g["swa_lr"]] for g in optimizer.param_groups]
    check.same(seen=after, expected=before, source="the rates before")


@claim("swalr.get-lr-warns-outside-step")
def test_get_lr_points_to_get_last_lr_and_to_its_caller():
    with pytest.warns(UserWarning, match="get_last_lr") as caught:
        SWALR(two_groups(), 0.05).get_lr()
    assert [warning.filename for warning in caught] == [__file__]


@claim("swalr.get-last-lr-returns-written-rates")
@EACH_STRATEGY
@pytest.mark.filterwarnings("ignore:To get the last learning rate")
def test_get_last_lr_is_what_stands_in_the_groups(options):
    optimizer = two_groups()
    scheduler = SWALR(optimizer, 0.05, anneal_epochs=3, **options)
    shown = []
    for _ in range(5):
        rates = advance(optimizer, scheduler, 1)[-1]
        shown.append(scheduler.get_last_lr() == rates)
    assert shown == [True] * 5


def interrupted(steps, **options):
    """Return an optimizer and a SWALR over it, after some steps."""
    optimizer = two_groups()
    scheduler = SWALR(optimizer, [0.5, 0.001], anneal_epochs=6, **options)
    advance(optimizer, scheduler, steps)
    return optimizer, scheduler


@claim("swalr.resumes-from-state-dict")
@pytest.mark.parametrize("steps", [0, 2, 6, 9])
@EACH_STRATEGY
def test_a_scheduler_that_was_built_otherwise_goes_on(options, steps):
    optimizer, scheduler = interrupted(steps, **options)
    other = two_groups()
    resumed = SWALR(other, 0.9, anneal_epochs=2)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    check.same(
        seen=advance(other, resumed, 7),
        expected=advance(optimizer, scheduler, 7),
        source="the one that was not interrupted",
    )


@claim("swalr.state-is-plain-data")
@EACH_STRATEGY
def test_the_state_is_loaded_as_weights(options):
    state, file = interrupted(2, **options)[1].state_dict(), BytesIO()
    torch.save(state, file)
    file.seek(0)
    check.same(
        seen=torch.load(file, weights_only=True),
        expected=state,
        source="the state_dict that was saved",
    )


@claim("swalr.state-is-plain-data")
@EACH_STRATEGY
def test_the_state_leaves_out_the_optimizer_and_the_function(options):
    state = interrupted(2, **options)[1].state_dict()
    assert state.keys() & {"optimizer", "anneal_func"} == set()


@claim("swalr.state-has-the-function")
def test_the_state_is_refused_as_weights():
    file = BytesIO()
    torch.save(interrupted(2)[1].state_dict(), file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file, weights_only=True)


@claim("swalr.old-state-keeps-built-strategy")
@pytest.mark.parametrize("built", [FLAT, SHARP], ids=["into_cos", "into_linear"])
@EACH_STRATEGY
def test_a_state_of_an_older_release_goes_on_with_the_strategy_of_the_constructor(options, built):
    optimizer, scheduler = interrupted(2, **options)
    old = {**scheduler.state_dict(), "anneal_func": scheduler.anneal_func}
    del old["_anneal_strategy"]
    other = two_groups()
    resumed = SWALR(other, 0.9, anneal_epochs=2, **built)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(old)
    rates_there, scheduler = interrupted(2, **options)
    scheduler.load_state_dict({"_anneal_strategy": built["anneal_strategy"]})
    check.same(
        seen=advance(other, resumed, 5),
        expected=advance(rates_there, scheduler, 5),
        source="the same steps with the strategy of the constructor from there on",
    )


@claim("swalr.copies-a-tensor-target")
@EACH_STRATEGY
def test_a_target_that_is_a_tensor_is_copied(options):
    single, each = torch.tensor(0.25), [torch.tensor(0.25), torch.tensor(0.25)]
    expected, seen = two_groups(), {"one": two_groups(), "each": two_groups()}
    numbers = SWALR(expected, 0.25, anneal_epochs=2, **options)
    built = {
        "one": SWALR(seen["one"], single, anneal_epochs=2, **options),
        "each": SWALR(seen["each"], each, anneal_epochs=2, **options),
    }
    for target in (single, *each):
        target.fill_(9.0)
    course = torch.tensor(advance(expected, numbers, 4))
    check.close(
        seen={words: torch.tensor(advance(seen[words], built[words], 4)) for words in seen},
        expected=dict.fromkeys(seen, course),
        source="the target as it was given, as a number",
        tolerance=RECURSION,
    )


@claim("swalr.replaces-the-targets-of-another")
def test_a_second_swalr_anneals_to_its_own_targets():
    optimizer = two_groups()
    SWALR(optimizer, [0.5, 0.25], anneal_epochs=2)
    second = SWALR(optimizer, [0.125, 0.0625], anneal_epochs=1)
    advance(optimizer, second, 3)
    check.same(seen=rates_of(optimizer), expected=[0.125, 0.0625], source="its own swa_lr")


@claim("swalr.resumes-from-last-epoch")
@EACH_STRATEGY
def test_a_scheduler_built_with_the_last_epoch_goes_on_behind_it(options):
    optimizer, _ = interrupted(2, **options)
    resumed = SWALR(optimizer, [0.5, 0.001], anneal_epochs=6, last_epoch=2, **options)
    seen = [rates_of(optimizer), *advance(optimizer, resumed, 5)]
    chosen = {"anneal_epochs": 6, **options}
    check_rates(seen, annealed(RATES, [0.5, 0.001], chosen, range(3, 9)))


@claim("swalr.invalid-options-raise")
@pytest.mark.parametrize("wrong, word", REFUSED.values(), ids=REFUSED)
def test_an_option_without_a_meaning_is_an_error_that_names_it(wrong, word):
    with pytest.raises(ValueError, match=word):
        SWALR(two_groups(), **{"swa_lr": 0.5, **wrong})


@claim("swalr.invalid-options-leave-groups")
@pytest.mark.parametrize("wrong", [row[0] for row in REFUSED.values()], ids=REFUSED)
def test_the_groups_are_as_they_were_after_an_error(wrong):
    optimizer = two_groups()
    before = [sorted(group) for group in optimizer.param_groups]
    with pytest.raises(ValueError, match=r"swa_lr|anneal"):
        SWALR(optimizer, **{"swa_lr": 0.5, **wrong})
    seen = [sorted(group) for group in optimizer.param_groups]
    check.same(seen=seen, expected=before, source="the keys of the groups before")


@claim("swalr.wants-an-optimizer")
def test_something_that_is_no_optimizer_is_an_error():
    with pytest.raises(TypeError, match="not an Optimizer"):
        SWALR([], 0.1)
