"""Parameters that have no elements, such as the bias of a layer of width 0."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import loss_of, start


def values_after_a_step(case, device, *others):
    parameters = start(case, device)
    optimizer = case.build([*parameters, *others])
    loss_of(case, parameters).backward()
    optimizer.step()
    return [parameter.detach() for parameter in parameters]


@claim("empty-parameters.are-skipped")
@optimizers.each(which="accepts_dense_gradients", but="needs_closure")
def test_the_other_parameters_move_as_they_do_without_it(case, device):
    check_passed_over(case, device, shape=(0, 2))


@claim("empty-parameters.are-skipped")
@pytest.mark.parametrize("shape", [(2, 0)], ids=["no_columns"])
@optimizers.each(which="accepts_dense_gradients", but=("elementwise", "needs_closure"))
def test_the_other_parameters_move_as_they_do_without_a_matrix_of_no_columns(case, shape, device):
    check_passed_over(case, device, shape)


def check_passed_over(case, device, shape):
    __tracebackhide__ = True
    empty = torch.zeros(shape, device=device, requires_grad=True)
    empty.grad = torch.zeros(shape, device=device)
    check.same(
        seen=values_after_a_step(case, device, empty),
        expected=values_after_a_step(case, device),
        source="the step without the empty parameter",
    )


@claim("empty-parameters.have-state")
@optimizers.each(which="elementwise")
def test_an_empty_parameter_has_the_state_of_any_other(case, device):
    empty = torch.zeros(0, 2, device=device, requires_grad=True)
    empty.grad = torch.zeros(0, 2, device=device)
    optimizer = case.build([empty])
    optimizer.step()
    seen = {k: v for k, v in optimizer.state[empty].items() if v is not None}
    check.same(
        seen=sorted(seen),
        expected=sorted(case.optimizer.state_keys),
        source="the state that the record lists",
    )
