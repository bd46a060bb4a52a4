"""What docstrings list is what calls take, with the defaults that they state; and their examples run."""

import ast
import inspect
import re
import textwrap
import warnings

import pytest
import torch
from torch.optim import lr_scheduler, swa_utils

from fixtures.assertions import check
from fixtures.catalogue import published
from fixtures.claims import claim
from fixtures.torch_api import docstrings, installed

# Whose docstring has an example.
WITH_EXAMPLES = (
    "Muon", "SGD", "ChainedScheduler", "ConstantLR", "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR", "LambdaLR", "LinearLR",
    "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau",
    "SequentialLR", "StepLR", "AveragedModel", "SWALR", "update_bn", "Optimizer.load_state_dict",
    "CosineAnnealingWarmRestarts.step", "swap_in_optimizer_params_and_state",
)  # fmt: skip
MODULES = (torch.optim, lr_scheduler, swa_utils)
DEFAULT = re.compile(r"default:?\s+`*(.+?)`*\.?\)?\s*$", re.IGNORECASE | re.MULTILINE)
PROMPTED = re.compile(r"^ *(?:>>>|\.\.\.) ?(.*)$", re.MULTILINE)
# What an example leaves to the reader: loader, model = ...
PLACEHOLDER = re.compile(r"^\w[\w, ]* = (\.\.\.|[\w.]+\(\.\.\.\))")


def calls_of(name):
    """Return the calls that have docstrings of their own: constructor and methods, or the function."""
    value = name.of_torch()
    if name.kind == "function":
        return {name.id: value}
    own = [m for m, e in installed.members(value) if e["kind"] == "method" and m in vars(value)]
    return {name.id: value, **{f"{name.id}.{member}": getattr(value, member) for member in own}}


def taken(call):
    return [p["name"] for p in installed.signature(call) if not p["kind"].startswith("variadic")]


def stated_defaults(call):
    """Return the defaults that the list of arguments states, of those that it states as a literal."""
    text = dict(docstrings.sections(call.__doc__ or "")).get("args", "")
    entries = re.split(r"^ {4}(\w+) ?(?:\(.*\))? ?:", text, flags=re.MULTILINE)[1:]
    found = dict(zip(entries[::2], entries[1::2], strict=True))
    return {
        name: stated for name, entry in found.items() if (stated := literal(entry)) is not Ellipsis
    }


def literal(entry):
    """Return the value behind "Default:", or Ellipsis where there is none."""
    texts = DEFAULT.findall(entry)
    try:
        over = [float(part) for part in texts[-1].split("/")] if "/" in texts[-1] else []
        return over[0] / over[1] if over else ast.literal_eval(texts[-1])
    except (IndexError, ValueError, SyntaxError):
        return Ellipsis


@claim("docstrings.list-only-parameters")
@published.each()
def test_every_listed_argument_is_a_parameter(name):
    wrong = [
        f"{of}({argument})"
        for of, call in calls_of(name).items()
        for argument in docstrings.arguments(call.__doc__ or "")
        if argument not in taken(call)
    ]
    assert not wrong, f"documented, but no parameter: {', '.join(wrong)}"


@claim("docstrings.list-every-parameter")
@published.each()
def test_every_parameter_is_listed_where_there_is_a_list(name):
    lists = {c: (docstrings.arguments(c.__doc__ or ""), of) for of, c in calls_of(name).items()}
    missing = [
        f"{of}({parameter})"
        for call, (listed, of) in lists.items()
        for parameter in taken(call)
        if listed and parameter not in listed
    ]
    assert not missing, f"not documented: {', '.join(missing)}"


@claim("docstrings.state-scheduler-defaults")
@published.each(kind="class", having="attributes")
def test_the_stated_defaults_of_schedulers_are_in_effect(name):
    call = name.of_torch()
    defaults = {n: p.default for n, p in inspect.signature(call).parameters.items()}
    stated = {n: v for n, v in stated_defaults(call).items() if n in defaults and n != "verbose"}
    wrong = [f"{n} is {defaults[n]!r}, not {v!r}" for n, v in stated.items() if defaults[n] != v]
    assert not wrong, "; ".join(wrong)


def codes_of(documented):
    """Return the code of each example of a docstring, without what it leaves to the reader."""
    name, _, member = documented.partition(".")
    found = [getattr(m, name) for m in MODULES if hasattr(m, name)]
    texts = [(getattr(value, member) if member else value).__doc__ or "" for value in found]
    sections = [t for text in texts for k, t in docstrings.sections(text) if k == "example"]
    lines = [PROMPTED.findall(text) or block(text) for text in sections]
    return ["\n".join(li for li in of if not PLACEHOLDER.match(li)) for of in lines if of]


def block(text):
    """Return the lines of a literal block: what stands below a line that ends with two colons."""
    return textwrap.dedent(text.partition("::\n")[2]).splitlines()


def of_the_reader(documented):
    """Return what an example takes for given: a model, an optimizer, data, and the body of a loop."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2)
    groups = [{"params": [parameter]} for parameter in model.parameters()]
    parameters = {"LambdaLR": groups}.get(documented, model.parameters())
    batch = (torch.ones(4, 2), torch.zeros(4, 2))
    given = {
        **vars(torch.optim), **vars(lr_scheduler), **vars(swa_utils), "torch": torch,
        "model": model, "net": model,
        "input": batch[0], "target": batch[1], "loader": [batch], "data_loader": [batch],
        "dataloader": [{"inputs": batch[0], "labels": batch[1]}],
        "loss_fn": torch.nn.MSELoss(), "criterion": torch.nn.MSELoss(), "T_0": 20, "T_mult": 2,
        "optimizer": torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
        "validate": lambda _: 1.0,
    }  # fmt: skip
    given["loss_fn"](model(batch[0]), batch[1]).backward()
    given["optimizer"].step()
    given["opt"] = given["optimizer"]
    given["train"] = given["train_batch"] = lambda _: given["optimizer"].step()
    return given


def save_what_is_loaded(given):
    """Write the two files that the example of load_state_dict() reads."""
    optimizer = given["optimizer"]
    parts = [
        lr_scheduler.LinearLR(optimizer, start_factor=0.1, end_factor=1, total_iters=20),
        lr_scheduler.CosineAnnealingLR(optimizer, T_max=80, eta_min=3e-5),
    ]
    sequence = lr_scheduler.SequentialLR(optimizer, schedulers=parts, milestones=[20])
    torch.save(sequence.state_dict(), "save_seq.pt")
    torch.save(optimizer.state_dict(), "save_optim.pt")


@claim("docstrings.examples-run")
@pytest.mark.parametrize("documented", WITH_EXAMPLES, ids=str.lower)
def test_an_example_runs_to_its_end_without_a_warning(
    documented, tmp_path, monkeypatch, not_applicable
):
    codes = codes_of(documented)
    if not codes:
        not_applicable(f"the docstring of {documented} has no example on this torch")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for code in codes:
            given = of_the_reader(documented)
            save_what_is_loaded(given)
            exec(code, given)  # noqa: S102 - torch's own docstring
    seen = [str(warning.message) for warning in caught if "NumPy" not in str(warning.message)]
    check.same(seen=seen, expected=[], source="nothing in the example is said to be wrong")
