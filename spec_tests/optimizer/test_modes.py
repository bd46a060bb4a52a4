"""Calls of an optimizer in the modes of torch, and outside of them in between."""

from functools import partial

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import modes, optimizers
from fixtures.catalogue.implementations import Implementation
from fixtures.claims import claim
from fixtures.runs.calls_in_modes import OptimizerCalls, in_turn, made, outside
from fixtures.runs.each_implementation import in_each
from fixtures.runs.saved_training import CPU, everything, fresh, trained
from fixtures.runs.training import Training

AS_CHOSEN = Implementation("as torch chooses")
FORBIDDEN = pytest.raises(RuntimeError, match="in-place operation")


def compare(case, device, chosen, implementations=(AS_CHOSEN,)):
    """Assert that each implementation goes with these modes where it goes without."""
    __tracebackhide__ = True
    seen, expected = (
        in_each(
            case,
            implementations,
            device,
            lambda each, go=go: go(lambda: OptimizerCalls(each, device), chosen),
        )
        for go in (in_turn, outside)
    )
    check.same(seen=seen, expected=expected, source="the same calls without any mode")


@claim("modes.change-no-call")
@optimizers.each()
def test_no_call_heeds_a_mode(case, device):
    compare(case, device, modes.OTHERS)


@claim("modes.autocast-changes-no-call")
@optimizers.each()
def test_no_call_heeds_autocast(case, implementations, device):
    compare(case, device, [modes.AUTOCAST], implementations)


@claim("modes.half-default-dtype-changes-no-call")
@optimizers.each()
def test_no_call_computes_in_half_precision(case, implementations, device):
    compare(case, device, modes.HALF_DEFAULTS, implementations)


@claim("modes.default-device-changes-no-call")
@optimizers.each()
def test_no_call_makes_anything_on_the_default_device(case, device):
    compare(case, device, modes.DEFAULT_DEVICES)


@claim("inference-mode.other-calls-may-enter-it")
@optimizers.each(but="keeps_state_from_construction")
def test_all_calls_but_steps_may_be_made_in_inference_mode(case):
    inside, other = OptimizerCalls(case, CPU), OptimizerCalls(case, CPU)
    inside.calls = {
        name: call if "step" in name else partial(modes.INFERENCE.around, call)
        for name, call in inside.calls.items()
    }
    check.same(
        seen=made(inside), expected=made(other), source="the same calls outside of inference mode"
    )


@claim("inference-mode.built-state-cannot-leave-it")
@optimizers.each(which="keeps_state_from_construction")
def test_an_optimizer_built_in_inference_mode_with_its_state_does_not_step_outside(case, device):
    with torch.inference_mode():
        training = Training(case, device)
    for parameter in training.parameters:
        parameter.grad = torch.ones_like(parameter)
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        training.step()


def refused_within(mode, training):
    """See that a step within a function that is differentiated is refused; return what it leaves."""
    with FORBIDDEN:
        mode.around(training.step)
    return everything(training)


@claim("modes.derivatives-refuse-steps")
@optimizers.each()
def test_a_step_within_a_function_that_is_differentiated_is_an_error(case):
    training = trained(case)
    training.closure()
    before = everything(training)
    seen = {mode.name: refused_within(mode, training) for mode in modes.DERIVATIVES}
    check.same(seen=seen, expected=dict.fromkeys(seen, before), source="before the step")


@claim("modes.derivatives-refuse-the-first-step")
@modes.each(modes.DERIVATIVES)
@optimizers.each(
    which=("keeps_state", "accepts_dense_gradients"), but="keeps_state_from_construction"
)
def test_a_first_step_that_was_refused_leaves_nothing_behind(case, mode):
    training, other = fresh(case), fresh(case)
    training.closure()
    with FORBIDDEN:
        mode.around(training.step)
    training.run(2)
    other.run(2)
    check.same(
        seen=everything(training), expected=everything(other), source="a training without it"
    )
