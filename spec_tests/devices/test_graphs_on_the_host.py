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


@pytest.fixture(params=[False, True], ids=["idle", "capturing"])
def capturing(request, monkeypatch):
    """Whether the stream of what torch takes for a CUDA device is being captured."""
    stream = SimpleNamespace(is_capturing=lambda: request.param)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "current_stream", lambda: stream)
    return request.param


def warnings_of_two_steps(training):
    """Return the words of what two steps warn of."""
    training.backward()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        training.step()
        training.step()
    return [str(one.message) for one in caught]


@claim("graphs.capture-needs-capturable-on-host")
@pytest.mark.parametrize("capturing", [True], ids=["capturing"], indirect=True)
@optimizers.each(adding={"capturable": False})
@pytest.mark.usefixtures("capturing")
def test_a_step_that_is_not_capturable_is_not_captured(case):
    training = Training(case, torch.device("cpu"))
    training.backward()
    with pytest.raises(RuntimeError, match=r"CUDA graph capture.* capturable is False"):
        training.step()


@claim("graphs.copy-warns-outside-capture-on-host")
@pytest.mark.parametrize("capturing", [False], ids=["idle"], indirect=True)
@optimizers.each(adding={"capturable": True})
@pytest.mark.usefixtures("capturing")
def test_a_copy_of_a_capturable_optimizer_warns_once_of_steps_outside(case, the_cpu_as_accelerator):
    training = Training(case, the_cpu_as_accelerator)
    original = warnings_of_two_steps(training)
    training.optimizer = deepcopy(training.optimizer)
    copied = warnings_of_two_steps(training)
    assert original == [], f"the original warns: {original}"
    assert [OUTSIDE in words for words in copied] == [True], f"warnings: {copied}"


@claim("graphs.matching-steps-are-silent-on-host")
@optimizers.each(adding={"capturable": False})
def test_a_step_that_is_what_the_stream_asks_says_nothing(case, capturing, the_cpu_as_accelerator):
    training = Training(case, the_cpu_as_accelerator, capturable=capturing)
    found = warnings_of_two_steps(training)
    assert found == [], f"warnings: {found}"
