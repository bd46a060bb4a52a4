"""States of a GradScaler from an unusual moment, from somebody else, and with something missing."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

OPTIONS = {"init_scale": 8.0, "growth_factor": 4.0, "backoff_factor": 0.25, "growth_interval": 2}
OTHER = {
    "scale": 2.0,
    "growth_factor": 3.0,
    "backoff_factor": 0.125,
    "growth_interval": 5,
    "_growth_tracker": 1,
}
ONE = optimizers.each(only=("SGD",))


def scaler_of(device, **options):
    """Return a scaler with options of its own."""
    return torch.amp.GradScaler(device.type, **{**OPTIONS, **options})


def scaled(case, device):
    """Return a training and its scaler after a scaled backward, and the gradients of the plain loss."""
    training, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
    scaler.scale(training.loss()).backward()
    plain.backward()
    return training, scaler, plain.gradients()


@claim("scaler-state.before-the-first-loss")
def test_a_state_from_before_the_first_loss_is_that_of_the_options(device):
    scaler, used = scaler_of(device), torch.amp.GradScaler(device.type)
    used.scale(torch.ones(1, device=device))
    used.load_state_dict(scaler.state_dict())
    other = torch.amp.GradScaler(device.type)
    other.load_state_dict(scaler.state_dict())
    expected = {**OPTIONS, "scale": OPTIONS["init_scale"], "_growth_tracker": 0}
    del expected["init_scale"]
    check.same(
        seen=[scaler.state_dict(), used.state_dict(), other.state_dict()],
        expected=[expected, expected, expected],
        source="the options of the constructor",
    )


@claim("scaler-state.forgets-the-unscaling")
@ONE
def test_a_state_from_between_unscaling_and_step_divides_the_gradients_again(case, device):
    training, scaler, gradients = scaled(case, device)
    before = scaler.state_dict()
    scaler.unscale_(training.optimizer)
    between = scaler.state_dict()
    resumed = scaler_of(device)
    resumed.load_state_dict(between)
    resumed.scale(torch.ones(1, device=device))
    resumed.unscale_(training.optimizer)
    check.same(
        seen=[between, training.gradients()],
        expected=[before, [gradient / 8 for gradient in gradients]],
        source="the state before, and the gradients divided by the scale of 8",
    )


@claim("scaler-state.loaded-scale-divides")
@ONE
def test_gradients_are_divided_by_the_scale_that_was_loaded_in_between(case, device):
    training, scaler, gradients = scaled(case, device)
    scaler.load_state_dict(OTHER)
    scaler.unscale_(training.optimizer)
    check.same(
        seen=training.gradients(),
        expected=[gradient * 4 for gradient in gradients],
        source="the gradients of the loss, times 8 by the scale then, over 2 by the one loaded",
    )


@claim("scaler-state.found-before-counts-after")
@ONE
def test_an_infinity_found_before_a_load_skips_the_step_and_lowers_the_loaded_scale(case, device):
    training, scaler, _ = scaled(case, device)
    before = training.values()
    training.parameters[0].grad.fill_(float("inf"))
    scaler.unscale_(training.optimizer)
    scaler.load_state_dict(OTHER)
    scaler.step(training.optimizer)
    scaler.update()
    check.same(
        seen=[training.values(), scaler.state_dict()],
        expected=[before, {**OTHER, "scale": 2.0 * 0.125, "_growth_tracker": 0}],
        source="the parameters before; an eighth of the scale of 2",
    )


def outcome(scaler, state):
    """Load a state; return the error, and what the state is afterwards."""
    try:
        scaler.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        return [repr(error), scaler.state_dict()]
    return ["accepted", scaler.state_dict()]


@claim("scaler-state.refused-changes-nothing")
@pytest.mark.parametrize("missing", OTHER)
def test_a_state_that_lacks_an_entry_is_refused_and_changes_nothing(missing, device):
    scaler = scaler_of(device)
    scaler.scale(torch.ones(1, device=device))
    expected = [f"KeyError('{missing}')", scaler.state_dict()]
    seen = outcome(scaler, {key: value for key, value in OTHER.items() if key != missing})
    check.same(seen=seen, expected=expected, source="the state before")


@claim("scaler-state.of-others-is-refused")
@ONE
def test_the_state_of_something_else_is_refused_and_changes_nothing(case, device):
    training, layer = Training(case, device), torch.nn.Linear(1, 1)
    scaler = scaler_of(device)
    states = {
        "optimizer": training.optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.StepLR(training.optimizer, 2).state_dict(),
        "module": layer.state_dict(),
        "averaged model": torch.optim.swa_utils.AveragedModel(layer).state_dict(),
    }
    expected = ["KeyError('scale')", scaler.state_dict()]
    seen = {name: outcome(scaler, state) for name, state in states.items()}
    check.same(seen=seen, expected=dict.fromkeys(states, expected), source="the state before")


@claim("scaler-state.ignored-if-switched-off")
def test_a_scaler_that_is_off_ignores_every_state(device):
    off = torch.amp.GradScaler(device.type, enabled=False)
    for state in (OTHER, {}, {"scale": 3.0}, {"unheard of": 1}):
        off.load_state_dict(state)
    check.same(
        seen=[off.get_scale(), off.is_enabled(), off.state_dict()],
        expected=[1.0, False, {}],
        source="a scaler that is off, and loaded nothing",
    )
