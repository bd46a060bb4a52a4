"""Options outside the range that a rule has a meaning for."""

import pytest
import torch

from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.training import start

OF_EVERY_RULE = (
    "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam",
    "RMSprop", "SGD",
)  # fmt: skip
OUT_OF_RANGE = (
    *((name, {"lr": -0.1}, "earning rate") for name in (*OF_EVERY_RULE, "Rprop")),
    ("ASGD", {"weight_decay": -0.1}, "weight_decay"),
    ("Adadelta", {"rho": 1.5}, "rho"),
    ("Adadelta", {"rho": -0.5}, "rho"),
    ("Adadelta", {"eps": -1e-6}, "epsilon"),
    ("Adadelta", {"weight_decay": -0.1}, "weight_decay"),
    ("Adafactor", {"beta2_decay": 0.5}, "beta2_decay"),
    ("Adafactor", {"eps": (-1e-6, 1e-3)}, "epsilon1"),
    ("Adafactor", {"eps": (None, -1e-3)}, "epsilon2"),
    ("Adafactor", {"d": 0.5}, "d should"),
    ("Adafactor", {"weight_decay": -0.1}, "weight_decay"),
    ("Adagrad", {"lr_decay": -0.1}, "lr_decay"),
    ("Adagrad", {"weight_decay": -0.1}, "weight_decay"),
    ("Adagrad", {"initial_accumulator_value": -0.1}, "initial_accumulator_value"),
    ("Adagrad", {"eps": -1e-6}, "epsilon"),
    *(
        (name, options, word)
        for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
        for options, word in (
            ({"betas": (1.0, 0.9)}, "index 0"),
            ({"betas": (-0.1, 0.9)}, "index 0"),
            ({"betas": (0.9, 1.0)}, "index 1"),
            ({"betas": (0.9, -0.1)}, "index 1"),
            ({"eps": -1e-6}, "epsilon"),
            ({"weight_decay": -0.1}, "weight_decay"),
        )
    ),
    ("Muon", {"momentum": -0.1}, "momentum"),
    ("Muon", {"weight_decay": -0.1}, "weight decay"),
    ("Muon", {"adjust_lr_fn": "match"}, "match"),
    ("NAdam", {"momentum_decay": -0.1}, "momentum_decay"),
    ("RMSprop", {"alpha": -0.1}, "alpha"),
    ("RMSprop", {"eps": -1e-6}, "epsilon"),
    ("RMSprop", {"momentum": -0.1}, "momentum"),
    ("RMSprop", {"weight_decay": -0.1}, "weight_decay"),
    ("Rprop", {"etas": (0.0, 1.2)}, "eta"),
    ("Rprop", {"etas": (1.0, 1.2)}, "eta"),
    ("Rprop", {"etas": (0.5, 1.0)}, "eta"),
    ("SGD", {"momentum": -0.1}, "momentum"),
    ("SGD", {"weight_decay": -0.1}, "weight_decay"),
    ("SparseAdam", {"betas": (1.0, 0.9)}, "index 0"),
    ("SparseAdam", {"betas": (0.9, 1.0)}, "index 1"),
    ("SparseAdam", {"eps": 0.0}, "epsilon"),
    ("SparseAdam", {"betas": (-0.1, 0.9)}, "index 0"),
    ("SparseAdam", {"betas": (0.9, -0.1)}, "index 1"),
    ("SparseAdam", {"lr": 0.0}, "learning rate"),
)
AT_THE_BOUNDS = (
    *((name, {"lr": 0.0, "weight_decay": 0.0}) for name in OF_EVERY_RULE),
    ("Rprop", {"lr": 0.0}),
    ("NAdam", {"momentum_decay": 0.0}),
    ("Adadelta", {"rho": 0.0}),
    ("Adadelta", {"rho": 1.0, "eps": 0.0}),
    ("Adafactor", {"beta2_decay": 0.0, "eps": (0.0, 0.0), "d": 1.0}),
    ("Adagrad", {"lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 0.0}),
    *((name, {"betas": (0.0, 0.0), "eps": 0.0}) for name in ("Adam", "AdamW", "Adamax")),
    *((name, {"betas": (0.0, 0.0), "eps": 0.0}) for name in ("NAdam", "RAdam")),
    ("Muon", {"momentum": 0.0, "weight_decay": 0.0}),
    ("RMSprop", {"alpha": 0.0, "eps": 0.0, "momentum": 0.0}),
    ("SGD", {"momentum": 0.0, "weight_decay": 0.0}),
    ("SparseAdam", {"betas": (0.0, 0.0)}),
    *((name, {"lr": 0.0}) for name in ("Adafactor", "LBFGS", "Muon")),
)


def case_with(name, options):
    entry = optimizers.by_name(name)
    return Case(entry, Preset(text_of(options), options))


def text_of(options):
    """Return options as the id of a case: no '-', which separates parameters."""
    pairs = ("=".join((key, str(value))) for key, value in options.items())
    allowed = "".join(pairs).replace("-", "minus").replace(", ", "_").replace("None", "none")
    return "".join(c for c in allowed.lower() if c.isalnum() or c in "._=+")


@claim("options.out-of-range-are-refused")
@pytest.mark.parametrize(
    "case, word",
    [
        pytest.param(case_with(name, options), word, id=case_with(name, options).id)
        for name, options, word in OUT_OF_RANGE
    ],
)
def test_an_option_out_of_range_is_an_error(case, word, device):
    parameters = start(case, device)
    with pytest.raises(ValueError, match=word):
        case.build(parameters)


@claim("options.bounds-are-allowed")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case_with(name, options), id=case_with(name, options).id)
        for name, options in AT_THE_BOUNDS
    ],
)
def test_an_option_at_its_bound_is_taken(case, device):
    seen = case.build(start(case, device)).param_groups[0]
    expected = dict(case.preset.options)
    assert {key: seen[key] for key in expected} == expected, f"the group holds {seen}"


@claim("sgd.nesterov-needs-momentum")
@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.9, "dampening": 0.1}],
    ids=["no_momentum", "dampening"],
)
def test_nesterov_without_momentum_or_with_dampening_is_an_error(options, device):
    parameter = torch.ones(1, device=device, requires_grad=True)
    with pytest.raises(ValueError, match="Nesterov"):
        torch.optim.SGD([parameter], lr=0.1, nesterov=True, **options)
