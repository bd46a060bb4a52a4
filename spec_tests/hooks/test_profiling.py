"""What a profiler shows of an optimizer."""

import sys

import torch
from torch.profiler import ProfilerActivity, profile

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training
from fixtures.specification.torch_range import TorchRange


def events(tree):
    """Return every event of a tree."""
    return [event for node in tree for event in (node, *events(node.children))]


def entries_shown(run):
    """Return for each parameter of the optimizers in a profile the state entries that it shows."""
    tree = events(run.profiler.kineto_results.experimental_event_tree())
    of_optimizers = [getattr(event.extra_fields, "optimizer", None) for event in tree]
    return [[key for key, _ in state] for o in of_optimizers if o for _, _, state in o.parameters]


def entries_kept(training):
    """Return for each parameter of a training the entries of its state that are tensors."""
    states = [dict(training.optimizer.state.get(p, {})) for p in training.parameters]
    return [[key for key, entry in state.items() if torch.is_tensor(entry)] for state in states]


@claim("profiling.names-steps-and-clearing")
@optimizers.each()
def test_a_profile_names_the_step_and_the_clearing_by_the_class(case, device):
    training, name = Training(case, device), case.optimizer.name
    training.backward()
    with torch.autograd.profiler.profile() as profiled:
        training.step()
        training.optimizer.zero_grad()
    seen = [event.name for event in profiled.function_events if event.name.startswith("Optimizer.")]
    check.same(
        seen=seen,
        expected=[f"Optimizer.step#{name}.step", f"Optimizer.zero_grad#{name}.zero_grad"],
        source="each once, in the order of the calls",
    )


@claim("profiling.names-a-subclass")
def test_a_profile_names_a_subclass(device):
    class Gentle(torch.optim.SGD):
        pass

    optimizer = Gentle([torch.zeros(1, device=device, requires_grad=True)], lr=0.1)
    with torch.autograd.profiler.profile() as profiled:
        optimizer.step()
        optimizer.zero_grad()
    seen = [event.name for event in profiled.function_events if event.name.startswith("Optimizer.")]
    check.same(
        seen=seen,
        expected=["Optimizer.step#Gentle.step", "Optimizer.zero_grad#Gentle.zero_grad"],
        source="the name of the class that was built",
    )


@claim("profiling.shows-parameters-and-state")
@optimizers.each()
def test_a_profile_with_stacks_shows_parameters_and_state_after_the_step(
    case, device, not_applicable
):
    if sys.version_info >= (3, 13) and torch.__version__ not in TorchRange(">=2.7.1"):
        not_applicable(
            f"before torch 2.7.1, a profile with stacks ends the process under Python {sys.version[:4]}: "
            "pytorch#144094"
        )
    training = Training(case, device)
    training.backward()
    with profile(activities=[ProfilerActivity.CPU], with_stack=True, record_shapes=True) as run:
        training.step()
    check.same(
        seen=entries_shown(run),
        expected=entries_kept(training),
        source="the tensors in optimizer.state",
    )
