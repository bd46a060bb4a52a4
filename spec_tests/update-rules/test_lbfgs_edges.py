"""LBFGS where it chooses: line searches round by round, tolerances met exactly, parameters of all kinds."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import QUASI_NEWTON
from fixtures.catalogue import line_searches, optimizers
from fixtures.catalogue.objectives import EIGHT
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.catalogue.parameter_splits import PARAMETER_SPLITS
from fixtures.claims import claim
from fixtures.runs.lbfgs_run import LBFGSRun

SOURCE = "fixtures/oracles/lbfgs.py"
EACH_SPLIT = pytest.mark.parametrize("split", PARAMETER_SPLITS, ids=lambda a: a.name)


def check_against_the_oracle(run, **options):
    __tracebackhide__ = True
    check.close(
        seen=run.by_torch(**options),
        expected=run.by_oracle(),
        source=SOURCE,
        tolerance=QUASI_NEWTON,
    )


@claim("lbfgs.line-search-brackets")
@line_searches.each(line_searches.BRACKETING)
def test_a_line_search_goes_on_until_it_has_a_bracket(edge, device):
    check_against_the_oracle(LBFGSRun(edge.case, edge.script, device, steps=1))


@claim("lbfgs.line-search-zooms")
@line_searches.each(line_searches.ZOOMING)
@pytest.mark.needs(torch.float64)
def test_a_line_search_narrows_its_bracket(edge, device):
    check_against_the_oracle(LBFGSRun(edge.case, edge.script, device, steps=1))


@claim("lbfgs.line-search-zooms")
@line_searches.each(line_searches.ZOOMING)
@pytest.mark.needs(torch.float64)
def test_the_next_iteration_goes_on_from_the_point_that_was_taken(edge, device):
    twice = Case(edge.case.optimizer, Preset("twice", {**edge.options, "max_iter": 2}))
    check_against_the_oracle(LBFGSRun(twice, edge.script, device, steps=1))


@claim("lbfgs.line-search-ends-at-max-eval")
@line_searches.each(line_searches.ENDING)
def test_a_line_search_ends_at_its_best_point_when_evaluations_run_out(edge, device):
    check_against_the_oracle(LBFGSRun(edge.case, edge.script, device, steps=1))


@claim("lbfgs.step-ends-at-limits")
@line_searches.each(line_searches.STEPS)
def test_a_step_ends_at_a_limit_or_a_tolerance(edge, device):
    check_against_the_oracle(LBFGSRun(edge.case, edge.script, device, steps=3))


@claim("lbfgs.sees-one-vector")
@EACH_SPLIT
@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"], ids=["fixed", "wolfe"])
def test_parameters_of_any_kind_move_as_one_vector(line_search_fn, split, device):
    options = {"lr": 0.5, "max_iter": 3, "history_size": 2, "line_search_fn": line_search_fn}
    case = Case(optimizers.by_name("LBFGS"), Preset("short", options))
    check_against_the_oracle(LBFGSRun(case, EIGHT, device, split, steps=3))
