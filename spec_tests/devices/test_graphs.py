"""Steps that are captured in a graph and replayed: on CUDA, which alone can do so."""

import warnings
from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

WARM_UP, REPLAYS = 3, 4


class CapturingStream:
    """A stream that says that it is being captured."""

    def is_capturing(self):
        return True


def fill(training, step):
    """Write the gradients of a step where those of the step before are."""
    for index, parameter in enumerate(training.parameters):
        gradient = torch.full_like(parameter, (-1.0) ** step * (step + index + 1) / 8)
        if parameter.grad is None:
            parameter.grad = gradient
        else:
            parameter.grad.copy_(gradient)


def warmed_up(case, device):
    """Return a training after some steps, taken on a stream of its own as torch's notes advise."""
    training = Training(case, device)
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for step in range(WARM_UP):
            fill(training, step)
            training.step()
    torch.cuda.current_stream(device).wait_stream(stream)
    return training


def outcome(training):
    return [training.values(), [dict(training.optimizer.state[p]) for p in training.parameters]]


@claim("graphs.replays-equal-steps")
@optimizers.each(taking=("capturable",), every_preset=True)
def test_replays_lead_where_steps_lead(case, device):
    captured, eager = (warmed_up(case, device) for _ in range(2))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured.step()
    for step in range(WARM_UP, WARM_UP + REPLAYS):
        fill(captured, step)
        graph.replay()
        fill(eager, step)
        eager.step()
    check.same(seen=outcome(captured), expected=outcome(eager), source="steps without a graph")


@claim("graphs.capture-changes-nothing")
@optimizers.each(taking=("capturable",))
def test_a_capture_changes_nothing(case, device):
    training = warmed_up(case, device)
    before = deepcopy(outcome(training))
    with torch.cuda.graph(torch.cuda.CUDAGraph()):
        training.step()
    check.same(seen=outcome(training), expected=before, source="before the capture")


@claim("graphs.capture-needs-capturable")
@optimizers.each(taking=("capturable",))
def test_capture_without_capturable_is_refused(case, device):
    training = warmed_up(case, device)
    with (
        pytest.raises(RuntimeError, match="capturable"),
        warnings.catch_warnings(action="ignore"),  # the graph is empty
        torch.cuda.graph(torch.cuda.CUDAGraph()),
    ):
        training.step()


@claim("graphs.any-capture-needs-capturable")
@optimizers.each(taking=("capturable",))
def test_a_step_on_a_stream_that_is_captured_is_refused(case, device, monkeypatch):
    training = Training(case, device)
    training.run(1)
    training.closure()
    monkeypatch.setattr(torch.accelerator, "current_stream", CapturingStream)
    with pytest.raises(RuntimeError, match=r"capture.*capturable"):
        training.step()


@claim("graphs.copy-warns-outside-capture")
@optimizers.each(taking=("capturable",))
def test_a_copy_warns_at_its_first_step_alone(case, device):
    training = Training(case, device)
    training.run(1)
    training.parameters, training.optimizer = deepcopy((training.parameters, training.optimizer))
    with pytest.warns(UserWarning, match="capturable"):
        training.run(1)
    with warnings.catch_warnings(action="error"):
        training.run(1)
