"""What no step of any optimizer does, in any implementation."""

import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

import torch

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices import capabilities
from fixtures.runs.each_implementation import NoneOffered, in_each
from fixtures.runs.training import Training
from fixtures.specification.torch_range import TorchRange

# Of which a complex parameter has no gradients that a loss gives.
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


def watch(case, device, dtype):
    """Return what three steps of a training did."""
    seen = Observed()
    training = Training(case, device, dtype=dtype)
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


def observed(case, device, implementations):
    """Return what three steps did, by implementation and dtype."""
    watched = {"by default": watch_each_dtype(case, device)}
    with suppress(NoneOffered):  # of an optimizer without any, torch's own choice is watched alone
        watched |= in_each(case, implementations, device, lambda c: watch_each_dtype(c, device))
    return {
        f"{by}, {dtype}": seen for by, dtypes in watched.items() for dtype, seen in dtypes.items()
    }


@cache
def watch_each_dtype(case, device):
    """Return what three steps did, by dtype: float32, and another that the implementation takes.

    Each training is watched once, for all claims.
    """
    other = torch.bfloat16 if case.options.get("fused") else torch.complex64
    dtypes = (torch.float32, other) if case.implementation else (torch.float32,)
    return {
        str(dtype).removeprefix("torch."): watch(case, device, dtype)
        for dtype in dtypes
        if not dtype.is_complex or steps_complex(case)
        if not capabilities.lacks(device, dtype)
    }


def steps_complex(case):
    """Whether the optimizer takes complex parameters on this torch."""
    takes_them = case.optimizer.has("takes_complex_parameters") and not case.optimizer.needs_closure
    return takes_them and torch.__version__ in STEPS_COMPLEX


def check_nothing(kind, case, device, implementations):
    """Check that no implementation did what is noted under this name."""
    __tracebackhide__ = True
    by_name = {
        name: getattr(seen, kind) for name, seen in observed(case, device, implementations).items()
    }
    done = {name: seen for name, seen in by_name.items() if seen}
    assert done == {}, "; ".join(f"{name}: {', '.join(seen)}" for name, seen in done.items())


@claim("invariants.gradients-stay")
@OVER_ALL
def test_no_step_changes_a_gradient(case, implementations, device):
    check_nothing("gradients", case, device, implementations)


@claim("invariants.parameters-change-in-place")
@OVER_ALL
def test_every_step_changes_parameters_in_place(case, implementations, device):
    check_nothing("parameters", case, device, implementations)


@claim("invariants.versions-advance")
@OVER_ALL
def test_every_step_advances_the_version_counters(case, implementations, device):
    check_nothing("versions", case, device, implementations)


@claim("invariants.state-owns-its-memory")
@OVER_ALL
def test_state_shares_memory_with_nothing(case, implementations, device):
    check_nothing("memory", case, device, implementations)


@claim("invariants.steps-are-silent")
@OVER_ALL
def test_no_step_warns(case, implementations, device):
    check_nothing("warnings", case, device, implementations)


@claim("invariants.options-stay")
@OVER_ALL
def test_no_step_changes_an_option(case, implementations, device):
    check_nothing("options", case, device, implementations)
