"""Calls of an AveragedModel in the modes of torch, and outside of them in between."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import averagings, modes
from fixtures.catalogue.averagings import OF_EACH_KIND, Net
from fixtures.claims import claim
from fixtures.runs.calls_in_modes import AveragingCalls, in_turn, made, outside

ON_EACH_KIND = averagings.each(only=OF_EACH_KIND)


def compare(averaging, device, chosen):
    """Assert that an average goes with these modes where it goes without."""
    __tracebackhide__ = True
    check.same(
        seen=in_turn(lambda: AveragingCalls(averaging, device), chosen),
        expected=outside(lambda: AveragingCalls(averaging, device), chosen),
        source="the same calls without any mode",
    )


@claim("averaged-model.modes-change-no-average")
@ON_EACH_KIND
def test_no_call_of_an_average_heeds_a_mode(averaging, device):
    compare(averaging, device, (*modes.OTHERS, modes.AUTOCAST))


@claim("averaged-model.ignores-the-default-device")
@ON_EACH_KIND
def test_nothing_of_an_average_is_made_on_the_default_device(averaging, device):
    compare(averaging, device, modes.DEFAULT_DEVICES)


@claim("averaged-model.ignores-the-default-dtype")
@ON_EACH_KIND
def test_no_average_is_computed_in_the_default_dtype(averaging, device):
    compare(averaging, device, modes.HALF_DEFAULTS)


@claim("averaged-model.may-enter-inference-mode")
@ON_EACH_KIND
def test_an_average_that_was_built_outside_may_follow_in_inference_mode(averaging, device):
    inside, other = AveragingCalls(averaging, device), AveragingCalls(averaging, device)
    outside_modes = [modes.OUTSIDE] + [modes.INFERENCE] * (len(inside.calls) - 1)
    seen, expected = made(inside, outside_modes), made(other)
    check.same(
        seen=list(seen[0].values()),
        expected=list(expected[0].values()),
        source="the same calls outside of inference mode",
    )


@claim("averaged-model.cannot-leave-inference-mode")
@ON_EACH_KIND
def test_an_average_that_was_built_in_inference_mode_does_not_follow_outside(averaging, device):
    net = Net(device)
    with torch.inference_mode():
        average = averaging.of(net)
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        average.update_parameters(net)
