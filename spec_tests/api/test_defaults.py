"""What an option is worth when it is left out."""

import ast
import inspect

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers, published
from fixtures.claims import claim
from fixtures.runs.training import start
from fixtures.torch_api import defaults, installed

CPU = torch.device("cpu")

TABLE = "fixtures/catalogue/published/optim.toml"
# max_eval left out: five quarters of max_iter, without the fraction
MAX_EVALS = ((20, 25), (4, 5), (3, 3), (1, 1))
TORCH_S_OWN = optimizers.each(which="is_torch_s_own")


def built(case):
    return installed.built(case.optimizer.constructor())


def group(case):
    return published.published(torch.__version__)[f"torch.optim.{case.optimizer.name}"]["group"]


def of_parameters_alone(case):
    return case.optimizer.constructor()(start(case, CPU))


def differing(seen, expected):
    return ", ".join(f"{k}={seen[k]!r}, not {v!r}" for k, v in expected.items() if seen[k] != v)


@claim("defaults.published-signature")
@TORCH_S_OWN
def test_the_signature_has_the_published_defaults(case):
    parameters = inspect.signature(case.optimizer.constructor()).parameters
    expected = defaults.published(case.optimizer)
    seen = {option: parameters[option].default for option in expected}
    assert seen == expected, f"{case.optimizer.name}: {differing(seen, expected)}"


@claim("defaults.stated-in-the-list-of-arguments")
@defaults.each_default()
def test_the_list_of_arguments_states_the_default_in_effect(case):
    parameters = inspect.signature(case.optimizer.constructor()).parameters
    seen, stated = parameters[case.option].default, ast.literal_eval(case.stated())
    assert seen == stated, f"{case.option} is {seen!r} where the documentation states {stated!r}"


@claim("defaults.reach-every-group")
@TORCH_S_OWN
def test_a_group_of_an_optimizer_built_from_parameters_alone_holds_the_defaults(case):
    expected = defaults.in_effect(case.optimizer)
    seen = of_parameters_alone(case).param_groups[0]
    assert seen.keys() >= expected.keys(), f"absent: {sorted(expected.keys() - seen.keys())}"
    assert {k: seen[k] for k in expected} == expected, differing(seen, expected)


@claim("defaults.no-other-in-a-group")
@TORCH_S_OWN
def test_a_group_holds_nothing_that_is_not_published(case):
    check.same(seen=built(case)["group"], expected=group(case), source=TABLE)


@claim("defaults.kept-by-the-optimizer")
@TORCH_S_OWN
def test_the_defaults_of_an_optimizer_are_those_of_its_groups(case):
    check.same(seen=built(case)["defaults"], expected=group(case), source=TABLE)


@claim("defaults.lbfgs-max-eval-from-max-iter")
@pytest.mark.parametrize(
    "max_iter, max_eval", MAX_EVALS, ids=[f"max_iter={i}" for i, _ in MAX_EVALS]
)
def test_lbfgs_allows_five_evaluations_for_four_iterations(max_iter, max_eval):
    optimizer = torch.optim.LBFGS([torch.zeros(1, requires_grad=True)], max_iter=max_iter)
    seen = optimizer.param_groups[0]["max_eval"]
    check.same(seen=seen, expected=max_eval, source="max_iter * 1.25, as documented")


@claim("defaults.adagrad-options-are-zero")
@pytest.mark.parametrize("option", ["lr_decay", "weight_decay", "initial_accumulator_value"])
def test_adagrad_neither_decays_nor_starts_from_an_accumulator(option):
    optimizer = torch.optim.Adagrad([torch.zeros(1, requires_grad=True)])
    seen = optimizer.param_groups[0][option]
    assert seen == 0, f"{option} is {seen!r}"


@claim("defaults.weight-decay")
@optimizers.each(which="is_torch_s_own", taking=("weight_decay",))
def test_two_optimizers_decay_weights_unasked(case):
    seen = inspect.signature(case.optimizer.constructor()).parameters["weight_decay"]
    expected = {"AdamW": 0.01, "Muon": 0.1}.get(case.optimizer.name, 0)
    assert seen.default == expected, f"weight_decay is {seen.default!r}, not {expected!r}"


@claim("defaults.sgd-rate")
def test_sgd_has_a_rate_of_a_thousandth():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    check.same(seen=optimizer.param_groups[0]["lr"], expected=1e-3, source="documented since 2.2")


@claim("defaults.sgd-rate-was-required")
def test_sgd_without_a_rate_is_an_error():
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        torch.optim.SGD([torch.zeros(1, requires_grad=True)])
