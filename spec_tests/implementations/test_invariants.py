"""What no step of any optimizer does, in any implementation."""

import warnings
from dataclasses import dataclass, field
from functools import cache

import torch

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices import capabilities
from fixtures.runs.training import Training
from fixtures.specification.torch_range import TorchRange

REAL_OR_COMPLEX, REAL = (torch.float32, torch.complex64), (torch.float32, torch.bfloat16)
# By a name: the options, since when, and the dtypes besides that of a loop.
IMPLEMENTATIONS = {
    "by default": ({}, ">=2.0", (torch.float32,)),
    "in a loop": ({"foreach": False}, ">=2.0", REAL_OR_COMPLEX),
    "with foreach": ({"foreach": True}, ">=2.0", REAL_OR_COMPLEX),
    "when fused": ({"fused": True}, ">=2.4", REAL),
    "capturable in a loop": ({"capturable": True, "foreach": False}, ">=2.4", REAL_OR_COMPLEX),
    "capturable with foreach": ({"capturable": True, "foreach": True}, ">=2.4", REAL_OR_COMPLEX),
}
# Of which a complex parameter has no meaning, or no gradients that a loss gives.
NOT_COMPLEX = ("Adafactor", "LBFGS", "Muon", "SparseAdam")
STEPS_COMPLEX = TorchRange(">=2.4")
OVER_ALL = optimizers.each(every_preset=True)


@dataclass
class Observed:
    """What three steps did that they should not have done, in words."""

    gradients: list = field(default_factory=list)
    parameters: list = field(default_factory=list)
    versions: list = field(default_factory=list)
    memory: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    options: list = field(default_factory=list)


def memory_of(thing):
    """Return the addresses of the memory of all tensors in a nested structure."""
    if isinstance(thing, dict):
        return memory_of(list(thing.values()))
    if isinstance(thing, (list, tuple)):
        return [address for part in thing for address in memory_of(part)]
    if not torch.is_tensor(thing):
        return []
    if thing.is_sparse:
        return memory_of([thing._indices(), thing._values()])
    return [thing.untyped_storage().data_ptr()]


def watch(case, device, dtype, options):
    """Return what three steps of a training did."""
    seen = Observed()
    training = Training(case, device, dtype=dtype, **options)
    for step in range(3):
        fill_gradients(training, dtype)
        if step == 1 and not case.optimizer.needs_closure:
            turn_gradients(training)
        step_watched(training, seen)
    state = {p: dict(training.optimizer.state[p]) for p in training.optimizer.state}
    entries = [(k, memory_of(v)) for own in state.values() for k, v in own.items()]
    taken = dict.fromkeys(memory_of(training.parameters), "a parameter")
    taken.update(dict.fromkeys(memory_of([p.grad for p in training.parameters]), "a gradient"))
    for key, addresses in entries:
        seen.memory += [f"{key} shares memory with {taken[a]}" for a in addresses if a in taken]
        taken.update(dict.fromkeys(addresses, key))
    return seen


def fill_gradients(training, dtype):
    """Give the parameters the gradients of the loss; complex ones, which have none, some of their own."""
    if not dtype.is_complex:
        training.closure()
        return
    for parameter in training.parameters:
        parameter.grad = parameter.detach() * (2 - 1j)


def turn_gradients(training):
    """Change the signs of all gradients, of which some rules make something of their own."""
    for parameter in training.parameters:
        parameter.grad = -parameter.grad


def step_watched(training, seen):
    """Take a step, and note what it did to gradients, parameters and groups."""
    parameters = training.parameters
    gradients = [p.grad for p in parameters]
    copies, places = training.gradients(), memory_of(gradients)
    homes, versions = memory_of(parameters), [p._version for p in parameters]
    groups = [
        {k: v for k, v in group.items() if k != "params"}
        for group in training.optimizer.param_groups
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        training.step()
    seen.warnings += [str(w.message).split("\n")[0] for w in caught]
    for index, (gradient, copy, parameter) in enumerate(
        zip(gradients, copies, parameters, strict=True)
    ):
        if parameter.grad is not gradient:
            seen.gradients.append(f"gradient {index} is another object")
        elif not torch.equal(gradient.to_dense(), copy.to_dense()):
            seen.gradients.append(f"gradient {index} has another value")
        if parameter._version <= versions[index]:
            seen.versions.append(f"the version counter of parameter {index} stands still")
    if memory_of(gradients) != places:
        seen.gradients.append("gradients lie elsewhere in memory")
    if memory_of(parameters) != homes:
        seen.parameters.append("parameters lie elsewhere in memory")
    for before, group in zip(groups, training.optimizer.param_groups, strict=True):
        seen.options += [k for k, v in before.items() if group.get(k) is not v]
        seen.options += [k for k in group if k not in before and k != "params"]


@cache
def observed(case, device):
    """Return what three steps did, by implementation; each training is watched once."""
    return {
        f"{name}, {str(dtype).removeprefix('torch.')}": watch(case, device, dtype, options)
        for name, (options, releases, dtypes) in IMPLEMENTATIONS.items()
        if options.keys() <= case.optimizer.options.keys()
        and torch.__version__ in TorchRange(releases)
        and not ("capturable" in options and device.type == "cpu")
        for dtype in dtypes
        if not dtype.is_complex or steps_complex(case)
        if not capabilities.lacks(device, dtype)
        if "fused" not in options or not capabilities.lacks(device, "fused")
    }


def steps_complex(case):
    """Whether the optimizer takes complex parameters on this torch."""
    return case.optimizer.name not in NOT_COMPLEX and torch.__version__ in STEPS_COMPLEX


def check_nothing(kind, case, device, but=()):
    """Check that no implementation, but those whose names begin so, did what is noted under this name."""
    __tracebackhide__ = True
    by_name = {name: getattr(seen, kind) for name, seen in observed(case, device).items()}
    done = {name: seen for name, seen in by_name.items() if seen and not name.startswith(but)}
    assert done == {}, "; ".join(f"{name}: {', '.join(seen)}" for name, seen in done.items())


@claim("invariants.gradients-stay")
@OVER_ALL
def test_no_step_changes_a_gradient(case, device):
    check_nothing("gradients", case, device)


@claim("invariants.parameters-change-in-place")
@OVER_ALL
def test_every_step_changes_parameters_in_place(case, device):
    check_nothing("parameters", case, device)


@claim("invariants.versions-advance")
@OVER_ALL
def test_every_step_advances_the_version_counters(case, device):
    check_nothing("versions", case, device, but="when fused")


@claim("invariants.state-owns-its-memory")
@OVER_ALL
def test_state_shares_memory_with_nothing(case, device):
    check_nothing("memory", case, device)


@claim("invariants.steps-are-silent")
@OVER_ALL
def test_no_step_warns(case, device):
    check_nothing("warnings", case, device)


@claim("invariants.options-stay")
@OVER_ALL
def test_no_step_changes_an_option(case, device):
    check_nothing("options", case, device)
