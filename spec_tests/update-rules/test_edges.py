"""Options at the edge of what a rule allows, where a shortcut would be at hand."""

import math
import re

from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.gradient_tables import Table
from fixtures.catalogue.optimizer_record import DENSE, SPARSE, Case, Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

EPS = 0.125
TABLES = {
    DENSE: Table((*gradient_tables.ORDINARY.groups, *gradient_tables.MATRICES.groups[1:])),
    SPARSE: gradient_tables.SPARSE,
}


def of_each(options, *, also_taking=()):
    """Return the options with the name of each optimizer that has an oracle and takes them."""
    taking = (*options, *also_taking)
    return [(entry.name, options) for entry in optimizers.chosen(which="has_oracle", taking=taking)]


# Those without a decay want more than 0: Rprop bounds its rate from below, which has a claim of its own,
# and SparseAdam refuses 0.
RATES_OF_ZERO = of_each({"lr": 0.0}, also_taking=("weight_decay",))
EDGES = (
    *of_each({"lr": 1}),
    *of_each({"weight_decay": 1}),
    *of_each({"betas": (0.0, 0.5), "eps": EPS}),
    *of_each({"betas": (0.5, 0.0), "eps": EPS}),
    *of_each({"betas": (0.0, 0.0), "eps": EPS}),
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
    """Return a case, named as ``adam.betas=0.0_0.5``."""
    told = {option: v for option, v in options.items() if option != "eps"} or options
    values = "-".join(f"{option}={value}" for option, value in told.items())
    preset = Preset(re.sub(r"[() ]", "", values).replace(",", "_").lower(), options)
    return Case(optimizers.by_name(name), preset)


def cases(edges, *, of_radam):
    """Return the cases of RAdam, or those of all others."""
    return [edge(name, options) for name, options in edges if (name == "RAdam") is of_radam]


@claim("edges.take-the-documented-steps")
@optimizers.each_of(cases(EDGES, of_radam=False))
def test_an_option_at_its_edge_gives_the_oracle_s_steps(case, device):
    check_steps(case, device)


# A capturable step of RAdam subtracts numbers near 2,000 from each other in tensors, and a large rate shows
# how they were rounded: its capturable steps are asked where rates are small.
@claim("edges.take-the-documented-steps")
@optimizers.each_of(cases(EDGES, of_radam=True), not_by="capturable")
def test_an_option_at_its_edge_gives_the_steps_of_radam_s_oracle(case, device):
    check_steps(case, device)


@claim("edges.start-at-a-rate-of-zero")
@optimizers.each_of(cases(RATES_OF_ZERO, of_radam=False))
def test_a_rate_of_zero_gives_the_oracle_s_steps(case, device):
    check_steps(case, device)


@claim("edges.start-at-a-rate-of-zero")
@optimizers.each_of(cases(RATES_OF_ZERO, of_radam=True), not_by="capturable")
def test_a_rate_of_zero_gives_the_steps_of_radam_s_oracle(case, device):
    check_steps(case, device)


def check_steps(case, device):
    __tracebackhide__ = True
    table = TABLES[case.optimizer.parameters]
    OptimizerRun(case, device, table=table, later={"lr": 0.25}).check()


def infinite(option, *, which="has_oracle", but=()):
    """Return the cases of the optimizers that take the option, which is infinite."""
    taking = optimizers.chosen(which=which, taking=option)
    return [edge(entry.name, {option: math.inf}) for entry in taking if entry.name not in but]


@claim("edges.infinite-rate")
@optimizers.each_of(infinite("lr", but=("Adafactor", "Rprop")))
def test_a_first_step_with_an_infinite_rate_is_that_of_the_oracle(case, device):
    check_first_step(case, device)


@claim("edges.infinite-eps")
@optimizers.each_of(infinite("eps", which="adds_eps_to_the_divisor"))
def test_a_first_step_with_an_infinite_eps_is_that_of_the_oracle(case, device):
    check_first_step(case, device)


def check_first_step(case, device):
    __tracebackhide__ = True
    table = gradient_tables.begun(TABLES[case.optimizer.parameters], 1)
    OptimizerRun(case, device, table=table).check()
