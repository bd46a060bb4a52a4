"""What a constructor and add_param_group() refuse, and what a user meets first."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training, start

NAMES_THE_RATE = r"(?i)learning rate.*-0\.5"


@claim("errors.tensor-in-the-place-of-a-list")
@optimizers.each()
def test_a_tensor_in_the_place_of_a_list_is_an_error(case, device):
    parameter = start(case, device)[0]
    with pytest.raises(TypeError, match="iterable of Tensors"):
        case.build(parameter)


@claim("errors.tensor-in-the-place-of-a-list")
@optimizers.each()
def test_so_is_a_tensor_that_is_no_parameter(case, device):
    plain = start(case, device)[0].detach().requires_grad_()
    with pytest.raises(TypeError, match="iterable of Tensors"):
        case.build(plain)


@claim("errors.non-tensor-in-the-list")
@pytest.mark.parametrize("thing", [1.0, None], ids=["number", "none"])
@optimizers.each()
def test_something_that_is_no_tensor_is_an_error(case, thing, device):
    with pytest.raises(TypeError, match="can only optimize Tensors"):
        case.build([*start(case, device), thing])


@claim("errors.result-of-a-computation")
@optimizers.each()
def test_the_result_of_a_computation_is_an_error(case, device):
    results = [2 * parameter for parameter in start(case, device)]
    with pytest.raises(ValueError, match="non-leaf"):
        case.build(results)


@claim("errors.negative-rate")
@optimizers.each(but="checks_lr_since_2_5")
def test_a_negative_rate_is_an_error(case, device):
    with pytest.raises(ValueError, match=NAMES_THE_RATE):
        case.build(start(case, device), lr=-0.5)


@claim("errors.negative-rate-of-lbfgs")
@optimizers.each(only=("LBFGS",))
def test_a_negative_rate_is_an_error_for_lbfgs(case, device):
    with pytest.raises(ValueError, match=NAMES_THE_RATE):
        case.build(start(case, device), lr=-0.5)


@claim("errors.negative-rate-of-lbfgs-was-taken")
@optimizers.each(only=("LBFGS",))
def test_lbfgs_climbs_with_a_negative_rate(case, device):
    training = Training(case, device, lr=-0.01, max_iter=1)
    before = training.loss().item()
    training.run(1)
    after = training.loss().item()
    assert after > before, f"the loss went from {before} to {after}"


@claim("errors.parameter-twice-in-a-group")
@optimizers.each()
def test_a_parameter_twice_in_a_group_gives_a_warning(case, device):
    first, second = start(case, device)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        case.build([first, second, first])


@claim("errors.parameter-in-two-groups")
@optimizers.each(but="takes_one_group")
def test_a_parameter_in_two_groups_is_an_error(case, device):
    first, second = start(case, device)
    with pytest.raises(ValueError, match="more than one parameter group"):
        case.build([{"params": [first]}, {"params": [second, first]}])


@claim("errors.parameter-in-two-groups")
@optimizers.each(but="takes_one_group")
def test_a_parameter_in_two_groups_with_another_between_them_is_an_error(case, device):
    first, second = start(case, device)
    with pytest.raises(ValueError, match="more than one parameter group"):
        case.build([{"params": [first]}, {"params": [second]}, {"params": [first]}])


@claim("errors.parameter-in-two-groups")
@optimizers.each()
def test_a_parameter_in_an_added_group_is_an_error_and_changes_nothing(case, device):
    training = Training(case, device)
    with pytest.raises(ValueError, match="more than one parameter group"):
        training.optimizer.add_param_group({"params": training.parameters[:1]})
    check.same(
        seen=len(training.optimizer.param_groups), expected=1, source="the group was refused"
    )


@claim("errors.non-dict-group")
@optimizers.each()
def test_a_group_that_is_no_dict_is_an_error(case, device):
    first, second = start(case, device)
    optimizer = case.build([first])
    with pytest.raises(TypeError, match="must be a dict"):
        optimizer.add_param_group([second])


@claim("errors.group-of-a-set")
@optimizers.each()
def test_a_group_of_a_set_is_an_error(case, device):
    first, second = start(case, device)
    optimizer = case.build([first])
    with pytest.raises(TypeError, match="ordered collections"):
        optimizer.add_param_group({"params": {second}})


@claim("errors.set-of-parameters")
@optimizers.each()
def test_a_set_of_parameters_gives_a_warning(case, device):
    parameters = set(start(case, device))
    with pytest.warns(FutureWarning, match="use a list instead"):
        case.build(parameters)


@claim("errors.set-of-parameters")
def test_a_list_of_parameters_gives_none(device, recwarn):
    torch.optim.SGD([torch.zeros(2, device=device, requires_grad=True)], lr=0.1)
    seen = [str(warning.message) for warning in recwarn]
    check.same(seen=seen, expected=[], source="a list has an order")
