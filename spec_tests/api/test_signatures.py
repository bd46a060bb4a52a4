"""What every optimizer can be called with."""

import inspect

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import start
from fixtures.specification.torch_range import TorchRange

CPU = torch.device("cpu")
ABSTRACT = torch.optim.Optimizer


def parameters_of(function):
    return inspect.signature(function).parameters


@claim("signatures.parameters-then-rate")
@optimizers.each()
def test_the_constructor_begins_with_params_and_lr(case):
    seen = list(parameters_of(case.optimizer.constructor()))[:2]
    check.same(seen=seen, expected=["params", "lr"], source="the documentation of the class")


@claim("signatures.parameters-then-rate")
@optimizers.each()
def test_a_second_positional_argument_is_the_rate(case):
    optimizer = case.optimizer.constructor()(start(case, CPU), 0.25)
    check.same(seen=optimizer.param_groups[0]["lr"], expected=0.25, source="the second argument")


@claim("signatures.option-came-with-its-release")
@optimizers.each(which="is_torch_s_own")
def test_an_option_is_a_parameter_from_its_release_on(case):
    accepted = parameters_of(case.optimizer.constructor())
    options = case.optimizer.options
    check.same(
        seen={option: option in accepted for option in options},
        expected={o: torch.__version__ in TorchRange(f">={r}") for o, r in options.items()},
        source="the release that brought each option",
    )


@claim("signatures.unknown-option-raises")
@optimizers.each()
def test_a_misspelt_option_is_an_error(case):
    with pytest.raises(TypeError, match="learning_rate"):
        case.optimizer.constructor()(start(case, CPU), learning_rate=0.25)


@claim("signatures.zero-grad-defaults-to-none")
@optimizers.each()
def test_zero_grad_has_one_option_and_it_is_on(case):
    parameters = parameters_of(case.optimizer.constructor().zero_grad)
    check.same(
        seen={name: p.default for name, p in parameters.items() if name != "self"},
        expected={"set_to_none": True},
        source="the documentation of Optimizer.zero_grad",
    )


@claim("signatures.step-takes-a-closure")
@optimizers.each()
def test_step_is_called_with_a_closure_by_position_or_by_name(case):
    optimizer = case.build(start(case, CPU))
    seen = [optimizer.step(lambda: 1.5), optimizer.step(closure=lambda: 2.5)]
    check.same(seen=seen, expected=[1.5, 2.5], source="what each closure returned")


@claim("signatures.base-class-cannot-step")
def test_step_of_the_base_class_is_not_implemented():
    optimizer = ABSTRACT([torch.zeros(1, requires_grad=True)], {})
    with pytest.raises(NotImplementedError):
        optimizer.step(None)
