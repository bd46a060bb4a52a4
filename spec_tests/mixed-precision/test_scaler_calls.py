"""In which order a GradScaler is called, what it refuses, and how it is switched off and saved."""

import pickle

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training

OPTIONS = {"init_scale": 8.0, "growth_factor": 4.0, "backoff_factor": 0.25, "growth_interval": 2}
ONE = optimizers.each(only=("SGD",))


def scaler_of(device, **options):
    """Return a scaler with options of its own."""
    return torch.amp.GradScaler(device.type, **{**OPTIONS, **options})


def backward(scaler, training):
    """Fill the gradients from a scaled loss."""
    training.optimizer.zero_grad()
    scaler.scale(training.loss()).backward()


# Calls after a scaled backward, of which the last is refused.
ORDERS = {
    "unscale_unscale": (("unscale_", "unscale_"), "already been called"),
    "step_unscale": (("step", "unscale_"), "after step"),
    "step_step": (("step", "step"), "already been called"),
    "unscale_step_step": (("unscale_", "step", "step"), "already been called"),
}


@claim("scaler-calls.once-until-the-update")
@pytest.mark.parametrize("calls, word", ORDERS.values(), ids=ORDERS)
@ONE
def test_a_call_that_comes_twice_or_too_late_is_an_error(case, calls, word, device):
    training, scaler = Training(case, device), scaler_of(device)
    backward(scaler, training)
    for call in calls[:-1]:
        getattr(scaler, call)(training.optimizer)
    with pytest.raises(RuntimeError, match=word):
        getattr(scaler, calls[-1])(training.optimizer)


@claim("scaler-calls.start-over-after-the-update")
@ONE
def test_after_an_update_each_call_may_come_again(case, device):
    training, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
    for _ in range(3):
        backward(scaler, training)
        scaler.unscale_(training.optimizer)
        scaler.step(training.optimizer)
        scaler.update()
    plain.run(3)
    check.same(seen=training.values(), expected=plain.values(), source="three steps without it")


@claim("scaler-calls.out-of-order-raises")
@pytest.mark.parametrize("call", ["unscale_", "step"])
@ONE
def test_gradients_of_a_loss_that_was_not_scaled_are_an_error(case, call, device):
    training, scaler = Training(case, device), scaler_of(device)
    training.backward()
    with pytest.raises(AssertionError, match="_scale is None"):
        getattr(scaler, call)(training.optimizer)


@claim("scaler-calls.out-of-order-raises")
@ONE
def test_an_update_without_a_step_is_an_error(case, device):
    training, scaler = Training(case, device), scaler_of(device)
    backward(scaler, training)
    with pytest.raises(AssertionError, match="No inf checks"):
        scaler.update()


@claim("scaler-calls.out-of-order-raises")
@ONE
def test_a_step_without_gradients_is_an_error(case, device):
    training, scaler = Training(case, device), scaler_of(device)
    scaler.scale(training.loss())
    with pytest.raises(AssertionError, match="No inf checks"):
        scaler.step(training.optimizer)


@claim("scaler-calls.refuses-closures")
@pytest.mark.parametrize("given", ["by_keyword", "by_position"])
@ONE
def test_a_closure_is_an_error(case, given, device):
    training, scaler = Training(case, device), scaler_of(device)
    backward(scaler, training)
    arguments = [training.closure] if given == "by_position" else []
    keywords = {} if given == "by_position" else {"closure": training.closure}
    with pytest.raises(RuntimeError, match="Closure use is not currently supported"):
        scaler.step(training.optimizer, *arguments, **keywords)


@claim("scaler-calls.refuses-float16-gradients")
@ONE
def test_gradients_in_float16_are_an_error(case, device):
    training, scaler = Training(case, device, dtype=torch.float16), scaler_of(device)
    backward(scaler, training)
    with pytest.raises(ValueError, match="FP16 gradients"):
        scaler.unscale_(training.optimizer)


@claim("scaler-calls.scales-only-tensors")
@pytest.mark.parametrize("thing", [2.0, None, [2.0]], ids=["number", "none", "list"])
def test_what_is_no_tensor_is_not_scaled(thing, device):
    with pytest.raises(ValueError, match="must be a Tensor or an iterable"):
        scaler_of(device).scale(thing)


WRONG = (
    {"growth_factor": 1.0},
    {"growth_factor": 0.5},
    {"backoff_factor": 1.0},
    {"backoff_factor": 2.0},
)


@claim("scaler-calls.factors-out-of-range")
@pytest.mark.parametrize("options", WRONG, ids=["grow=1", "grow=0.5", "back=1", "back=2"])
def test_a_factor_on_the_other_side_of_one_is_an_error(options, device):
    with pytest.raises(AssertionError, match="factor must be"):
        scaler_of(device, **options)


@claim("scaler-calls.switched-off-does-nothing")
@optimizers.each(but="needs_closure")
def test_a_training_with_a_scaler_that_is_off_is_one_without(case, device):
    scaled, plain = Training(case, device), Training(case, device)
    scaler = torch.amp.GradScaler(device.type, enabled=False)
    for _ in range(2):
        backward(scaler, scaled)
        scaler.unscale_(scaled.optimizer)
        scaler.step(scaled.optimizer)
        scaler.update()
        plain.run(1)
    check.same(
        seen=[scaled.values(), scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()],
        expected=[plain.values(), 1.0, {}, False],
        source="a training without a scaler; a scale of 1, and nothing to save",
    )


@claim("scaler-calls.switched-off-does-nothing")
@optimizers.each()
def test_a_scaler_that_is_off_takes_a_closure(case, device):
    scaled, plain = Training(case, device), Training(case, device)
    scaler = torch.amp.GradScaler(device.type, enabled=False)
    seen = scaler.step(scaled.optimizer, scaled.closure)
    expected = plain.optimizer.step(plain.closure)
    check.same(
        seen=[float(seen), scaled.values()],
        expected=[float(expected), plain.values()],
        source="optimizer.step(closure) without a scaler",
    )


@claim("scaler-calls.missing-cuda-switches-off")
def test_a_scaler_for_cuda_is_off_without_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = torch.amp.GradScaler("cuda")
    check.same(
        seen=[scaler.is_enabled(), scaler.state_dict()],
        expected=[False, {}],
        source="a GradScaler with enabled=False",
    )


@claim("scaler-calls.state-dict-contents")
@ONE
def test_the_state_dict_has_scale_options_and_count(case, device):
    training, scaler = Training(case, device), scaler_of(device)
    backward(scaler, training)
    scaler.step(training.optimizer)
    scaler.update()
    expected = {
        "scale": 8.0,
        "growth_factor": 4.0,
        "backoff_factor": 0.25,
        "growth_interval": 2,
        "_growth_tracker": 1,
    }
    check.same(seen=scaler.state_dict(), expected=expected, source="the options, after one step")


@claim("scaler-calls.resumes-from-saved-state")
@pytest.mark.parametrize("way", ["state_dict", "pickle"])
@ONE
def test_a_scaler_goes_on_from_what_was_saved(case, way, device):
    training, first = Training(case, device), scaler_of(device)
    backward(first, training)
    first.step(training.optimizer)
    first.update()
    second = torch.amp.GradScaler(device.type)
    second.load_state_dict(first.state_dict())
    second = pickle.loads(pickle.dumps(first)) if way == "pickle" else second  # noqa: S301 - its own
    scales = []
    for scaler in (first, second):
        backward(scaler, training)
        scaler.step(training.optimizer)
        scaler.update()
        scales.append(scaler.state_dict())
    # The second step in a row without an infinity: the scale grows.
    expected = {**first.state_dict(), "scale": 32.0, "_growth_tracker": 0}
    check.same(seen=scales, expected=[expected, expected], source="four times the scale of 8")


@claim("scaler-calls.refuses-empty-state-dict")
def test_an_empty_state_dict_is_an_error(device):
    off = torch.amp.GradScaler(device.type, enabled=False)
    with pytest.raises(RuntimeError, match="state dict is empty"):
        scaler_of(device).load_state_dict(off.state_dict())


@claim("scaler-calls.no-pickling-before-update")
@ONE
def test_pickling_between_step_and_update_is_an_error(case, device):
    training, scaler = Training(case, device), scaler_of(device)
    backward(scaler, training)
    scaler.step(training.optimizer)
    with pytest.raises(AssertionError, match="beginning of an iteration"):
        pickle.dumps(scaler)


@claim("scaler-calls.options-can-be-read-and-set")
def test_options_are_read_and_set_one_by_one(device):
    scaler, values = scaler_of(device), {}
    for option, value in (("growth_factor", 5.0), ("backoff_factor", 0.75), ("growth_interval", 9)):
        before = getattr(scaler, f"get_{option}")()
        getattr(scaler, f"set_{option}")(value)
        values[option] = [before, getattr(scaler, f"get_{option}")()]
    expected = {
        "growth_factor": [4.0, 5.0],
        "backoff_factor": [0.25, 0.75],
        "growth_interval": [2, 9],
    }
    check.same(seen=values, expected=expected, source="as constructed, and as set")
