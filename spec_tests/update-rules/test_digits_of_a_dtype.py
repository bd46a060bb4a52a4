"""What the digits of a dtype swallow at every step: decays, averages, steps, sums of squares."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import decaying_entries, optimizers
from fixtures.claims import claim
from fixtures.runs.each_implementation import in_each

DTYPES = (torch.bfloat16, torch.float16, torch.float32)
HALF = (torch.bfloat16, torch.float16)
STANDS, MOVES = "stands still", "moves"


def short(dtype, device):
    """Return numbers from 1 up to 2, whose last digits are zeros in every dtype.

    They are fewer than what a processor takes at once: the loops over blocks have a claim of their own.
    """
    entries = [1.0, 1.125, 1.25, 1.5, 1.625, 1.875]
    return torch.tensor([entries], dtype=dtype, device=device)


def moved(before, after):
    """Return whether numbers are what they were, bit for bit, or have another sum."""
    if torch.equal(before, after):
        return STANDS
    return MOVES if after.double().abs().sum() != before.double().abs().sum() else "neither"


def around_the_limit(case, device, *, below, above, steps):
    """Return, by the dtype, what an entry does a little below and a little above these parts of eps."""
    return {
        str(dtype): [
            moved(
                *decaying_entries.over_zeros(
                    case, part * torch.finfo(dtype).eps, short(dtype, device), steps=steps
                )
            )
            for part in (below, above)
        ]
        for dtype in DTYPES
    }


def check_limit(case, implementations, device, steps=2):
    __tracebackhide__ = True
    seen = in_each(
        case,
        implementations,
        device,
        lambda c: around_the_limit(c, device, below=0.24, above=0.51, steps=steps),
    )
    check.same(
        seen=seen,
        expected={name: {str(dtype): [STANDS, MOVES] for dtype in DTYPES} for name in seen},
        source="0.24 eps are less than half of the gap below any number, 0.51 eps more",
    )


@claim("precision.decay-below-a-quarter-eps-is-lost")
@decaying_entries.each(of="parameter")
def test_a_parameter_does_not_decay_below_the_limit(case, implementations, device):
    check_limit(case, implementations, device)


@claim("precision.decay-below-a-quarter-eps-is-lost")
@optimizers.each(only=("AdamW",))
def test_thousands_of_steps_of_adamw_change_nothing_either(case, implementations, device):
    def trained(case):
        # on paper, the parameter decays by 0.2%, which is half of a gap
        parameter = torch.ones(2, dtype=torch.bfloat16, device=device, requires_grad=True)
        optimizer = case.build([parameter], lr=1e-3, weight_decay=1e-2)
        parameter.grad = torch.zeros_like(parameter)
        for _ in range(200):
            optimizer.step()
        return parameter.tolist()

    seen = in_each(case, implementations, device, trained)
    check.same(
        seen=seen,
        expected={name: [1.0, 1.0] for name in seen},
        source="the parameter before the steps",
    )


@claim("precision.averages-that-never-fall")
@decaying_entries.each(of="state")
def test_an_average_does_not_fall_below_the_limit(case, implementations, device):
    check_limit(case, implementations, device)


def factor(case, dtype, device):
    """Return by what an entry is multiplied: the option, the option in the dtype, or another number."""
    eps = torch.finfo(dtype).eps
    x = 2.5 * eps / 2  # 1 - x lies in the middle between two numbers of the dtype
    every_mantissa = 1 + torch.arange(round(1 / eps), device=device) * eps
    before, after = decaying_entries.over_zeros(case, x, every_mantissa.to(dtype)[None])
    seen = (after.double() / before.double()).mean().item()
    rounded = torch.tensor(1 - x, dtype=dtype).item()
    factors = {1 - x: "the option", rounded: f"the option rounded to {dtype}"}
    near = (name for f, name in factors.items() if abs(seen - f) < abs(1 - x - rounded) / 2)
    return next(near, f"{seen:.5f}")


@claim("precision.factors-are-not-rounded")
@decaying_entries.each()
def test_an_entry_is_multiplied_by_the_option_itself(case, device):
    seen = {str(dtype): factor(case, dtype, device) for dtype in HALF}
    check.same(
        seen=seen,
        expected=dict.fromkeys(seen, "the option"),
        source="the update rule: the mean over every mantissa, in which roundings cancel",
    )


def longest_step(case, steps):
    """Return the length of the longest of some steps over a gradient of 1, at a rate of 1."""
    oracle, theta, lengths = case.optimizer.oracle_with(**case.preset.options, lr=1.0), [1.0], []
    for _ in range(steps):
        before = theta[0]
        oracle.step([theta], [[1.0]])
        lengths.append(abs(theta[0] - before))
    return max(lengths)


def walked(case, device, dtype, part, steps=2):
    """Return a parameter before and after steps, of which the longest is a part of eps long."""
    start = short(dtype, device)
    parameter = start.clone().requires_grad_()
    rate = part * torch.finfo(dtype).eps / longest_step(case, steps)
    optimizer = case.build([parameter], lr=rate)
    parameter.grad = torch.ones_like(start)
    for _ in range(steps):
        optimizer.step()
    return start, parameter.detach()


def check_walk(case, implementations, device):
    __tracebackhide__ = True

    def walk(case):
        return {
            str(dtype): [
                "stands still" if torch.equal(*walked(case, device, dtype, part)) else "moves"
                for part in (0.24, 2.0)
            ]
            for dtype in DTYPES
        }

    seen = in_each(case, implementations, device, walk)
    check.same(
        seen=seen,
        expected={name: {str(dtype): [STANDS, MOVES] for dtype in DTYPES} for name in seen},
        source="the longest step of the oracle against the gaps between numbers",
    )


@claim("precision.steps-below-a-quarter-eps-are-lost")
@optimizers.each(
    which="elementwise", but=("divides_by_eps", "reads_signs_alone"), adding={"weight_decay": 0.0}
)
def test_a_parameter_does_not_move_by_steps_below_the_limit(case, implementations, device):
    check_walk(case, implementations, device)


@claim("precision.steps-below-a-quarter-eps-are-lost")
@optimizers.each(which="divides_by_eps", adding={"eps": 2.0**-10, "weight_decay": 0.0})
def test_a_parameter_does_not_move_by_such_steps_with_an_eps_that_is_held(
    case, implementations, device
):
    check_walk(case, implementations, device)


@claim("precision.sums-of-squares-end")
@optimizers.each(only=("Adagrad",))
def test_the_sum_of_adagrad_ends_where_a_square_is_half_a_gap(case, implementations, device):
    def sums(case):
        return {
            str(dtype): sum_from(case, device, dtype, 2 / torch.finfo(dtype).eps)
            for dtype in DTYPES
        }

    seen = in_each(case, implementations, device, sums)
    expected = {"torch.bfloat16": 2.0**8, "torch.float16": 2.0**11, "torch.float32": 2.0**24}
    check.same(seen=seen, expected=dict.fromkeys(seen, expected), source="2 / eps of each dtype")


def sum_from(case, device, dtype, start):
    """Return Adagrad's sum after steps over a gradient of 1 from a sum of this size."""
    parameter = torch.ones(1, dtype=dtype, device=device, requires_grad=True)
    optimizer = case.build([parameter], initial_accumulator_value=start, eps=2.0**-10)
    parameter.grad = torch.ones_like(parameter)
    for _ in range(5):
        optimizer.step()
    return optimizer.state[parameter]["sum"].item()


@claim("precision.sums-of-squares-end")
@optimizers.each(only=("Adagrad",))
def test_hundreds_of_steps_take_the_sum_no_further(case, implementations, device):
    def far(case):
        parameter = torch.ones(1, dtype=torch.bfloat16, device=device, requires_grad=True)
        optimizer = case.build([parameter])
        parameter.grad = torch.ones_like(parameter)
        for _ in range(280):
            optimizer.step()
        return optimizer.state[parameter]["sum"].item() <= 256.0

    seen = in_each(case, implementations, device, far)
    check.same(seen=seen, expected=dict.fromkeys(seen, True), source="at most 2**8 after 280 steps")
