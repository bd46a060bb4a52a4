"""What becomes of a closure that is given to step()."""

import warnings

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import Parabola
from fixtures.claims import claim
from fixtures.runs.training import Training

CONVERSION = "Converting a tensor with requires_grad=True to a scalar"

RETURNED = {"item": torch.Tensor.item, "detach": torch.Tensor.detach}


def train(training, returned, steps=2):
    """Step with a closure that returns the loss in one of its forms; return where that led."""

    def closure():
        training.optimizer.zero_grad()
        return returned(training.backward())

    losses = [training.optimizer.step(closure) for _ in range(steps)]
    return {"losses": [float(loss) for loss in losses], "parameters": training.values()}


@claim("closures.may-be-left-out")
@optimizers.each(but="needs_closure")
def test_a_step_without_a_closure_returns_none(case, device):
    training = Training(case, device)
    training.backward()
    check.same(seen=training.optimizer.step(), expected=None, source="there is no loss to return")


@claim("closures.called-once")
@optimizers.each(but="needs_closure")
def test_a_closure_is_called_once_and_its_value_returned(case, device):
    training, losses = Training(case, device), []

    def closure():
        losses.append(training.closure())
        return losses[-1]

    returned = training.optimizer.step(closure)
    check.same(seen=[returned], expected=losses, source="what the closure returned, at each call")


@claim("closures.called-once")
@optimizers.each(but="needs_closure")
def test_a_closure_is_called_once_for_two_groups(case, device):
    training, calls = Training(case, device), []
    groups = [{"params": [parameter]} for parameter in training.parameters]
    training.optimizer = case.build(groups)
    training.optimizer.step(lambda: calls.append(training.closure()))
    assert len(calls) == 1, f"called {len(calls)} times"


@claim("closures.run-with-grad-enabled")
@optimizers.each()
def test_a_closure_runs_with_grad_enabled_under_no_grad(case, device):
    training, modes = Training(case, device), set()

    def closure():
        modes.add(torch.is_grad_enabled())
        return training.closure()

    with torch.no_grad():
        training.optimizer.step(closure)
    check.same(seen=sorted(modes), expected=[True], source="grad mode inside the closure")


@claim("closures.run-before-the-update")
@optimizers.each(but="needs_closure")
def test_a_step_takes_the_gradients_that_its_closure_fills(case, device):
    before, inside = Training(case, device), Training(case, device)
    for _ in range(3):
        before.closure()
        before.optimizer.step()
        inside.optimizer.step(inside.closure)
    check.same(
        seen=inside.values(), expected=before.values(), source="backward() first, then the step"
    )


FORMS = pytest.mark.parametrize("returned", RETURNED.values(), ids=RETURNED)


def check_the_form_changes_no_result(case, returned, device):
    __tracebackhide__ = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 2.8 warns of the loss itself
        expected = train(Training(case, device), lambda loss: loss)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        seen = train(Training(case, device), returned)
    check.same(
        seen=[seen, [str(warning.message) for warning in given]],
        expected=[expected, []],
        source="a closure that returns the loss itself, and no warning",
    )


@claim("closures.number-or-detached-loss")
@pytest.mark.usefixtures("every_warning")
@FORMS
@optimizers.each(but="needs_closure")
def test_the_form_of_the_loss_changes_no_result(case, returned, device):
    check_the_form_changes_no_result(case, returned, device)


@claim("closures.number-or-detached-loss")
@pytest.mark.usefixtures("every_warning")
@FORMS
@optimizers.each(which="needs_closure", every_preset=True)
def test_the_form_of_the_loss_changes_no_line_search(case, returned, device):
    check_the_form_changes_no_result(case, returned, device)


def step_on_the_parabola(device):
    """Take the step of 000-9, whose closure returns a loss that requires grad."""
    x = Parabola.start(device)
    optimizer = torch.optim.LBFGS([x], lr=0.1, max_iter=20)

    def closure():
        optimizer.zero_grad()
        loss = Parabola.loss(x)
        loss.backward()
        return loss

    optimizer.step(closure)


@claim("closures.loss-requiring-grad-warns")
@pytest.mark.usefixtures("every_warning")
def test_lbfgs_warns_at_every_evaluation_but_the_first(device):
    with pytest.warns(UserWarning, match=CONVERSION) as given:
        step_on_the_parabola(device)
    count = sum(CONVERSION in str(warning.message) for warning in given)
    check.same(seen=count, expected=19, source="twenty evaluations (000-9), less the first")


@claim("closures.loss-requiring-grad-is-silent")
@pytest.mark.usefixtures("every_warning")
def test_lbfgs_does_not_warn_on_the_parabola(device):
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        step_on_the_parabola(device)
    check.same(seen=[str(w.message) for w in given], expected=[], source="no warning is due")


@claim("closures.loss-requiring-grad-is-silent")
@pytest.mark.usefixtures("every_warning")
@optimizers.each()
def test_no_optimizer_warns_of_a_loss_that_requires_grad(case, device):
    training = Training(case, device)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        training.optimizer.step(training.backward)
    check.same(seen=[str(w.message) for w in given], expected=[], source="no warning is due")
