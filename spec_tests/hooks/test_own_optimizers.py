"""Optimizers that are written on top of torch.optim.Optimizer."""

from copy import deepcopy

import pytest
import torch
from torch.optim.optimizer import Optimizer, required

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training, start

ONE = optimizers.each(only=("SGD",))


class Heavy(Optimizer):
    """SGD with momentum, as one would write it: a constructor that states defaults, and a step."""

    def __init__(self, parameters, lr=required, momentum=0.5):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, group["lr"], group["momentum"])
        return loss

    def move(self, p, lr, momentum):
        state = self.state[p]
        velocity = state.get("velocity")
        state["velocity"] = p.grad.clone() if velocity is None else velocity * momentum + p.grad
        p.sub_(lr * state["velocity"])


class Idle(Optimizer):
    """An optimizer without a step."""


def heavy(case, device):
    """Return a training with an optimizer of one's own."""
    training = Training(case, device)
    training.optimizer = Heavy(training.parameters, lr=0.125)
    return training


@claim("own-optimizers.train-as-those-of-torch")
@ONE
def test_sgd_with_momentum_by_hand_trains_as_that_of_torch(case, device):
    by_hand, by_torch = heavy(case, device), Training(case, device, lr=0.125, momentum=0.5)
    for _ in range(4):
        by_hand.optimizer.step(by_hand.closure)
        by_torch.optimizer.step(by_torch.closure)
    check.same(seen=by_hand.values(), expected=by_torch.values(), source="SGD, which rounds so too")


@claim("own-optimizers.are-saved-and-loaded")
@ONE
def test_state_under_any_key_is_saved_and_loaded(case, device):
    saved, other = heavy(case, device), heavy(case, device)
    for _ in range(2):
        saved.optimizer.step(saved.closure)
    other.optimizer.load_state_dict(deepcopy(saved.optimizer.state_dict()))
    check.same(
        seen=other.optimizer.state_dict(),
        expected=saved.optimizer.state_dict(),
        source="the state_dict that was loaded",
    )


@claim("own-optimizers.have-hooks")
@ONE
def test_hooks_are_called_around_a_step_by_hand(case, device):
    training, called = heavy(case, device), []
    training.optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    training.optimizer.register_step_post_hook(lambda *_: called.append("after"))
    training.optimizer.step(lambda: called.append("step"))
    check.same(
        seen=called,
        expected=["before", "step", "after"],
        source="the order of one step and its hooks",
    )


@claim("own-optimizers.required-options")
@ONE
def test_an_option_that_is_required_and_left_out_is_an_error(case, device):
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Heavy(start(case, device))


@claim("own-optimizers.required-options")
@ONE
def test_a_required_option_may_stand_in_every_group(case, device):
    groups = [
        {"params": p, "lr": rate} for p, rate in zip(start(case, device), (0.5, 0.25), strict=True)
    ]
    seen = [group["lr"] for group in Heavy(groups).param_groups]
    check.same(seen=seen, expected=[0.5, 0.25], source="the rates of the groups")


@claim("own-optimizers.required-options")
@ONE
def test_a_required_option_that_one_group_lacks_is_an_error(case, device):
    first, second = start(case, device)
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Heavy([{"params": first, "lr": 0.5}, {"params": second}])


@claim("own-optimizers.repr-of-required")
def test_required_prints_as_what_it_is():
    check.same(
        seen=repr(required),
        expected="<required parameter>",
        source="the documented text of required",
    )


@claim("own-optimizers.without-a-step")
@ONE
def test_a_step_that_was_not_written_is_an_error(case, device):
    optimizer = Idle(start(case, device), {})
    with pytest.raises(NotImplementedError):
        optimizer.step(None)


@claim("own-optimizers.clear-without-options")
@ONE
def test_an_optimizer_without_any_option_clears_gradients(case, device):
    training = Training(case, device)
    optimizer = Idle(training.parameters, {})
    training.backward()
    optimizer.zero_grad()
    check.same(
        seen=training.gradients(), expected=[None, None], source="the default of zero_grad(): None"
    )


class Restored(Heavy):
    """An optimizer that is unpickled in its own way, without the base class."""

    def __setstate__(self, state):
        self.__dict__.update(state)


@claim("own-optimizers.clear-after-own-setstate")
@ONE
def test_a_copy_that_the_base_class_did_not_make_clears_gradients(case, device):
    training = Training(case, device)
    training.optimizer = Restored(training.parameters, lr=0.125)
    training.backward()
    training.optimizer, training.parameters = deepcopy((training.optimizer, training.parameters))
    for parameter in training.parameters:
        parameter.grad = torch.ones_like(parameter)
    training.optimizer.zero_grad()
    check.same(
        seen=training.gradients(), expected=[None, None], source="the default of zero_grad(): None"
    )


def new_class():
    """Return a class of which no optimizer has been built, as in a process that was just started."""

    class New(Heavy):
        def step(self, closure=None):
            return closure()

    return New


@claim("own-optimizers.have-hooks-when-unpickled")
@ONE
def test_hooks_are_called_for_an_optimizer_that_was_only_unpickled(case, device):
    saved, called = heavy(case, device).optimizer, []
    cls = new_class()
    optimizer = cls.__new__(cls)
    optimizer.__setstate__(saved.__getstate__())
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    optimizer.step(lambda: called.append("step"))
    check.same(
        seen=called,
        expected=["before", "step", "after"],
        source="the order of one step and its hooks",
    )
