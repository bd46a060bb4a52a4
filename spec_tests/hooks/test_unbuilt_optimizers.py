"""Optimizers that never ran the constructor of Optimizer, as those that wrap another one."""

import pytest
import torch
from torch.optim.optimizer import Optimizer

from fixtures.assertions import check
from fixtures.claims import claim

NEEDS_HOOKS = {
    "state_dict": lambda wrapper: wrapper.state_dict(),
    "load_state_dict": lambda wrapper: wrapper.load_state_dict(wrapper.inner.state_dict()),
    "pre_hook": lambda wrapper: wrapper.register_step_pre_hook(print),
    "post_hook": lambda wrapper: wrapper.register_step_post_hook(print),
}


def wrapped(device):
    """Return an optimizer of a new class around SGD at the rate 1, and its parameter."""

    class Wrapper(Optimizer):
        def __init__(self, inner):
            self.inner, self.defaults = inner, inner.defaults
            self.param_groups, self.state = inner.param_groups, inner.state

        def step(self, closure=None):
            return self.inner.step(closure)

    parameter = torch.ones(1, device=device, requires_grad=True)
    return Wrapper(torch.optim.SGD([parameter], lr=1.0)), parameter


@claim("own-optimizers.unbuilt-ones-step-until-cleared")
def test_a_wrapper_without_hooks_steps_until_it_has_cleared(device):
    wrapper, parameter = wrapped(device)
    parameter.grad = torch.ones_like(parameter)
    wrapper.step()
    wrapper.zero_grad()
    cleared = parameter.grad
    with pytest.raises(AttributeError, match="_optimizer_step_pre_hooks"):
        wrapper.step()
    check.same(
        seen=[parameter.item(), cleared],
        expected=[0.0, None],
        source="1 - 1 after the one step, and a cleared gradient",
    )


@claim("own-optimizers.unbuilt-ones-have-no-hooks")
@pytest.mark.parametrize("call", NEEDS_HOOKS.values(), ids=NEEDS_HOOKS)
def test_a_wrapper_without_hooks_cannot_be_saved_or_hooked(call, device):
    wrapper, _ = wrapped(device)
    with pytest.raises(AttributeError, match=r"_optimizer_.*_hooks"):
        call(wrapper)
