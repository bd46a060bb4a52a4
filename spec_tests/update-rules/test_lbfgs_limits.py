"""LBFGS where it comes to an end of what it can do: losses that are no numbers, options, empty groups."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED, QUASI_NEWTON
from fixtures.catalogue import line_searches, memory_layouts, optimizers
from fixtures.catalogue.objectives import ELLIPSE, RIPPLES
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.runs.lbfgs_run import LBFGSRun

LBFGS = optimizers.by_name("LBFGS")
SOURCE = "fixtures/oracles/lbfgs.py"


def minus_log(x):
    """2x - log(x)/10, which is nan left of 0."""
    return (2 * x - torch.log(x) / 10).sum()


def exp_of_square(x):
    """exp(x²), which is inf from 27 on."""
    return torch.exp(x**2).sum()


def smooth(x):
    """2x³ + 5x²/2 + x, and 10(x + 1)⁴ left of -1: a sixth of the slopes at 0 and -1 lies between."""
    return (2 * x**3 + 2.5 * x**2 + x + 10 * torch.relu(-1 - x) ** 4).sum()


def closure_over(optimizer, loss_of, x):
    def closure():
        optimizer.zero_grad()
        loss = loss_of(x)
        loss.backward()
        return loss.detach()

    return closure


def searched(loss_of, start, lr, device):
    """Return the loss before a step with a line search, and after it."""
    dtype = finest(device, scalars=False)  # LBFGS keeps no scalars in tensors
    x = torch.tensor([start], dtype=dtype, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=lr, line_search_fn="strong_wolfe")
    before = loss_of(x.detach()).item()
    optimizer.step(closure_over(optimizer, loss_of, x))
    return before, loss_of(x.detach()).item()


@claim("lbfgs.line-search-ends-at-a-lower-loss")
@pytest.mark.parametrize(
    "loss_of, start, lr",
    [(exp_of_square, -0.5, 30.0), (minus_log, 0.9, 1.0), (smooth, 0.0, 1.0)],
    ids=["trial_of_inf", "trial_of_nan", "smooth"],
)
@pytest.mark.needs(torch.float64)
def test_a_step_with_a_line_search_ends_lower(loss_of, start, lr, device):
    before, after = searched(loss_of, start, lr, device)
    assert after < before, f"a loss of {after} after the step, of {before} before it"


@claim("lbfgs.failed-line-search-moves-nothing")
def test_a_search_that_finds_nothing_lower_leaves_every_bit(device):
    start = torch.tensor([0.1, -0.3], device=device)
    x = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([x], lr=1e8, max_iter=1, line_search_fn="strong_wolfe")

    def closure():
        moved = bool((x != start).any())
        x.grad = torch.full_like(x, 1.0)
        return 1e30 if moved else 0.0

    optimizer.step(closure)
    check.same(seen=x.detach(), expected=start, source="every other point is higher")


@claim("lbfgs.line-search-obeys-tolerance-change")
@pytest.mark.parametrize("tolerance", [1e-9, 0.0625, 0.25], ids="tolerance={}".format)
def test_a_bracket_below_the_tolerance_ends_the_search(tolerance, device):
    steep = line_searches.script((0.0, -1.0), (1.0, 0.5))
    options = {"max_iter": 1, "max_eval": 26, "line_search_fn": "strong_wolfe", "lr": 1.0}
    case = Case(LBFGS, Preset("tolerant", {**options, "tolerance_change": tolerance}))
    run = LBFGSRun(case, steep, device, steps=1)
    check.close(
        seen=run.by_torch()[0]["evaluations"],
        expected=run.by_oracle()[0]["evaluations"],
        source=SOURCE,
        tolerance=QUASI_NEWTON,
    )


@claim("lbfgs.line-search-took-25-evaluations")
@pytest.mark.parametrize("max_eval", [2, 5, 25], ids="max_eval={}".format)
def test_a_line_search_took_25_evaluations_and_one(max_eval, device):
    options = {"max_iter": 1, "max_eval": max_eval, "line_search_fn": "strong_wolfe", "lr": 1.0}
    falling = line_searches.script((0.0, -1.0), *((-(10.0**t), -2.0) for t in range(30)))
    run = LBFGSRun(Case(LBFGS, Preset("falling", options)), falling, device, steps=1)
    check.same(
        seen=len(run.by_torch()[0]["evaluations"]),
        expected=1 + 1 + 25,
        source="the first evaluation, the first trial, and 25 more",
    )


@claim("lbfgs.continues-with-nan")
@pytest.mark.parametrize("max_iter", [1, 4], ids="max_iter={}".format)
def test_nan_does_not_end_a_step(max_iter, device):
    x = torch.ones(2, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], max_iter=max_iter, max_eval=9)
    optimizer.step(closure_over(optimizer, lambda p: (p * math.nan).sum(), x))
    state = optimizer.state[x]
    check.same(
        seen=[x, state["n_iter"], state["func_evals"]],
        expected=[torch.full((2,), math.nan), max_iter, max_iter],
        source="every iteration, with an evaluation before each",
    )


@claim("lbfgs.continues-after-an-error")
@pytest.mark.parametrize("failing", [1, 2, 3], ids=["first", "second", "third"])
@pytest.mark.parametrize("steps", [0, 1], ids=["at_once", "later"])
@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"], ids=["fixed", "wolfe"])
def test_a_step_works_after_one_whose_closure_raised(line_search_fn, steps, failing, device):
    x = torch.tensor([1.0, -2.0], dtype=finest(device), device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=0.1, max_iter=4, line_search_fn=line_search_fn)
    closure = closure_over(optimizer, lambda p: (p**4 + p**2).sum(), x)
    for _ in range(steps):
        optimizer.step(closure)
    answers = [closure] * (failing - 1)
    with pytest.raises(IndexError, match="pop from empty list"):
        optimizer.step(lambda: answers.pop()())
    before = closure().item()
    optimizer.step(closure)
    after = closure().item()
    assert after < before, f"a loss of {after} after the step, of {before} before it"


@claim("lbfgs.reads-the-size-of-the-history")
@pytest.mark.parametrize("size", [1, 2, 4, 0], ids=["smaller", "same", "larger", "none"])
def test_a_changed_history_size_takes_effect(size, device):
    x = torch.tensor(ELLIPSE.start, dtype=finest(device), device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=0.1, max_iter=4, history_size=2)
    closure = closure_over(optimizer, lambda p: (p**4 + p**2).sum(), x)
    optimizer.step(closure)
    optimizer.param_groups[0]["history_size"] = size
    optimizer.step(closure)
    check.same(
        seen=len(optimizer.state[x]["old_dirs"]), expected=size, source="history_size in the group"
    )


@claim("lbfgs.layout-changes-no-step")
@pytest.mark.parametrize(
    "layout",
    [memory_layouts.contiguous, memory_layouts.transposed, memory_layouts.strided],
    ids=["contiguous", "transposed", "strided"],
)
def test_the_layout_of_a_parameter_changes_no_step(layout, device):
    def end(arranged):
        values = torch.tensor([[1.0, -2.0, 0.5], [0.25, 1.5, -1.0]], device=device)
        x = arranged(values).requires_grad_()
        optimizer = torch.optim.LBFGS([x], lr=0.5, max_iter=3)
        optimizer.step(closure_over(optimizer, lambda p: (p**4 + p**2).sum(), x))
        return x.detach()

    check.same(
        seen=end(layout),
        expected=end(memory_layouts.contiguous),
        source="the same values, contiguous",
    )


@claim("lbfgs.refuses-two-devices")
def test_parameters_on_two_devices_are_an_error(device):
    places = (device, torch.device("cpu"))
    here, there = (torch.ones(2, device=place, requires_grad=True) for place in places)
    optimizer = torch.optim.LBFGS([here, there])

    def closure():
        here.grad, there.grad = torch.ones_like(here), torch.ones_like(there)
        return 1.0

    with pytest.raises(RuntimeError, match="device"):
        optimizer.step(closure)
    check.same(
        seen=[here, there],
        expected=[torch.ones(2), torch.ones(2)],
        source="the parameters before the step",
    )


@claim("lbfgs.accepts-a-tensor-as-rate")
@pytest.mark.parametrize("shape", [(), (1,)], ids=["scalar", "one_element"])
@optimizers.each(only=("LBFGS",), every_preset=True)
def test_a_rate_in_a_tensor_is_a_rate(case, shape, device):
    rate = case.preset.options.get("lr", LBFGS.lr)
    run = LBFGSRun(case, RIPPLES, device)
    check.close(
        seen=run.by_torch(lr=torch.full(shape, rate, dtype=finest(device))),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=QUASI_NEWTON,
    )


@claim("lbfgs.steps-in-coarse-dtypes")
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["float32", "bfloat16", "float16"]
)
@line_searches.each(line_searches.EXACT)
def test_a_coarse_dtype_takes_the_oracle_s_steps(edge, dtype, device):
    run = LBFGSRun(edge.case, edge.script, device, dtype=dtype, steps=1)
    check.close(
        seen=run.by_torch(),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=EVERY_STEP_ROUNDED,
    )


@claim("lbfgs.empty-group-calls-the-closure")
def test_without_parameters_step_returns_the_loss():
    optimizer = torch.optim.LBFGS([{"params": []}])
    check.same(seen=optimizer.step(lambda: 3.0), expected=3.0, source="what the closure returns")


@claim("lbfgs.empty-group-was-an-error")
def test_without_parameters_step_raised():
    optimizer = torch.optim.LBFGS([{"params": []}])
    with pytest.raises(IndexError):
        optimizer.step(lambda: 3.0)


@claim("lbfgs.step-returns-the-first-loss")
@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"], ids=["fixed", "wolfe"])
def test_step_returns_the_very_thing_that_the_first_evaluation_did(line_search_fn, device):
    x = torch.ones(2, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=0.1, max_iter=3, line_search_fn=line_search_fn)
    closure, losses = closure_over(optimizer, exp_of_square, x), []

    def noting():
        losses.append(closure())
        return losses[-1]

    returned = optimizer.step(noting)
    assert returned is losses[0], f"{returned} instead of {losses[0]}"
