"""What torch offers is what is published of it, name by name and parameter by parameter."""

import pickle

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import published
from fixtures.claims import claim
from fixtures.specification.torch_range import TorchRange
from fixtures.torch_api import installed

# What annotations of other packages import from torch.optim.optimizer, and since when.
ALIASES = (("ParamsT", "2.2"), ("StateDict", "2.1"), ("required", "2.0"))


def calls_of(name):
    """Return the calls of a class (its constructor as ``()``) or a function of the installed torch."""
    value = name.of_torch()
    methods = dict(installed.members(value)) if name.kind == "class" else {}
    return _calls({"()": installed.described(value), **methods})


def published_calls_of(name):
    """Return the calls that are published, in the same form."""
    return _calls({"()": name.entry(), **name.members()})


def _calls(members):
    return {of: entry["signature"] for of, entry in members.items() if "signature" in entry}


def known_only(calls, published_calls):
    """Return calls without the parameters that are not published."""
    return {
        of: [p for p in calls.get(of, []) if p["name"] in {q["name"] for q in parameters}]
        for of, parameters in published_calls.items()
    }


def written(calls):
    return {of: installed.as_text(parameters) for of, parameters in calls.items()}


def new_parameters(calls, published_calls):
    """Return the parameters that are not published, as ``method(parameter)``."""
    return [
        f"{'' if of == '()' else of}({parameter['name']})"
        for of, parameters in published_calls.items()
        for parameter in calls.get(of, [])
        if parameter["name"] not in {q["name"] for q in parameters}
    ]


def new(found, name):
    return f"new in {name.name}: {', '.join(found)}; {name.table} does not have it"


@claim("names.every-published-one")
@published.each()
def test_a_published_name_is_there(name):
    gone = {name.name} - set(installed.public_names())
    assert not gone, f"gone from torch: {name.name}"


@claim("names.no-other")
@published.each_module()
def test_a_module_offers_no_name_that_is_not_published(module):
    known = published.published(torch.__version__)
    offered = [n for n in installed.public_names() if n.rpartition(".")[0] == module]
    found = sorted(set(offered) - set(known))
    assert not found, f"new in torch: {', '.join(found)}; fixtures/catalogue/published has it not"


@claim("names.listed-by-their-modules")
@published.each_module()
def test_a_module_lists_its_names(module, not_applicable):
    seen = getattr(installed.module_of(module), "__all__", None)
    if seen is None and not published.lists_names(module):
        not_applicable(f"{module} has no list of names on this torch")
    expected = published.published(torch.__version__)[module]["all"]
    check.same(seen=sorted(seen or []), expected=expected, source="fixtures/catalogue/published")


@claim("names.of-annotations")
@pytest.mark.parametrize("alias, release", ALIASES, ids=[alias.lower() for alias, _ in ALIASES])
def test_the_aliases_of_annotations_can_be_imported(alias, release):
    check.same(
        seen=hasattr(installed.module_of("torch.optim.optimizer"), alias),
        expected=torch.__version__ in TorchRange(f">={release}"),
        source=f"{alias} came with torch {release}",
    )


@claim("members.every-published-one")
@published.each(kind="class")
def test_a_class_has_its_published_members(name):
    seen = {of: entry["kind"] for of, entry in installed.members(name.of_torch())}
    expected = {of: entry["kind"] for of, entry in name.members().items()}
    check.same(
        seen={of: seen.get(of, "nothing") for of in expected}, expected=expected, source=name.table
    )


@claim("members.no-other")
@published.each(kind="class")
def test_a_class_has_no_member_that_is_not_published(name):
    found = sorted({of for of, _ in installed.members(name.of_torch())} - set(name.members()))
    assert not found, new(found, name)


@claim("signatures.every-published-parameter")
@published.each()
def test_every_published_parameter_stands_in_its_place_with_its_default(name):
    expected = published_calls_of(name)
    seen = known_only(calls_of(name), expected)
    check.same(seen=written(seen), expected=written(expected), source=name.table)


@claim("signatures.no-other-parameter")
@published.each()
def test_no_call_has_a_parameter_that_is_not_published(name):
    found = new_parameters(calls_of(name), published_calls_of(name))
    assert not found, new(found, name)


@claim("classes.derived-as-published")
@published.each(kind="class")
def test_a_class_has_its_published_bases(name):
    seen = installed.described(name.of_torch())["bases"]
    check.same(seen=seen, expected=name.entry()["bases"], source=name.table)


@claim("classes.pickled-by-name")
@published.each(kind="class")
def test_a_pickle_holds_the_published_name_of_the_class(name):
    seen = pickle.dumps(name.of_torch(), protocol=0).decode().splitlines()[:2]
    module, _, last = name.entry()["pickled_as"].rpartition(".")
    check.same(seen=seen, expected=[f"c{module}", last], source=name.table)


@claim("classes.pickled-by-name")
@published.each(kind="class")
def test_a_pickle_of_the_published_name_is_the_class(name):
    module, _, last = name.entry()["pickled_as"].rpartition(".")
    seen = pickle.loads(f"c{module}\n{last}\n.".encode())  # noqa: S301 - written here
    assert seen is name.of_torch(), f"{module}.{last} is {seen}"


@claim("members.attributes")
@published.each(kind="class", having="attributes")
def test_an_instance_has_its_public_attributes(name):
    seen = sorted(installed.built(name.of_torch())["attributes"])
    check.same(seen=seen, expected=name.entry()["attributes"], source=name.table)


@claim("members.keys-of-the-state-dict")
@published.each(kind="class", having="state_dict")
def test_a_state_dict_has_its_keys(name):
    seen = installed.built(name.of_torch())["state_dict"]
    check.same(seen=seen, expected=name.entry()["state_dict"], source=name.table)


@claim("members.nothing-warns")
@published.each(kind="class")
def test_building_and_stepping_warns_of_nothing(name):
    seen = installed.built(name.of_torch()).get("warnings", [])
    check.same(seen=seen, expected=[], source="no option was given that is deprecated")
