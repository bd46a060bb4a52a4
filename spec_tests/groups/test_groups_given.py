"""What a constructor and add_param_group() take, keep, and refuse."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training, start

EACH_KIND = optimizers.each(only=optimizers.SAMPLES)
OF_GROUPS = optimizers.each(only=optimizers.SAMPLES, but="takes_one_group")


def held(optimizer):
    """Return the parameters of each group."""
    return [group["params"] for group in optimizer.param_groups]


def same_objects(seen, expected):
    """Whether two lists of lists hold the same objects in the same places."""
    return [[id(p) for p in group] for group in seen] == [[id(p) for p in g] for g in expected]


# How two parameters are given, and how they are then held.
FORMS = {
    "list": (list, [[0, 1]]),
    "tuple": (tuple, [[0, 1]]),
    "generator": (iter, [[0, 1]]),
    "values_of_a_dict": (lambda ps: dict(enumerate(ps)).values(), [[0, 1]]),
    "group_of_a_list": (lambda ps: [{"params": ps}], [[0, 1]]),
    "group_of_a_generator": (lambda ps: [{"params": iter(ps)}], [[0, 1]]),
    "group_of_a_tensor": (lambda ps: [{"params": ps[0]}], [[0]]),
}
GROUPS = {
    "groups_of_tensors": (lambda ps: [{"params": p} for p in ps], [[0], [1]]),
    "generator_of_groups": (lambda ps: ({"params": [p]} for p in ps), [[0], [1]]),
    "group_of_none": (lambda ps: [{"params": ps}, {"params": []}], [[0, 1], []]),
}


def check_form(case, form, places, device):
    __tracebackhide__ = True
    parameters = list(start(case, device))
    seen = held(case.build(form(parameters)))
    expected = [[parameters[place] for place in group] for group in places]
    assert same_objects(seen, expected), f"the groups hold {seen}"


@claim("groups-given.in-any-ordered-iterable")
@pytest.mark.parametrize("form, places", FORMS.values(), ids=FORMS)
@EACH_KIND
def test_parameters_may_come_in_anything_that_has_an_order(case, form, places, device):
    check_form(case, form, places, device)


@claim("groups-given.in-any-ordered-iterable")
@pytest.mark.parametrize("form, places", GROUPS.values(), ids=GROUPS)
@OF_GROUPS
def test_groups_may_come_in_anything_that_has_an_order(case, form, places, device):
    check_form(case, form, places, device)


@claim("groups-given.names-in-any-iterable")
@pytest.mark.parametrize("pairs", [list, iter, dict], ids=["list", "generator", "group"])
@EACH_KIND
def test_names_come_with_parameters_in_any_form(case, pairs, device):
    parameters = list(start(case, device))
    named = list(zip("ab", parameters, strict=True))
    given = [{"params": iter(named)}] if pairs is dict else pairs(named)
    group = case.build(given).param_groups[0]
    check.same(
        seen=[group["param_names"], same_objects([group["params"]], [parameters])],
        expected=[["a", "b"], True],
        source="the pairs that were given",
    )


@claim("groups-given.names-need-not-differ")
@pytest.mark.parametrize("in_one", [True, False], ids=["in_one_group", "in_two_groups"])
@OF_GROUPS
def test_two_parameters_may_have_one_name(case, in_one, device):
    named = [("weight", parameter) for parameter in start(case, device)]
    optimizer = case.build(named if in_one else [{"params": [pair]} for pair in named])
    seen = [name for group in optimizer.param_groups for name in group["param_names"]]
    check.same(seen=seen, expected=["weight", "weight"], source="the names that were given")


@claim("groups-given.dicts-are-kept")
@EACH_KIND
def test_the_dict_of_a_group_is_the_group_and_has_all_options_afterwards(case, device):
    given = {"params": start(case, device)}
    optimizer = case.build([given])
    seen = {"the same dict": optimizer.param_groups[0] is given, "options": sorted(given)}
    expected = {"the same dict": True, "options": sorted(("params", *optimizer.defaults))}
    check.same(seen=seen, expected=expected, source="the dict that was given")


@claim("groups-given.none-is-a-value")
@optimizers.each(adding={"foreach": True})
def test_none_of_a_group_is_not_the_value_of_the_constructor(case, device):
    first, second = start(case, device)
    optimizer = case.build([{"params": [first], "foreach": None}, {"params": [second]}])
    seen = [group["foreach"] for group in optimizer.param_groups]
    check.same(seen=seen, expected=[None, True], source="the group, and the constructor")


@claim("groups-given.lists-are-copied")
@EACH_KIND
def test_what_is_appended_to_the_lists_later_is_not_in_the_optimizer(case, device):
    first, second = start(case, device)
    parameters = [first]
    groups = [{"params": parameters}]
    optimizer = case.build(groups)
    parameters.append(second)
    groups.append({"params": [second]})
    assert same_objects(held(optimizer), [[first]]), f"the groups hold {held(optimizer)}"


@claim("groups-given.duplicate-is-updated-twice")
@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate")
@optimizers.each(only=("SGD",))
def test_a_parameter_that_stands_twice_in_a_group_is_moved_twice(case, device):
    weight = torch.ones(2, device=device, requires_grad=True)
    weight.grad = torch.ones(2, device=device)
    case.build([weight, weight], lr=0.25).step()
    check.same(
        seen=weight,
        expected=torch.full((2,), 0.5, device=device),
        source="1 less twice a quarter of a gradient of 1",
    )


@claim("groups-given.accepted-non-leaf-tensors")
@optimizers.each()
def test_a_result_that_retains_its_gradient_is_moved_as_a_leaf_is(case, device):
    of_leaves, of_results = Training(case, device), Training(case, device)
    of_results.parameters = [leaf.clone() for leaf in of_results.parameters]
    for result in of_results.parameters:
        result.retain_grad()
    of_results.optimizer = case.build(of_results.parameters)
    for training in (of_leaves, of_results):
        training.run(2)
    check.same(seen=of_results.values(), expected=of_leaves.values(), source="leaves of the values")


@claim("groups-given.accepted-non-leaf-tensors")
@optimizers.each(adding={"differentiable": True})
def test_a_differentiable_optimizer_takes_any_result(case, device):
    results = [2 * parameter for parameter in start(case, device)]
    assert same_objects(held(case.build(results)), [results])


class Given:
    """Builds what is refused from two parameters: for a constructor, or for add_param_group()."""

    mixed = staticmethod(lambda a, b: [{"params": [a]}, b])
    no_group = staticmethod(lambda a, b: [a, {"params": [b]}])
    without_params = staticmethod(lambda a, b: [{"weights": [a, b]}])
    of_a_set = staticmethod(lambda a, b: [{"params": {a, b}}])
    a_number = staticmethod(lambda *_: 1.0)
    texts = staticmethod(lambda *_: {"weight": 1, "bias": 2})
    half_named = staticmethod(lambda a, b: [("a", a), b])
    half_named_late = staticmethod(lambda a, b: [a, ("b", b)])
    named_then_not = staticmethod(lambda a, b: [{"params": [("a", a)]}, {"params": [b]}])
    named_late = staticmethod(lambda a, b: [{"params": [a]}, {"params": [("b", b)]}])


REFUSED = {
    "parameter_behind_a_group": (Given.mixed, TypeError, "must be a dict"),
    "group_behind_a_parameter": (Given.no_group, TypeError, "one of the params is dict"),
    "set_in_a_group": (Given.of_a_set, TypeError, "ordered collections"),
    "number": (Given.a_number, TypeError, "not iterable"),
    "texts": (Given.texts, TypeError, "one of the params is str"),
}
NAMES_REFUSED = {
    "one_named": (Given.half_named, "Some param names are missing"),
    "one_named_late": (Given.half_named_late, "Some param names are missing"),
    "named_group_first": (Given.named_then_not, "cannot add param group without names"),
    "named_group_last": (Given.named_late, "cannot add param group with names"),
}


@claim("groups-given.invalid-params")
@pytest.mark.parametrize("given, error, word", REFUSED.values(), ids=REFUSED)
@OF_GROUPS
def test_what_is_no_parameters_and_no_groups_is_an_error(case, given, error, word, device):
    with pytest.raises(error, match=word):
        case.build(given(*start(case, device)))


@claim("groups-given.without-params")
@EACH_KIND
def test_a_group_without_params_is_an_error(case, device):
    with pytest.raises(KeyError, match="params"):
        case.build(Given.without_params(*start(case, device)))


@claim("groups-given.all-named-or-none")
@pytest.mark.parametrize("given, word", NAMES_REFUSED.values(), ids=NAMES_REFUSED)
@OF_GROUPS
def test_names_for_some_are_an_error(case, given, word, device):
    with pytest.raises(ValueError, match=word):
        case.build(given(*start(case, device)))


# Groups that are refused when they are added to one of a single parameter without a name.
ADDED = {
    "parameter_again": lambda a, _: {"params": [a]},
    "set": lambda _, b: {"params": {b}},
    "result": lambda _, b: {"params": [2 * b]},
    "number": lambda *_: {"params": [1.0]},
    "list": lambda _, b: [b],
    "without_params": lambda *_: {"lr": 0.5},
    "named": lambda _, b: {"params": [("b", b)]},
}


@claim("groups-given.refusal-changes-nothing")
@pytest.mark.parametrize("group", ADDED.values(), ids=ADDED)
@OF_GROUPS
def test_a_group_that_is_refused_leaves_the_optimizer_as_it_was(case, group, device):
    first, second = start(case, device)
    training = Training(case, device)
    training.parameters = [first]
    training.optimizer = case.build([first])
    before = deepcopy(training.optimizer.state_dict())
    with pytest.raises((TypeError, ValueError, KeyError, AssertionError)):
        training.optimizer.add_param_group(group(first, second))
    check.same(
        seen=training.optimizer.state_dict(), expected=before, source="the state_dict before"
    )


@claim("groups-given.options-not-verified")
@optimizers.each()
def test_a_negative_rate_of_a_group_is_taken(case, device):
    optimizer = case.build([{"params": start(case, device), "lr": -0.5}])
    seen = optimizer.param_groups[0]["lr"]
    check.same(seen=seen, expected=-0.5, source="what the group was given")


# Parameters that a constructor refuses.
UNFIT = {
    "SparseAdam": lambda device: torch.eye(2, device=device).to_sparse().requires_grad_(),
    "Muon": lambda device: torch.ones(3, device=device, requires_grad=True),
}


@claim("groups-given.added-params-not-verified")
@optimizers.each(only=tuple(UNFIT))
def test_parameters_that_the_constructor_refuses_can_be_added(case, device):
    training, unfit = Training(case, device), UNFIT[case.optimizer.name](device)
    with pytest.raises(ValueError, match=case.optimizer.name):
        case.build([unfit])
    training.optimizer.add_param_group({"params": unfit})
    assert same_objects(held(training.optimizer)[1:], [[unfit]])


@claim("groups-given.differentiable-of-a-group")
@optimizers.each(only=("SGD", "Adam"))
def test_a_differentiable_group_is_stepped_as_a_differentiable_optimizer_would(case, device):
    derivatives = {}
    for whose in ("constructor", "group"):
        start_of_it = torch.ones(2, device=device, requires_grad=True)
        parameter = start_of_it.clone()
        parameter.retain_grad()
        gradient = torch.full((2,), 0.5, device=device, requires_grad=True)
        group = {"params": [parameter], **({"differentiable": True} if whose == "group" else {})}
        optimizer = case.build([group], foreach=False, differentiable=whose == "constructor")
        parameter.grad = gradient.clone()
        optimizer.step()
        (derivatives[whose],) = torch.autograd.grad(parameter.sum(), gradient, allow_unused=True)
    check.same(
        seen=derivatives["group"],
        expected=derivatives["constructor"],
        source="the derivative by the gradient where the constructor was given the option",
    )
