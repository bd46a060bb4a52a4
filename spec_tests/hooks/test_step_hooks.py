"""Hooks around a step: of one optimizer, and of all of them."""

import pytest
import torch
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

# In the order in which a step calls them; each registers a hook and returns its handle.
REGISTER = {
    "common_before": lambda _, hook: register_optimizer_step_pre_hook(hook),
    "own_before": lambda optimizer, hook: optimizer.register_step_pre_hook(hook),
    "own_after": lambda optimizer, hook: optimizer.register_step_post_hook(hook),
    "common_after": lambda _, hook: register_optimizer_step_post_hook(hook),
}
EACH_KIND = pytest.mark.parametrize("register", REGISTER.values(), ids=REGISTER)
BEFORE = pytest.mark.parametrize("kind", ["common_before", "own_before"])
AFTER = pytest.mark.parametrize("kind", ["own_after", "common_after"])
ONE = optimizers.each(only=("SGD",))


@pytest.fixture(name="hook")
def hook_fixture():
    """Return a function that registers a hook of a kind, which is gone after the test."""
    handles = []

    def hook(kind, optimizer, function):
        handles.append(REGISTER[kind](optimizer, function))
        return handles[-1]

    yield hook
    for handle in handles:
        handle.remove()


def noting(notes, note):
    """Return a hook that notes that it was called."""
    return lambda *_: notes.append(note)


@claim("step-hooks.are-called-around-the-step")
@pytest.mark.parametrize("whose", ["common", "own"])
@optimizers.each()
def test_hooks_find_the_parameters_before_and_after_the_step(case, whose, hook, device):
    training, found = Training(case, device), []
    training.run(1)
    hook(f"{whose}_before", training.optimizer, lambda *_: found.append(training.values()))
    hook(f"{whose}_after", training.optimizer, lambda *_: found.append(training.values()))
    training.backward()
    before = training.values()
    training.step()
    check.same(
        seen=found,
        expected=[before, training.values()],
        source="the parameters before the step, and after it",
    )


@claim("step-hooks.call-order")
@ONE
def test_hooks_of_all_optimizers_lie_around_the_optimizer_s_own(case, hook, device):
    training, called = Training(case, device), []
    for name in "ab":
        for kind in reversed(REGISTER):
            hook(kind, training.optimizer, noting(called, f"{kind} {name}"))
    training.optimizer.step(lambda: called.append("step"))
    before, after = list(REGISTER)[:2], list(REGISTER)[2:]
    check.same(
        seen=called,
        expected=[
            *(f"{kind} {name}" for kind in before for name in "ab"),
            "step",
            *(f"{kind} {name}" for kind in after for name in "ab"),
        ],
        source="before the step those of all optimizers first, after it last; each in order",
    )


@claim("step-hooks.receive-the-arguments")
@pytest.mark.parametrize("kind", REGISTER)
@ONE
def test_a_hook_is_given_the_optimizer_and_the_arguments_of_the_call(case, kind, hook, device):
    training, given = Training(case, device), []
    optimizer, closure = training.optimizer, float
    hook(kind, optimizer, lambda *arguments: given.append(arguments))
    optimizer.step()
    optimizer.step(closure)
    optimizer.step(closure=closure)
    expected = [
        (optimizer, (optimizer,), {}),
        (optimizer, (optimizer, closure), {}),
        (optimizer, (optimizer,), {"closure": closure}),
    ]
    assert given == expected


@claim("step-hooks.change-the-arguments")
@BEFORE
@ONE
def test_what_a_hook_returns_takes_the_place_of_the_arguments(case, kind, hook, device):
    training, given = Training(case, device), []
    hook(kind, training.optimizer, lambda o, _args, _: ((o,), {"closure": lambda: "by the hook"}))
    hook(
        "own_before", training.optimizer, lambda _, args, kwargs: given.append(kwargs["closure"]())
    )
    hook("own_after", training.optimizer, lambda _, args, kwargs: given.append(kwargs["closure"]()))
    returned = training.optimizer.step(lambda: "by the caller")
    check.same(
        seen=[returned, *given],
        expected=["by the hook"] * 3,
        source="the closure that the hook returned, for the step and for the hooks behind it",
    )


@claim("step-hooks.change-the-arguments")
@pytest.mark.parametrize("by_name", [True, False], ids=["keyword", "positional"])
@BEFORE
@ONE
def test_arguments_that_a_hook_leaves_out_are_gone(case, kind, by_name, hook, device):
    optimizer, given = Training(case, device).optimizer, []
    hook(kind, optimizer, lambda o, _args, _: ((o,), {}))
    hook("own_before", optimizer, lambda _, args, kwargs: given.append([len(args), kwargs]))
    hook("own_after", optimizer, lambda _, args, kwargs: given.append([len(args), kwargs]))
    returned = optimizer.step(closure=float) if by_name else optimizer.step(float)
    check.same(
        seen=[returned, *given],
        expected=[None, [1, {}], [1, {}]],
        source="a step that was given no closure, and the optimizer alone for the hooks behind",
    )


@claim("step-hooks.return-arguments-or-nothing")
@BEFORE
@pytest.mark.parametrize(
    "result",
    [1.0, False, (), ((), {}, None), [(), {}], {"closure": None}],
    ids=["number", "false", "empty", "triple", "list", "dict"],
)
@ONE
def test_any_other_result_is_an_error_and_no_step(case, kind, result, hook, device):
    training = Training(case, device)
    training.backward()
    before = training.values()
    hook(kind, training.optimizer, lambda *_: result)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        training.optimizer.step()
    check.same(seen=training.values(), expected=before, source="the parameters before")


@claim("step-hooks.post-hook-result-is-ignored")
@AFTER
@ONE
def test_what_a_hook_after_the_step_returns_changes_nothing(case, kind, hook, device):
    training = Training(case, device)
    hook(kind, training.optimizer, lambda *_: "by the hook")
    seen = training.optimizer.step(lambda: "by the closure")
    check.same(seen=seen, expected="by the closure", source="the value of the closure")


@claim("step-hooks.can-be-removed")
@pytest.mark.parametrize("kind", REGISTER)
@ONE
def test_a_handle_takes_away_its_hook_and_no_other(case, kind, hook, device):
    training, called = Training(case, device), []
    handles = [hook(kind, training.optimizer, noting(called, name)) for name in "abc"]
    handles[1].remove()
    training.optimizer.step()
    handles[1].remove()
    training.optimizer.step()
    check.same(seen=called, expected=["a", "c", "a", "c"], source="b was taken away, once")


@claim("step-hooks.can-be-removed")
@EACH_KIND
@ONE
def test_a_handle_in_a_with_statement_takes_its_hook_away_at_the_end(case, register, device):
    training, called = Training(case, device), []
    with register(training.optimizer, noting(called, "within")):
        training.optimizer.step()
    training.optimizer.step()
    check.same(seen=called, expected=["within"], source="the documentation of the handle")


@claim("step-hooks.run-as-often-as-registered")
@pytest.mark.parametrize("kind", REGISTER)
@ONE
def test_a_hook_that_was_registered_twice_is_two_hooks(case, kind, hook, device):
    optimizer, called = Training(case, device).optimizer, []
    function = noting(called, kind)
    first, _ = (hook(kind, optimizer, function) for _ in range(2))
    optimizer.step()
    first.remove()
    optimizer.step()
    check.same(seen=len(called), expected=2 + 1, source="two hooks, and the one that is left")


@claim("step-hooks.common-hooks-run-for-all")
@optimizers.each()
def test_a_common_hook_is_called_for_optimizers_old_and_new(case, hook, device):
    old, called = Training(case, device), []
    hook("common_before", None, lambda optimizer, *_: called.append(optimizer))
    hook("common_after", None, lambda optimizer, *_: called.append(optimizer))
    new = Training(case, device)
    for training in (old, new):
        training.backward()
        training.step()
    expected = [old.optimizer, old.optimizer, new.optimizer, new.optimizer]
    assert called == expected, "before and after the step of each"


@claim("step-hooks.own-hooks-run-for-one")
@pytest.mark.parametrize("kind", ["own_before", "own_after"])
@ONE
def test_a_hook_of_one_optimizer_is_not_called_for_another(case, kind, hook, device):
    hooked, other, called = Training(case, device), Training(case, device), []
    hook(kind, hooked.optimizer, noting(called, kind))
    other.optimizer.step()
    check.same(seen=called, expected=[], source="the other optimizer has no hooks")


# What a hook does to the hooks of its kind: registers another, or takes itself away.
MEDDLING = {
    "registers": lambda register, _: register(noting([], "late")),
    "removes": lambda _, handles: handles[0].remove(),
}


@claim("step-hooks.change-while-running-raises")
@pytest.mark.parametrize("meddle", MEDDLING.values(), ids=MEDDLING)
@pytest.mark.parametrize("kind", REGISTER)
@ONE
def test_a_hook_that_meddles_before_others_is_an_error(case, kind, meddle, hook, device):
    optimizer, handles = Training(case, device).optimizer, []

    def meddling(*_):
        meddle(lambda function: hook(kind, optimizer, function), handles)

    handles.append(hook(kind, optimizer, meddling))
    hook(kind, optimizer, noting([], "behind"))
    with pytest.raises(RuntimeError, match="mutated during iteration"):
        optimizer.step()


@claim("step-hooks.change-by-the-last-is-allowed")
@pytest.mark.parametrize("kind", REGISTER)
@ONE
def test_the_last_hook_may_put_another_in_its_own_place(case, kind, hook, device):
    optimizer, handles, called = Training(case, device).optimizer, [], []

    def first(*_):
        called.append("first")
        handles[0].remove()
        hook(kind, optimizer, noting(called, "second"))

    handles.append(hook(kind, optimizer, first))
    for _ in range(3):
        optimizer.step()
    expected = ["first", "second", "second"]
    check.same(seen=called, expected=expected, source="another from the second step on")


@claim("step-hooks.run-in-caller-grad-mode")
@pytest.mark.parametrize("enabled", [True, False], ids=["grad", "no_grad"])
@optimizers.each()
def test_hooks_run_in_the_grad_mode_of_whoever_calls_the_step(case, enabled, hook, device):
    training, modes = Training(case, device), []
    for kind in REGISTER:
        hook(kind, training.optimizer, lambda *_: modes.append(torch.is_grad_enabled()))
    training.backward()
    with torch.set_grad_enabled(enabled):
        training.step()
    check.same(seen=modes, expected=[enabled] * 4, source="the grad mode around step()")


def alarm(*_):
    """Fail: a hook with an error in it."""
    raise LookupError("an error in a hook")


@claim("step-hooks.errors-reach-the-caller")
@BEFORE
@ONE
def test_an_error_in_a_hook_before_the_step_is_no_step(case, kind, hook, device):
    training = Training(case, device)
    training.backward()
    before = training.values()
    hook(kind, training.optimizer, alarm)
    with pytest.raises(LookupError, match="in a hook"):
        training.optimizer.step()
    check.same(seen=training.values(), expected=before, source="the parameters before")


@claim("step-hooks.errors-reach-the-caller")
@AFTER
@ONE
def test_an_error_in_a_hook_after_the_step_undoes_nothing(case, kind, hook, device):
    training, other = Training(case, device), Training(case, device)
    other.run(1)
    training.backward()
    hook(kind, training.optimizer, alarm)
    with pytest.raises(LookupError, match="in a hook"):
        training.optimizer.step()
    check.same(seen=training.values(), expected=other.values(), source="a step without hooks")


@claim("step-hooks.no-post-hook-after-an-error")
@AFTER
@optimizers.each()
def test_a_step_that_fails_calls_no_hook_after_it(case, kind, hook, device):
    training, called = Training(case, device), []
    hook(kind, training.optimizer, noting(called, kind))
    with pytest.raises(LookupError):
        training.optimizer.step(alarm)
    check.same(seen=called, expected=[], source="no step was completed")


def classes_below_one_another():
    """Return two new optimizer classes, the second with a step that calls that of the first."""

    class Base(Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {"lr": 0.1})

        def step(self, closure=None):
            return closure

    class Derived(Base):
        def step(self, closure=None):
            return super().step(closure)

    return Base, Derived


@claim("step-hooks.run-once-if-step-calls-super")
@pytest.mark.parametrize(
    "built", [(), (1,), (0,), (0, 1)], ids=["alone", "after_another", "after_base", "after_both"]
)
@pytest.mark.parametrize("kind", REGISTER)
def test_a_hook_is_called_once_where_a_step_calls_the_step_below(kind, built, hook, device):
    classes, called = classes_below_one_another(), []
    parameters = [torch.zeros(1, device=device, requires_grad=True)]
    for index in built:
        classes[index](parameters)
    optimizer = classes[1](parameters)
    hook(kind, optimizer, noting(called, kind))
    optimizer.step()
    check.same(seen=called, expected=[kind], source="one call of step()")
