"""LBFGS: iterations inside a step, history, line search."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import QUASI_NEWTON, STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import Parabola
from fixtures.catalogue.objectives import OBJECTIVES, RIPPLES
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.lbfgs_run import LBFGSRun

PRINTED = (
    ("1.0000", "1.0000"), ("1.1000", "0.8100"), ("1.1900", "0.6561"), ("1.2710", "0.5314"),
    ("1.3439", "0.4305"), ("1.4095", "0.3487"), ("1.4686", "0.2824"), ("1.5217", "0.2288"),
    ("1.5695", "0.1853"), ("1.6126", "0.1501"), ("1.6513", "0.1216"), ("1.6862", "0.0985"),
    ("1.7176", "0.0798"), ("1.7458", "0.0646"), ("1.7712", "0.0523"), ("1.7941", "0.0424"),
    ("1.8147", "0.0343"), ("1.8332", "0.0278"), ("1.8499", "0.0225"), ("1.8649", "0.0182"),
)  # fmt: skip


def evaluations_of_one_step(device):
    """Return what the closure saw, (x, loss) each time, and what step() returned."""
    x = Parabola.start(device)
    optimizer = torch.optim.LBFGS([x], lr=0.1, max_iter=20)
    seen = []

    def closure():
        optimizer.zero_grad()
        loss = Parabola.loss(x)
        loss.backward()
        seen.append((x.item(), loss.item()))
        return loss.item()

    return seen, optimizer.step(closure)


@claim("lbfgs.update-rule")
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
@optimizers.each(only=("LBFGS",), every_preset=True)
@pytest.mark.needs(torch.float64)
def test_every_evaluation_is_that_of_the_oracle(case, objective, device):
    run = LBFGSRun(case, objective, device)
    check.close(
        seen=run.by_torch(),
        expected=run.by_oracle(),
        source="fixtures/oracles/lbfgs.py",
        tolerance=QUASI_NEWTON,
    )


@claim("lbfgs.evaluates-at-most-max-eval-times")
@pytest.mark.parametrize("max_eval", [1, 3, 6], ids="max_eval={}".format)
# The rate of the line search overshoots, so that it has to come back.
@pytest.mark.parametrize(
    "line_search_fn, lr", [(None, 0.1), ("strong_wolfe", 30.0)], ids=["fixed", "wolfe"]
)
def test_a_step_keeps_to_max_eval(line_search_fn, lr, max_eval, device):
    options = {"lr": lr, "max_iter": 10, "max_eval": max_eval, "line_search_fn": line_search_fn}
    case = Case(optimizers.by_name("LBFGS"), Preset("far", options))
    first_step = LBFGSRun(case, RIPPLES, device).by_torch()[0]
    seen = len(first_step["evaluations"])
    assert seen <= max_eval, f"{seen} evaluations instead of at most {max_eval}"


@claim("lbfgs.evaluates-several-times-in-a-step")
def test_the_closure_is_called_twenty_times(device, recorded):
    seen, _ = evaluations_of_one_step(device)
    check.printed(
        seen=seen,
        exact=[(2 - 0.9**k, 0.81**k) for k in range(20)],
        expected=[text for pair in PRINTED for text in pair],
        source="000-9",
        tolerance=STEPS,
    )
    recorded(torch.tensor(seen))


@claim("lbfgs.evaluates-several-times-in-a-step")
def test_the_distance_falls_by_a_tenth_each_time(device):
    seen, _ = evaluations_of_one_step(device)
    check.close(
        seen=torch.tensor(seen),
        expected=torch.tensor([(2 - 0.9**k, 0.81**k) for k in range(20)]),
        source="2 - 0.9^k and 0.81^k",
        tolerance=STEPS,
    )


@claim("lbfgs.step-returns-the-first-loss")
def test_step_returns_what_the_first_evaluation_did(device):
    _, returned = evaluations_of_one_step(device)
    check.same(seen=returned, expected=1.0, source="the loss at x = 1")
