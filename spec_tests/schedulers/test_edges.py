"""Options at the edge of what the documentation allows."""

from dataclasses import dataclass

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import SCHEDULE, STEPS
from fixtures.catalogue.schedulers import RATES, Schedule
from fixtures.claims import claim
from fixtures.runs.schedule_steps import advance, rates_of, two_groups

LOWEST = 0.5 / 25 / 1e4


def course(name, steps, **options):
    """Return the rate of the first group at every step, from 0 on."""
    optimizer = two_groups()
    scheduler = Schedule("edge", name, options).build(optimizer)
    return [rate for rate, _ in [rates_of(optimizer), *advance(optimizer, scheduler, steps)]]


def close(seen, expected, source, tolerance=STEPS):
    __tracebackhide__ = True
    check.close_numbers(seen=seen, expected=expected, source=source, tolerance=tolerance)


@claim("one-cycle.never-below-its-minimum")
@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True], ids=["two", "three"])
def test_the_loop_of_the_documentation_leaves_no_rate_below_the_minimum(strategy, three_phase):
    lowest = min(
        course(
            "OneCycleLR", 10, max_lr=0.5, total_steps=10, anneal_strategy=strategy,
            three_phase=three_phase,
        )
    )  # fmt: skip
    assert lowest > LOWEST * (1 - 1e-9), f"the lowest rate is {lowest}, the minimum {LOWEST}"


@claim("one-cycle.ends-at-its-minimum")
@pytest.mark.parametrize("three_phase", [False, True], ids=["two", "three"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.625], ids=["0.3", "0.5", "0.625"])
def test_the_last_step_writes_the_lowest_rate(share, three_phase):
    options = {"max_lr": 0.5, "total_steps": 20, "pct_start": share, "three_phase": three_phase}
    last = course("OneCycleLR", 19, **options)[-1]
    close([last], [LOWEST], "max_lr / div_factor / final_div_factor")


@claim("one-cycle.rises-within-a-step")
def test_a_rise_that_ends_with_the_first_step_starts_at_the_highest_rate():
    first = course("OneCycleLR", 0, max_lr=0.5, total_steps=10, pct_start=0.1)[0]
    close([first], [0.5], "max_lr, where the rise ends at step 10 · 0.1 - 1")


@claim("one-cycle.refused-step-changes-no-rate")
def test_a_step_past_the_end_leaves_rate_and_momentum():
    optimizer = two_groups()
    scheduler = Schedule("short", "OneCycleLR", {"max_lr": 0.5, "total_steps": 3}).build(optimizer)
    advance(optimizer, scheduler, 3)
    before = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        scheduler.step()
    after = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    check.same(seen=after, expected=before, source="the groups before")


@claim("constant-lr.of-factor-zero")
def test_a_factor_of_zero_holds_the_rate_at_zero_until_the_end():
    seen = course("ConstantLR", 4, factor=0.0, total_iters=3)
    close(seen, [0.0, 0.0, 0.0, 0.1, 0.1], "closed form")


@claim("schedules.zero-total-iters")
@pytest.mark.parametrize("name", ["ConstantLR", "LinearLR"])
def test_a_factor_for_no_iterations_leaves_the_rate(name):
    close(course(name, 3, total_iters=0), [RATES[0]] * 4, "no iteration has the factor")


@claim("multi-step.milestones-in-any-order")
@pytest.mark.parametrize("milestones", [[], [0], [4, 2], [2, 0, 2]], ids=["none", "0", "42", "202"])
def test_milestones_count_in_any_order_and_from_zero_on(milestones):
    schedule = Schedule("any", "MultiStepLR", {"milestones": milestones, "gamma": 0.5})
    seen = course("MultiStepLR", 6, milestones=iter(milestones), gamma=0.5)
    close(seen, [schedule.rate(t, RATES[0]) for t in range(7)], "closed form", SCHEDULE)


@claim("cosine.rises-again-by-the-recursion")
def test_the_cosine_turns_at_the_bottom_again_and_again():
    schedule = Schedule("turns", "CosineAnnealingLR", {"T_max": 2, "eta_min": 0.01})
    seen = course("CosineAnnealingLR", 14, T_max=2, eta_min=0.01)
    close(seen, [schedule.rate(t, RATES[0]) for t in range(15)], "closed form", SCHEDULE)


# T_0, T_mult and the epochs at which the second to the last cycle begin
RESTARTS = {
    "doubled": (5, 2, [5, 15, 35, 75, 155, 315]),
    "tripled": (4, 3, [4, 16, 52, 160]),
    "tenfold": (2, 10, [2, 22, 222]),
    "tripled_often": (1, 3, [121]),
    "tenfold_often": (1, 10, [111]),
}


@claim("warm-restarts.begin-at-the-highest-rate")
@pytest.mark.parametrize("case", RESTARTS)
def test_the_epoch_of_a_restart_has_the_initial_rate(case):
    first, factor, epochs = RESTARTS[case]
    optimizer = two_groups()
    scheduler = Schedule(
        "restarts", "CosineAnnealingWarmRestarts", {"T_0": first, "T_mult": factor}
    ).build(optimizer)
    optimizer.step()
    seen = []
    for epoch in epochs:
        scheduler.step(epoch)
        seen.append(rates_of(optimizer)[0])
    close(seen, [RATES[0]] * len(epochs), "η_max at T_cur = 0")


@claim("warm-restarts.continue-from-a-fraction")
def test_a_step_after_a_fraction_is_one_epoch_further():
    schedule = Schedule("on", "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2})
    optimizer = two_groups()
    scheduler = schedule.build(optimizer)
    optimizer.step()
    scheduler.step(1.5)
    seen = [rate for rate, _ in advance(optimizer, scheduler, 8)]
    close(seen, [schedule.rate(2.5 + t, RATES[0]) for t in range(8)], "closed form", SCHEDULE)


@claim("warm-restarts.expose-their-position")
def test_last_epoch_counts_whole_epochs_and_t_cur_those_since_the_restart():
    optimizer = two_groups()
    scheduler = Schedule("w", "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}).build(
        optimizer
    )
    optimizer.step()
    seen = []
    for epoch in (None, 2.5, None, 7, 1, 10.25):
        scheduler.step(epoch)
        seen.append([scheduler.last_epoch, float(scheduler.T_cur), scheduler.T_i])
    check.same(
        seen=seen,
        expected=[[1, 1.0, 3], [2, 2.5, 3], [3, 0.5, 6], [7, 4.0, 6], [1, 1.0, 3], [10, 1.25, 12]],
        source="cycles of 3, 6, 12 epochs",
    )


@claim("cyclic.scales-by-the-iterations")
def test_a_scale_of_iterations_is_given_those_since_the_start_of_the_cycle():
    asked = []
    course(
        "CyclicLR", 7, base_lr=0.01, max_lr=0.2, step_size_up=2, scale_mode="iterations",
        scale_fn=lambda x: asked.append(x) or 1.0, cycle_momentum=False,
    )  # fmt: skip
    check.same(
        seen=[asked[2 * t] for t in range(8)],
        expected=[0, 1, 2, 3, 0, 1, 2, 3],
        source="training iterations since start of cycle",
    )


@claim("cyclic.scales-by-the-cycle")
def test_a_scale_of_cycles_is_given_the_number_of_the_cycle_from_one_on():
    asked = []
    course(
        "CyclicLR", 9, base_lr=0.01, max_lr=0.2, step_size_up=1, step_size_down=3,
        scale_fn=lambda x: asked.append(x) or 1.0, cycle_momentum=False,
    )  # fmt: skip
    check.same(
        seen=[asked[2 * t] for t in range(10)],
        expected=[1, 1, 1, 1, 2, 2, 2, 2, 3, 3],
        source="cycles of four steps",
    )


@dataclass
class Half:
    """A callable object that is compared by its value, and so has no hash."""

    factor: float = 0.5

    def __call__(self, _):
        return self.factor


@claim("schedules.take-any-callable-object")
@pytest.mark.parametrize(
    "name, option, options",
    [
        ("LambdaLR", "lr_lambda", {}),
        ("MultiplicativeLR", "lr_lambda", {}),
        ("CyclicLR", "scale_fn", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3}),
    ],
    ids=["lambda", "multiplicative", "cyclic"],
)
def test_an_object_without_a_hash_serves_as_a_function(name, option, options):
    seen = course(name, 4, **options, **{option: Half()})
    expected = course(name, 4, **options, **{option: lambda _: 0.5})
    check.same(seen=seen, expected=expected, source="a function that returns the same")


@claim("schedules.call-function-once-per-group")
@pytest.mark.parametrize(
    "name, first", [("LambdaLR", 0), ("MultiplicativeLR", 1)], ids=["lambda", "multiplicative"]
)
def test_the_function_of_all_groups_is_asked_for_each_at_every_step(name, first):
    asked = []
    course(name, 3, lr_lambda=lambda t: asked.append(t) or 1.0)
    expected = [t for t in range(first, 4) for _ in RATES]
    check.same(seen=asked, expected=expected, source="once for each of two groups")
