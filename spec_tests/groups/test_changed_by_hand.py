"""Parameters, groups and options that are exchanged and removed by hand, in param_groups."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import fresh, saved_by, trained
from fixtures.runs.training import start

OF_GROUPS = optimizers.each(but="takes_one_group")
# What a step of the optimizer no longer reads, once it has stepped.
NOT_READ = {
    "Adagrad": ("initial_accumulator_value",),
    "LBFGS": ("maximize",),
    "Rprop": ("lr",),
    "SGD": ("differentiable",),
    "SparseAdam": ("maximize",),
}


def in_two_groups(case, device="cpu"):
    """Return a training, not begun, with a group for each parameter."""
    training = fresh(case, torch.device(device))
    first, second = training.parameters
    training.optimizer = case.build([{"params": [first]}, {"params": [second]}])
    return training


@claim("groups-by-hand.new-parameter-begins")
@optimizers.each(but="keeps_one_state")
def test_a_parameter_in_the_place_of_another_is_stepped_as_a_new_one(case, device):
    training, new = trained(case, device), fresh(case, device)
    replaced, parameter = training.parameters[0], start(case, device)[0]
    before = replaced.detach().clone()
    training.parameters[0] = training.optimizer.param_groups[0]["params"][0] = parameter
    training.run(1)
    new.run(1)
    check.same(
        seen=[training.values()[0], replaced.detach()],
        expected=[new.values()[0], before],
        source="a fresh optimizer; the parameter that was taken out, before the step",
    )


@claim("groups-by-hand.returned-parameter-continues")
@OF_GROUPS
def test_a_parameter_that_is_put_back_goes_on_from_its_state(case, device):
    training, resting = in_two_groups(case, device), in_two_groups(case, device)
    for each in (training, resting):
        each.run(2)
    second, (first_group, second_group) = training.parameters[1], training.optimizer.param_groups
    second_group["params"].remove(second)
    training.run(2)
    first_group["params"].insert(0, second)
    for each in (training, resting):
        each.optimizer.zero_grad()
        each.backward()
        each.step()
    check.same(
        seen=[training.values()[1], dict(training.optimizer.state.get(second, {}))],
        expected=[
            resting.values()[1],
            dict(resting.optimizer.state.get(resting.parameters[1], {})),
        ],
        source="a parameter that stayed in its group, after as many steps of its own",
    )


def exchanged(optimizer):
    group = optimizer.param_groups[0]
    group["params"][0] = torch.zeros_like(group["params"][0], requires_grad=True)


def removed(optimizer):
    del optimizer.param_groups[0]["params"][0]


def group_removed(optimizer):
    del optimizer.param_groups[1]


def group_emptied(optimizer):
    optimizer.param_groups[1]["params"].clear()


def group_replaced(optimizer):
    new = torch.zeros_like(optimizer.param_groups[1]["params"][0], requires_grad=True)
    optimizer.param_groups = [optimizer.param_groups[0], {**optimizer.defaults, "params": [new]}]


def all_removed(optimizer):
    optimizer.param_groups.clear()


# What is done, and by their number afterwards the parameters that have state, by their number before.
CHANGES = {
    exchanged: {1: 1},
    removed: {0: 1},
    group_removed: {0: 0},
    group_emptied: {0: 0},
    group_replaced: {0: 0},
    all_removed: {},
}


def saved_after(training, change):
    """Return what state_dict() gives of a training after a change, or the error that it raises."""
    change(training.optimizer)
    try:
        return training.optimizer.state_dict()["state"]
    except KeyError as error:
        return f"KeyError: {type(error.args[0]).__name__}"


@claim("groups-by-hand.state-dict-leaves-out-removed")
@OF_GROUPS
def test_state_dict_has_the_state_of_those_in_the_groups(case):
    saved, seen, expected = in_two_groups(case), {}, {}
    saved.run(1)
    state = saved.optimizer.state_dict()["state"]
    for change, numbers in CHANGES.items():
        training = in_two_groups(case)
        training.run(1)
        seen[change.__name__] = saved_after(training, change)
        expected[change.__name__] = {
            now: state[before] for now, before in numbers.items() if before in state
        }
    check.same(seen=seen, expected=expected, source="the state of the parameters that are left")


@claim("groups-by-hand.state-dict-leaves-out-removed")
@optimizers.each(which="keeps_state_from_construction")
def test_state_dict_has_the_state_of_those_in_the_groups_before_a_step(case):
    seen = {change.__name__: saved_after(in_two_groups(case), change) for change in CHANGES}
    state = in_two_groups(case).optimizer.state_dict()["state"]
    expected = {
        change.__name__: {now: state[before] for now, before in numbers.items()}
        for change, numbers in CHANGES.items()
    }
    check.same(seen=seen, expected=expected, source="the state of the parameters that are left")


@claim("groups-by-hand.loading-forgets-removed")
@optimizers.each(which="keeps_state")
def test_loading_drops_the_state_of_parameters_that_are_in_no_group(case):
    training, saved = trained(case), saved_by(case, steps=1)
    exchanged(training.optimizer)
    training.optimizer.load_state_dict(saved)
    check.same(seen=training.optimizer.state_dict(), expected=saved, source="what was loaded")


@claim("groups-by-hand.nothing-to-step")
@OF_GROUPS
def test_a_step_over_no_group_or_empty_ones_changes_nothing(case, device):
    seen, expected = {}, {}
    for change in (all_removed, lambda o: [group["params"].clear() for group in o.param_groups]):
        training = in_two_groups(case, device)
        training.run(1)
        change(training.optimizer)
        before = training.values()
        training.optimizer.zero_grad()
        seen[change.__name__] = [training.optimizer.step(lambda: 7.0), training.values()]
        expected[change.__name__] = [7.0, before]
    check.same(seen=seen, expected=expected, source="the closure, and the parameters before")


@claim("groups-by-hand.generator-is-used-up")
@optimizers.each(but="keeps_a_parameter_list")
def test_a_generator_in_the_place_of_the_list_is_used_up_by_its_first_use(case, device):
    stepped, cleared = fresh(case, device), fresh(case, device)
    for training in (stepped, cleared):
        training.backward()
        (group,) = training.optimizer.param_groups
        group["params"] = iter(group["params"])
    cleared.optimizer.zero_grad()
    once, none = fresh(case, device), fresh(case, device)
    once.run(1)
    for training in (stepped, cleared):
        training.step()
        training.backward()
        training.step()
    check.same(
        seen={"step first": stepped.values(), "zero_grad first": cleared.values()},
        expected={"step first": once.values(), "zero_grad first": none.values()},
        source="one step, and none",
    )


def outcome(training):
    """Step; return the error, or ``steps``, and whether the parameters are as before."""
    before = training.values()
    try:
        training.run(1)
    except (KeyError, TypeError, AttributeError, AssertionError) as error:
        unchanged = all(map(torch.equal, training.values(), before))
        return f"{type(error).__name__}: {error}, {'unchanged' if unchanged else 'moved'}"
    return "steps"


@claim("group-options.removed-option-raises")
@optimizers.each()
def test_a_step_misses_by_name_an_option_that_was_removed_from_its_group(case):
    seen, expected = {}, {}
    for option in case.optimizer.options.keys() & fresh(case).optimizer.param_groups[0].keys():
        training = trained(case)
        del training.optimizer.param_groups[0][option]
        seen[option] = outcome(training)
        read = option not in NOT_READ.get(case.optimizer.name, ())
        expected[option] = f"KeyError: '{option}', unchanged" if read else "steps"
    check.same(seen=seen, expected=expected, source="the options that a step reads")
