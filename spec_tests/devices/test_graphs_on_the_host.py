"""What a step asks before a graph is captured, with a stream that says whether one is."""

import warnings
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

OUTSIDE = "running without CUDA graph capture"


def say(monkeypatch, *, captured):
    """Have the current stream of what torch takes for a CUDA device say whether it is captured."""
    stream = SimpleNamespace(is_capturing=lambda: captured)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "current_stream", lambda: stream)


@pytest.fixture
def capturing(monkeypatch):
    """A stream that is being captured."""
    say(monkeypatch, captured=True)


@pytest.fixture
def idle(monkeypatch):
    """A stream that is not being captured."""
    say(monkeypatch, captured=False)


def warnings_of_two_steps(training):
    """Return the words of what two steps warn of."""
    training.backward()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        training.step()
        training.step()
    return [str(one.message) for one in caught]


@claim("graphs.capture-needs-capturable-on-host")
@pytest.mark.usefixtures("capturing")
@optimizers.each(taking=("capturable",))
def test_a_step_that_is_not_capturable_is_not_captured(case, device):
    training = Training(case, device)
    training.backward()
    with pytest.raises(RuntimeError, match=r"CUDA graph capture.* capturable is False"):
        training.step()


@claim("graphs.copy-warns-outside-capture-on-host")
@pytest.mark.usefixtures("idle")
@optimizers.each(taking=("capturable",))
def test_a_copy_of_a_capturable_optimizer_warns_once_of_steps_outside(case, device):
    training = Training(case, device)
    original = warnings_of_two_steps(training)
    training.optimizer = deepcopy(training.optimizer)
    copied = warnings_of_two_steps(training)
    assert original == [], f"the original warns: {original}"
    assert [OUTSIDE in words for words in copied] == [True], f"warnings: {copied}"


@claim("graphs.matching-steps-are-silent-on-host")
@pytest.mark.usefixtures("capturing")
@optimizers.each(taking=("capturable",), by=("capturable",))
def test_a_capturable_step_says_nothing_while_it_is_captured(case, device):
    check_silent(case, device)


@claim("graphs.matching-steps-are-silent-on-host")
@pytest.mark.usefixtures("idle")
@optimizers.each(taking=("capturable",), not_by=("capturable",))
def test_any_other_step_says_nothing_while_none_is_captured(case, device):
    check_silent(case, device)


def check_silent(case, device):
    __tracebackhide__ = True
    found = warnings_of_two_steps(Training(case, device))
    assert found == [], f"warnings: {found}"
