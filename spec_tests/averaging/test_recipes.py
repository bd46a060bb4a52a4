"""The recipes of the documentation, from the first batch to the last prediction."""

import inspect

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler, swa_utils
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.claims import claim
from fixtures.oracles import averages, schedules
from fixtures.oracles.sgd import SGD

# (inputs, targets) of each batch, about the line 2x - 1.
LOADER = (
    ((0.0, 1.0, 2.0, 4.0), (-1.0, 1.5, 2.5, 7.0)),
    ((-1.0, 3.0, 0.5), (-3.5, 5.0, 0.5)),
)
TESTED = (-2.0, 0.25, 5.0)
EPOCHS, SWA_START, T_MAX = 9, 4, 9
RATE, SWA_RATE = 0.05, 0.2
START = (0.5, 0.25)
DECAY = 0.75


class Recipe:
    """A normalisation, and a line through what it hands on; SGD, and the mean square for a loss."""

    def __init__(self, device):
        self.device = device
        self.model = nn.Sequential(nn.BatchNorm1d(1, affine=False), nn.Linear(1, 1))
        self.model = self.model.to(device=device, dtype=torch.float32)
        with torch.no_grad():
            self.model[1].weight.fill_(START[0])
            self.model[1].bias.fill_(START[1])
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE)
        self.loader = [[self.column(x), self.column(y)] for x, y in LOADER]

    def column(self, numbers):
        return torch.tensor(numbers, device=self.device)[:, None]

    def batches(self, after_each=lambda: None):
        for given, target in self.loader:
            self.optimizer.zero_grad()
            nn.functional.mse_loss(self.model(given), target).backward()
            self.optimizer.step()
            after_each()

    def outcome(self, averaged):
        """Update the statistics as the recipes do; return weights, statistics and predictions."""
        update_bn(self.loader, averaged)
        normalisation, line = averaged.module
        return {
            "weights": torch.cat([line.weight[0], line.bias]).detach(),
            "statistics": torch.cat([normalisation.running_mean, normalisation.running_var]),
            "predictions": averaged.eval()(self.column(TESTED))[:, 0].detach(),
        }


class InPlainPython:
    """The same in plain numbers."""

    def __init__(self):
        self.theta, self.optimizer = list(START), SGD(lr=RATE)

    def batches(self, rate, after_each=lambda: None):
        self.optimizer.lr = rate
        for given, target in LOADER:
            z = [row[0] for row in averages.normalised([[x] for x in given])]
            w, b = self.theta
            errors = [w * z_i + b - y for z_i, y in zip(z, target, strict=True)]
            slopes = [sum(e * z_i for e, z_i in zip(errors, z, strict=True)), sum(errors)]
            self.optimizer.step([self.theta], [[2 * slope / len(z) for slope in slopes]])
            after_each()

    @staticmethod
    def outcome(models, rule, device):
        w, b = (averages.after_each(rule, list(column))[-1] for column in zip(*models, strict=True))
        found = averages.over_batches([[[x] for x in given] for given, _ in LOADER])
        z = [row[0] for row in averages.normalised_by(found, [[x] for x in TESTED])]
        rows = {
            "weights": [w, b],
            "statistics": [*found.mean, *found.variance],
            "predictions": [w * z_i + b for z_i in z],
        }
        return {key: torch.tensor(row, device=device) for key, row in rows.items()}


def by_torch_with_swa(device):
    """Train by the SWA recipe; return the rates of the epochs and the outcome."""
    recipe, rates = Recipe(device), []
    swa_model = AveragedModel(recipe.model)
    scheduler = lr_scheduler.CosineAnnealingLR(recipe.optimizer, T_max=T_MAX)
    swa_scheduler = SWALR(
        recipe.optimizer, anneal_strategy="linear", anneal_epochs=2, swa_lr=SWA_RATE
    )
    for epoch in range(EPOCHS):
        rates.append(recipe.optimizer.param_groups[0]["lr"])
        recipe.batches()
        if epoch > SWA_START:
            swa_model.update_parameters(recipe.model)
            swa_scheduler.step()
        else:
            scheduler.step()
    return {"rates": torch.tensor(rates), **recipe.outcome(swa_model)}


def in_plain_python_with_swa(device):
    """Do the same without torch."""
    before = [schedules.cosine(t, RATE, T_MAX) for t in range(SWA_START + 2)]
    rates = before + [
        schedules.swa(t, before[-1], SWA_RATE, 2, "linear")
        for t in range(1, EPOCHS - SWA_START - 1)
    ]
    training, models = InPlainPython(), []
    for rate in rates:
        training.batches(rate)
        models.append(tuple(training.theta))
    outcome = training.outcome(models[SWA_START + 1 :], averages.equally_weighted, device)
    return {"rates": torch.tensor(rates), **outcome}


@claim("recipes.swa")
def test_the_recipe_of_stochastic_weight_averaging(device):
    check.close(
        seen=by_torch_with_swa(device),
        expected=in_plain_python_with_swa(device),
        source="the recipe in plain Python",
        tolerance=STEPS,
    )


@claim("recipes.ema")
def test_the_recipe_of_the_exponential_moving_average(device):
    recipe, training, models = Recipe(device), InPlainPython(), []
    ema_model = AveragedModel(recipe.model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(DECAY))
    for _ in range(EPOCHS):
        recipe.batches(lambda: ema_model.update_parameters(recipe.model))
        training.batches(RATE, lambda: models.append(tuple(training.theta)))
    check.close(
        seen=recipe.outcome(ema_model),
        expected=training.outcome(models, averages.exponential(DECAY), device),
        source="the recipe in plain Python",
        tolerance=STEPS,
    )


@claim("recipes.averages-can-be-swapped-in")
def test_a_model_with_the_state_of_the_average_predicts_what_the_average_does(device):
    recipe = Recipe(device)
    averaged = AveragedModel(recipe.model)
    for _ in range(3):
        recipe.batches(lambda: averaged.update_parameters(recipe.model))
    before = {key: t.clone() for key, t in recipe.model.state_dict().items()}
    x = recipe.column(TESTED)
    own = recipe.model.eval()(x).detach()
    recipe.model.load_state_dict(averaged.module.state_dict())
    swapped = recipe.model(x).detach()
    recipe.model.load_state_dict(before)
    check.same(
        seen=[swapped, recipe.model(x).detach()],
        expected=[averaged.eval()(x).detach(), own],
        source="the average, and the model before it was swapped out",
    )


CLASSES = pytest.mark.parametrize("name", ["AveragedModel", "update_bn", "SWALR"])
MAKERS = pytest.mark.parametrize("name", ["get_ema_avg_fn", "get_ema_multi_avg_fn"])
DEFAULTS = {
    "AveragedModel": {"device": None, "avg_fn": None, "use_buffers": False},
    "update_bn": {"device": None},
    "SWALR": {"anneal_epochs": 10, "anneal_strategy": "cos", "last_epoch": -1},
    "get_ema_avg_fn": {"decay": 0.999},
    "get_ema_multi_avg_fn": {"decay": 0.999},
}


@claim("swa-utils.defaults")
@CLASSES
def test_defaults_are_those_of_the_documentation(name):
    check_defaults(name)


@claim("swa-utils.defaults-of-the-decay")
@MAKERS
def test_the_decay_is_slow_by_default(name):
    check_defaults(name)


def check_defaults(name):
    __tracebackhide__ = True
    parameters = inspect.signature(getattr(swa_utils, name)).parameters
    check.same(
        seen={option: parameters[option].default for option in DEFAULTS[name]},
        expected=DEFAULTS[name],
        source="the published signature",
    )
