"""Leaves that require grad, which a differentiable step cannot change."""

import pytest

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import everything, fresh


def refused(case, device):
    """See that a differentiable step over leaves is refused; return everything before and after."""
    training = fresh(case, device)
    training.closure()
    before = everything(training)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        training.step()
    return before, everything(training)


@claim("refused.differentiable-over-leaves")
@optimizers.each(taking=("differentiable",))
def test_a_differentiable_step_over_the_parameters_of_a_module_is_an_error(case, device):
    (before, _), (after, _) = refused(case, device)
    check.same(seen=after, expected=before, source="the parameters before the step")


@claim("refused.leaves-change-no-state")
@optimizers.each(taking=("differentiable",))
def test_a_differentiable_step_that_is_refused_leaves_the_state(case, device):
    (_, before), (_, after) = refused(case, device)
    check.same(seen=after, expected=before, source="the state before the step")
