"""Options at the edge of what a rule allows, where a shortcut would be at hand."""

import re

import pytest

from fixtures.assertions import check
from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

WITH_MOMENTS = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
RULES = (
    "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam",
    "RMSprop", "Rprop", "SGD", "SparseAdam",
)  # fmt: skip
EPS = 0.125
EDGES = (
    # Rprop bounds its rate from below, which has a claim of its own; SparseAdam refuses 0.
    *((name, {"lr": 0.0}) for name in RULES if name not in ("Rprop", "SparseAdam")),
    *((name, {"lr": 1}) for name in RULES),
    *((name, {"weight_decay": 1}) for name in RULES if name not in ("Rprop", "SparseAdam")),
    *((name, {"betas": (0.0, 0.5), "eps": EPS}) for name in (*WITH_MOMENTS, "SparseAdam")),
    *((name, {"betas": (0.5, 0.0), "eps": EPS}) for name in (*WITH_MOMENTS, "SparseAdam")),
    *((name, {"betas": (0.0, 0.0), "eps": EPS}) for name in (*WITH_MOMENTS, "SparseAdam")),
    ("ASGD", {"lambd": 0.0}),
    ("ASGD", {"alpha": 0.0}),
    ("ASGD", {"t0": 0}),
    ("ASGD", {"t0": 1}),
    ("Adadelta", {"rho": 0.0, "eps": EPS}),
    ("Adadelta", {"rho": 1.0, "eps": EPS}),
    ("Adafactor", {"eps": (0.0, EPS)}),
    ("Adafactor", {"eps": (None, 0.0)}),
    ("Adafactor", {"beta2_decay": 0.0}),
    ("Adafactor", {"d": 1}),
    ("Adagrad", {"lr_decay": 1.5}),
    ("Adagrad", {"initial_accumulator_value": 3, "eps": 0.0}),
    ("NAdam", {"momentum_decay": 0.0}),
    ("NAdam", {"momentum_decay": 1}),
    ("RAdam", {"betas": (0.5, 0.6)}),
    ("RAdam", {"betas": (0.5, 2 / 3)}),
    ("RMSprop", {"alpha": 0.0, "eps": EPS}),
    ("RMSprop", {"alpha": 1.0, "eps": EPS}),
    ("RMSprop", {"momentum": 1.5}),
    ("SGD", {"momentum": 1}),
    ("SGD", {"momentum": 0.5, "dampening": 1}),
    ("SGD", {"momentum": 0.5, "dampening": -1.5}),
)


def edge(name, options):
    """Return a case, with an id as ``adam.betas=0.0_0.5``."""
    told = {option: v for option, v in options.items() if option != "eps"} or options
    values = "-".join(f"{option}={value}" for option, value in told.items())
    preset = Preset(re.sub(r"[() ]", "", values).replace(",", "_").lower(), options)
    case = Case(optimizers.by_name(name), preset)
    return pytest.param(case, id=case.id)


@claim("edges.take-the-documented-steps")
@pytest.mark.parametrize("case", [edge(*entry) for entry in EDGES])
def test_an_option_at_its_edge_gives_the_oracle_s_steps(case, device):
    table = {"SparseAdam": gradient_tables.SPARSE, "Adafactor": gradient_tables.MATRICES}
    run = OptimizerRun(
        case,
        device,
        table=table.get(case.optimizer.name, gradient_tables.ORDINARY),
        later={"lr": 0.25},
    )
    both = [{"foreach": False}, {"foreach": True}] if "foreach" in case.optimizer.options else [{}]
    check.close(
        seen=[run.by_torch(**options) for options in both],
        expected=[run.by_oracle()] * len(both),
        source="the oracle in fixtures/oracles",
        tolerance=TEN_STEPS,
    )
