"""What an optimizer prints."""

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training, start


def group_text(number, options):
    lines = [f"    {option}: {options[option]}" for option in sorted(options)]
    return "\n".join([f"Parameter Group {number}", *lines])


@claim("repr.lists-options-by-group")
@optimizers.each(every_preset=True)
def test_an_optimizer_prints_its_class_and_every_option(case, device):
    optimizer = Training(case, device).optimizer
    options = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    expected = f"{case.optimizer.name} (\n{group_text(0, options)}\n)"
    check.same(seen=repr(optimizer), expected=expected, source="the options of the group")


@claim("repr.lists-options-by-group")
@optimizers.each(but="takes_one_group")
def test_groups_are_printed_one_after_another_with_what_each_was_given(case, device):
    first, second = start(case, device)
    optimizer = case.build([{"params": [first], "lr": 0.25}, {"params": [second], "tag": "last"}])
    common = dict(optimizer.defaults)
    groups = [
        group_text(0, {**common, "lr": 0.25}),
        group_text(1, {**common, "tag": "last"}),
    ]
    expected = f"{case.optimizer.name} (\n" + "\n\n".join(groups) + "\n)"
    check.same(seen=repr(optimizer), expected=expected, source="the options of both groups")


@claim("repr.lists-names")
@optimizers.each()
def test_an_optimizer_prints_the_names_of_its_parameters(case, device):
    optimizer = case.build(list(zip(("weight", "bias"), start(case, device), strict=True)))
    options = {**optimizer.defaults, "param_names": ["weight", "bias"]}
    expected = f"{case.optimizer.name} (\n{group_text(0, options)}\n)"
    check.same(seen=repr(optimizer), expected=expected, source="the options, and the names given")
