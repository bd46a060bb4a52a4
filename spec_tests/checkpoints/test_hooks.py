"""Hooks around state_dict() and load_state_dict()."""

from copy import deepcopy

import pytest

from fixtures.assertions import check
from fixtures.claims import claim
from fixtures.runs.saved_training import OF_EACH_KIND, fresh, saved_by, trained

REGISTER = (
    "register_state_dict_pre_hook",
    "register_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_load_state_dict_post_hook",
)
STEP_HOOKS = ("register_step_pre_hook", "register_step_post_hook")
EACH_HOOK = pytest.mark.parametrize("register", REGISTER, ids=[r[9:] for r in REGISTER])


def save_and_load(optimizer):
    """Load its own state_dict, which calls hooks of every kind."""
    optimizer.load_state_dict(optimizer.state_dict())


@claim("state-dict-hooks.are-called-once-each")
@OF_EACH_KIND
def test_each_kind_of_hook_is_called_once_in_its_place(case):
    optimizer, called = trained(case).optimizer, []
    for register in REGISTER:
        kind = register.removeprefix("register_")
        getattr(optimizer, register)(lambda *_, kind=kind: called.append(kind))
    save_and_load(optimizer)
    expected = [register.removeprefix("register_") for register in REGISTER]
    check.same(seen=called, expected=expected, source="the order of saving and loading")


@claim("state-dict-hooks.are-given-the-optimizer")
@EACH_HOOK
@OF_EACH_KIND
def test_a_hook_is_given_the_optimizer_and_where_there_is_one_the_state_dict(case, register):
    optimizer, given = trained(case).optimizer, []
    getattr(optimizer, register)(lambda *arguments: given.append(arguments))
    save_and_load(optimizer)
    has_dict = register in REGISTER[1:3]
    check.same(
        seen=[given[0][0] is optimizer, [sorted(argument) for argument in given[0][1:]]],
        expected=[True, [["param_groups", "state"]] if has_dict else []],
        source="the signature that the documentation gives the hook",
    )


@claim("state-dict-hooks.run-in-order")
@EACH_HOOK
@OF_EACH_KIND
def test_hooks_run_in_order_and_those_prepended_before_them(case, register):
    optimizer, called = trained(case).optimizer, []
    add = getattr(optimizer, register)
    for name, prepend in (("a", False), ("b", False), ("c", True), ("d", True)):
        add(lambda *_, name=name: called.append(name), prepend=prepend)
    save_and_load(optimizer)
    check.same(seen="".join(called), expected="dcab", source="a, b; c before them, d before that")


@claim("state-dict-hooks.can-be-removed")
@EACH_HOOK
@OF_EACH_KIND
def test_a_removed_hook_is_not_called(case, register):
    optimizer, called = trained(case).optimizer, []
    handles = [
        getattr(optimizer, register)(lambda *_, name=name: called.append(name)) for name in "abc"
    ]
    handles[1].remove()
    save_and_load(optimizer)
    check.same(seen=called, expected=["a", "c"], source="the hooks that were not removed")


@claim("state-dict-hooks.can-be-removed")
@EACH_HOOK
@OF_EACH_KIND
def test_a_hook_is_removed_also_where_another_was_prepended(case, register):
    optimizer, called = trained(case).optimizer, []
    handles = [
        getattr(optimizer, register)(lambda *_, name=name: called.append(name), prepend=prepend)
        for name, prepend in (("a", False), ("b", True), ("c", False))
    ]
    for handle in handles[:2]:
        handle.remove()
    save_and_load(optimizer)
    check.same(seen=called, expected=["c"], source="the hook that was not removed")


@claim("state-dict-hooks.may-be-registered-twice")
@EACH_HOOK
@OF_EACH_KIND
def test_a_hook_that_was_registered_twice_is_two_hooks(case, register):
    optimizer, called = trained(case).optimizer, []

    def hook(*_):
        called.append(register)

    first, _ = (getattr(optimizer, register)(hook) for _ in range(2))
    save_and_load(optimizer)
    first.remove()
    save_and_load(optimizer)
    check.same(seen=len(called), expected=2 + 1, source="two hooks, and the one that is left")


@claim("state-dict-hooks.belong-to-one-optimizer")
@EACH_HOOK
@OF_EACH_KIND
def test_the_hooks_of_one_optimizer_are_not_called_for_another(case, register):
    hooked, other, called = trained(case), trained(case), []
    getattr(hooked.optimizer, register)(lambda *_: called.append(register))
    save_and_load(other.optimizer)
    check.same(seen=called, expected=[], source="the other optimizer has no hooks")


@claim("state-dict-hooks.before-saving-may-edit")
@OF_EACH_KIND
def test_what_a_hook_before_saving_changes_is_saved(case):
    optimizer = trained(case).optimizer

    def freeze(optimizer):
        optimizer.param_groups[0]["lr"] = 0.0
        return {"ignored": True}

    optimizer.register_state_dict_pre_hook(freeze)
    saved = optimizer.state_dict()
    check.same(
        seen=[list(saved), saved["param_groups"][0]["lr"]],
        expected=[["state", "param_groups"], 0.0],
        source="the rate that the hook set; what it returned is no state_dict",
    )


@claim("state-dict-hooks.after-saving-may-replace")
@OF_EACH_KIND
def test_hooks_after_saving_change_the_dict_or_replace_it(case):
    optimizer = trained(case).optimizer
    optimizer.register_state_dict_post_hook(lambda _, saved: saved.update(epoch=3))
    optimizer.register_state_dict_post_hook(lambda _, saved: {**saved, "loss": 0.5})
    optimizer.register_state_dict_post_hook(lambda _, saved: saved.update(best=sorted(saved)))
    saved = optimizer.state_dict()
    check.same(
        seen={key: saved[key] for key in saved.keys() - {"state", "param_groups"}},
        expected={"epoch": 3, "loss": 0.5, "best": ["epoch", "loss", "param_groups", "state"]},
        source="each hook is given what the one before it left",
    )


@claim("state-dict-hooks.before-loading-may-replace")
@OF_EACH_KIND
def test_hooks_before_loading_change_a_shallow_copy_or_replace_it(case):
    optimizer = trained(case).optimizer
    passed = deepcopy(optimizer.state_dict())
    groups = [{**passed["param_groups"][0], "lr": 0.25}]
    seen_by_the_second = []

    def second(_, state_dict):
        seen_by_the_second.append(state_dict["param_groups"][0]["lr"])
        return {**state_dict, "param_groups": [{**groups[0], "lr": 0.125}]}

    optimizer.register_load_state_dict_pre_hook(lambda _, d: d.update(param_groups=groups))
    optimizer.register_load_state_dict_pre_hook(second)
    optimizer.load_state_dict(passed)
    check.same(
        seen=[
            *seen_by_the_second,
            optimizer.param_groups[0]["lr"],
            passed["param_groups"][0]["lr"],
        ],
        expected=[0.25, 0.125, case.optimizer.lr],
        source="set by the first hook, returned by the second; the dict that was passed",
    )


@claim("state-dict-hooks.before-loading-chain")
@OF_EACH_KIND
def test_a_hook_before_loading_is_given_what_the_one_before_it_returned(case):
    def twice_the_rate(_, passed):
        groups = [{**group, "lr": 2 * group["lr"]} for group in passed["param_groups"]]
        return {**passed, "param_groups": groups}

    saved, optimizer = saved_by(case, lr=0.125), fresh(case).optimizer
    for hook in (twice_the_rate, lambda *_: None, twice_the_rate):
        optimizer.register_load_state_dict_pre_hook(hook)
    optimizer.load_state_dict(saved)
    check.same(seen=optimizer.param_groups[0]["lr"], expected=0.5, source="0.125, doubled twice")


@claim("state-dict-hooks.may-return-empty-dicts")
@OF_EACH_KIND
def test_an_empty_dict_that_a_hook_after_saving_returns_is_the_state_dict(case):
    optimizer = trained(case).optimizer
    optimizer.register_state_dict_post_hook(lambda *_: {})
    check.same(seen=optimizer.state_dict(), expected={}, source="the dict that the hook returned")


@claim("state-dict-hooks.may-return-empty-dicts")
@OF_EACH_KIND
def test_an_empty_dict_that_a_hook_before_loading_returns_is_loaded(case):
    saved, optimizer = saved_by(case), fresh(case).optimizer
    optimizer.register_load_state_dict_pre_hook(lambda *_: {})
    with pytest.raises(KeyError, match="param_groups"):
        optimizer.load_state_dict(saved)


@claim("state-dict-hooks.after-loading-may-edit")
@OF_EACH_KIND
def test_a_hook_after_loading_sees_what_was_loaded_and_may_change_it(case):
    saved = saved_by(case)
    optimizer, seen = fresh(case, lr=0.5).optimizer, []

    def halve(optimizer):
        seen.append(deepcopy(optimizer.state_dict()))
        optimizer.param_groups[0]["lr"] /= 2
        return {"ignored": True}

    optimizer.register_load_state_dict_post_hook(halve)
    optimizer.load_state_dict(saved)
    check.same(
        seen=[seen[0], optimizer.param_groups[0]["lr"]],
        expected=[saved, case.optimizer.lr / 2],
        source="the checkpoint, and half its rate",
    )


@claim("state-dict-hooks.refusal-skips-post-hook")
@OF_EACH_KIND
def test_a_refused_checkpoint_calls_the_hooks_before_and_not_those_after(case):
    optimizer, called = trained(case).optimizer, []
    optimizer.register_load_state_dict_pre_hook(lambda *_: called.append("before"))
    optimizer.register_load_state_dict_post_hook(lambda *_: called.append("after"))
    with pytest.raises(ValueError, match="parameter groups"):
        optimizer.load_state_dict({"state": {}, "param_groups": []})
    check.same(seen=called, expected=["before"], source="nothing was loaded")


@claim("state-dict-hooks.errors-stop-loading")
@OF_EACH_KIND
def test_an_error_in_a_hook_before_loading_leaves_the_optimizer_as_it_was(case):
    training, saved = trained(case), fresh(case, lr=0.5).optimizer.state_dict()
    before = deepcopy(training.optimizer.state_dict())

    def refuse(*_):
        raise LookupError("not this one")

    training.optimizer.register_load_state_dict_pre_hook(refuse)
    with pytest.raises(LookupError, match="not this one"):
        training.optimizer.load_state_dict(saved)
    check.same(
        seen=training.optimizer.state_dict(), expected=before, source="the optimizer before loading"
    )


@claim("state-dict-hooks.survive-loading")
@OF_EACH_KIND
def test_hooks_of_every_kind_are_called_after_loading_as_before(case):
    training, called = trained(case), []
    for register in (*STEP_HOOKS, *REGISTER):
        getattr(training.optimizer, register)(lambda *_, name=register: called.append(name))
    save_and_load(training.optimizer)
    called.clear()
    training.run(1)
    save_and_load(training.optimizer)
    expected = [*STEP_HOOKS, *REGISTER]
    check.same(seen=called, expected=expected, source="the hooks registered before loading")
