"""Parameters of a subclass of Tensor that passes every operator on to a tensor inside."""

import torch
from torch import nn

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.wrapper_tensor import WrapperTensor, unwrapped, wrapped
from fixtures.claims import claim
from fixtures.runs.each_implementation import in_each
from fixtures.runs.training import Training


def inside(value):
    """Return a nested structure with the tensors inside of the wrappers in it."""
    if isinstance(value, dict):
        return {key: inside(entry) for key, entry in value.items()}
    return [inside(entry) for entry in value] if isinstance(value, list) else unwrapped(value)


def plain_and_wrapped(case, device):
    """Return what two steps and a load make of plain parameters, and of wrapped ones."""
    plain = Training(case, device)
    parameters = [wrapped(p) for p in plain.parameters]
    optimizer = case.build(parameters)
    for _ in range(2):
        plain.closure()
        for parameter, other in zip(parameters, plain.parameters, strict=True):
            parameter.grad = wrapped(other.grad)
        plain.step()
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
    values = [unwrapped(p.detach()) for p in parameters]
    kinds = {
        isinstance(entry, WrapperTensor) == (entry.shape == parameter.shape)
        for parameter in parameters
        for key, entry in optimizer.state.get(parameter, {}).items()
        if key not in ("row_var", "col_var") and isinstance(entry, torch.Tensor)
    }
    return {
        "plain": [plain.values(), plain.optimizer.state_dict()],
        "wrapped": [values, inside(optimizer.state_dict())],
        "entries of the parameter's shape are wrapped": kinds <= {True},
    }


@claim("subclasses.step-as-plain-tensors")
@optimizers.each(which="accepts_vectors", but="needs_closure")
def test_wrapped_parameters_take_the_steps_of_plain_ones(case, implementations, device):
    runs = in_each(case, implementations, device, lambda each: plain_and_wrapped(each, device))
    check.close(
        seen={name: [run["wrapped"], *list(run.values())[2:]] for name, run in runs.items()},
        expected={name: [run["plain"], True] for name, run in runs.items()},
        source="plain parameters with the same gradients",
        tolerance=STEPS,
    )


@claim("subclasses.are-clipped-as-plain-tensors")
def test_wrapped_gradients_are_clipped_like_plain_ones(device):
    seen, expected = {}, {}
    for foreach in (None, False, True):
        plain = nn.Parameter(torch.ones(3, device=device))
        plain.grad = torch.arange(3.0, device=device)
        parameter = wrapped(plain)
        parameter.grad = wrapped(plain.grad)
        both = (parameter, plain)
        norms = [nn.utils.clip_grad_norm_([p], 0.5, foreach=foreach) for p in both]
        for p in both:
            nn.utils.clip_grad_value_([p], 0.25, foreach=foreach)
        results = [[unwrapped(n), unwrapped(p.grad)] for n, p in zip(norms, both, strict=True)]
        seen[foreach], expected[foreach] = results
    check.close(seen=seen, expected=expected, source="a plain gradient", tolerance=STEPS)
