"""Options outside the range that a rule has a meaning for."""

import pytest
import torch

from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.training import start


def of_each(options, *word, which=()):
    """Return a row for each optimizer of torch that takes these options."""
    entries = optimizers.chosen(which=("is_torch_s_own", *which), taking=tuple(options))
    return [(entry.name, options, *word) for entry in entries]


OUT_OF_RANGE = (
    *of_each({"lr": -0.1}, "earning rate", which=("has_oracle", "accepts_dense_gradients")),
    *of_each({"weight_decay": -0.1}, "weight.decay"),
    *of_each({"eps": -1e-6}, "epsilon", which=("divides_by_eps",)),
    *of_each({"betas": (1.0, 0.9)}, "index 0"),
    *of_each({"betas": (-0.1, 0.9)}, "index 0"),
    *of_each({"betas": (0.9, 1.0)}, "index 1"),
    *of_each({"betas": (0.9, -0.1)}, "index 1"),
    *of_each({"momentum": -0.1}, "momentum"),
    ("Adadelta", {"rho": 1.5}, "rho"),
    ("Adadelta", {"rho": -0.5}, "rho"),
    ("Adafactor", {"beta2_decay": 0.5}, "beta2_decay"),
    ("Adafactor", {"eps": (-1e-6, 1e-3)}, "epsilon1"),
    ("Adafactor", {"eps": (None, -1e-3)}, "epsilon2"),
    ("Adafactor", {"d": 0.5}, "d should"),
    ("Adagrad", {"lr_decay": -0.1}, "lr_decay"),
    ("Adagrad", {"initial_accumulator_value": -0.1}, "initial_accumulator_value"),
    ("Muon", {"adjust_lr_fn": "match"}, "match"),
    ("NAdam", {"momentum_decay": -0.1}, "momentum_decay"),
    ("RMSprop", {"alpha": -0.1}, "alpha"),
    ("Rprop", {"etas": (0.0, 1.2)}, "eta"),
    ("Rprop", {"etas": (1.0, 1.2)}, "eta"),
    ("Rprop", {"etas": (0.5, 1.0)}, "eta"),
    ("SparseAdam", {"eps": 0.0}, "epsilon"),
    ("SparseAdam", {"lr": 0.0}, "learning rate"),
)
AT_THE_BOUNDS = (
    *of_each({"lr": 0.0}, which=("accepts_dense_gradients",)),
    *of_each({"lr": 0.0, "weight_decay": 0.0}),
    *of_each({"betas": (0.0, 0.0), "eps": 0.0}, which=("divides_by_eps",)),
    ("NAdam", {"momentum_decay": 0.0}),
    ("Adadelta", {"rho": 0.0}),
    ("Adadelta", {"rho": 1.0, "eps": 0.0}),
    ("Adafactor", {"beta2_decay": 0.0, "eps": (0.0, 0.0), "d": 1.0}),
    ("Adagrad", {"lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 0.0}),
    ("Muon", {"momentum": 0.0, "weight_decay": 0.0}),
    ("RMSprop", {"alpha": 0.0, "eps": 0.0, "momentum": 0.0}),
    ("SGD", {"momentum": 0.0, "weight_decay": 0.0}),
    ("SparseAdam", {"betas": (0.0, 0.0)}),
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
