"""What a GradScaler does to losses, gradients, steps, and its own scale."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.oracles.loss_scale import LossScale
from fixtures.runs.training import Training

SCALE = 2.0**10  # a power of two, so that scaling rounds nothing


def scaler_of(device, **options):
    """Return a scaler with a scale that rounds nothing."""
    return torch.amp.GradScaler(device.type, **{"init_scale": SCALE, **options})


def scaled_step(scaler, training, *, spoilt_by=None):
    """Take a step of a training with scaled gradients, of which one entry may be spoilt."""
    training.optimizer.zero_grad()
    scaler.scale(training.loss()).backward()
    if spoilt_by is not None:
        spoil(training.parameters[-1].grad, spoilt_by)
    result = scaler.step(training.optimizer)
    scaler.update()
    return result


def spoil(gradient, value):
    """Write a value into the last entry of a gradient."""
    entries = gradient._values() if gradient.is_sparse else gradient
    entries.view(-1)[-1] = value


@pytest.fixture
def memory_starts_as_nan():
    """Have torch fill fresh memory with NaN, so that whoever reads it is noticed for certain."""
    torch.use_deterministic_algorithms(True, warn_only=True)


@claim("scaler.multiplies-the-loss")
def test_every_tensor_in_nested_lists_is_multiplied(device):
    one, two = torch.ones(2, device=device), torch.tensor(2.0, device=device)
    seen = scaler_of(device, init_scale=8.0).scale([one, (two, [two])])
    check.same(
        seen=seen,
        expected=[8 * one, (8 * two, [8 * two])],
        source="eight times each, in lists and tuples as before",
    )


@claim("scaler.divides-the-gradients")
@optimizers.each()
def test_unscaled_gradients_are_those_of_the_loss(case, device):
    scaled, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
    scaler.scale(scaled.loss()).backward()
    scaler.unscale_(scaled.optimizer)
    plain.backward()
    check.same(
        seen=[g.to_dense() for g in scaled.gradients()],
        expected=[g.to_dense() for g in plain.gradients()],
        source="backward() of the loss itself",
    )


@claim("scaler.divides-the-gradients")
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=["float64", "bfloat16"])
@optimizers.each(only=optimizers.SAMPLES)
def test_gradients_of_other_dtypes_are_unscaled(case, dtype, device):
    scaled, plain = Training(case, device, dtype=dtype), Training(case, device, dtype=dtype)
    scaler = scaler_of(device)
    scaler.scale(scaled.loss()).backward()
    scaler.unscale_(scaled.optimizer)
    plain.backward()
    check.same(
        seen=[g.to_dense() for g in scaled.gradients()],
        expected=[g.to_dense() for g in plain.gradients()],
        source="backward() by itself",
    )


@claim("scaler.matches-unscaled-training")
@optimizers.each(but="needs_closure")
def test_a_training_with_a_scaler_goes_where_one_without_goes(case, device):
    scaled, plain, scaler = Training(case, device), Training(case, device), scaler_of(device)
    for _ in range(3):
        scaled_step(scaler, scaled)
        plain.run(1)
    check.same(seen=scaled.values(), expected=plain.values(), source="a training without a scaler")


@claim("scaler.skips-non-finite-steps")
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan], ids=["inf", "minus_inf", "nan"])
@optimizers.each(but="needs_closure")
def test_a_step_with_a_gradient_that_is_not_finite_is_not_taken(case, value, device):
    training, scaler, called = Training(case, device), scaler_of(device), []
    before = training.values()
    training.optimizer.register_step_pre_hook(lambda *_: called.append("a step"))
    result = scaled_step(scaler, training, spoilt_by=value)
    check.same(
        seen=[result, called, training.values()],
        expected=[None, [], before],
        source="no step, no result, and the parameters as they were",
    )


@claim("scaler.fused-skips-within-step")
@pytest.mark.parametrize("value", [math.inf, math.nan], ids=["inf", "nan"])
@optimizers.each(taking=("fused",))
def test_a_fused_step_with_such_a_gradient_moves_nothing(case, value, device):
    training, scaler = Training(case, device), scaler_of(device)
    before = training.values()
    scaled_step(scaler, training, spoilt_by=value)
    check.same(seen=training.values(), expected=before, source="the parameters before")


@claim("scaler.fused-skips-within-step")
@optimizers.each(which="unscales_when_fused")
def test_a_fused_step_is_called_with_such_a_gradient(case, device):
    check_called(case, device)


@claim("scaler.fused-adagrad-skips-within-step")
@optimizers.each(only=("Adagrad",))
def test_a_fused_step_of_adagrad_is_called_with_such_a_gradient(case, device):
    check_called(case, device)


def check_called(case, device):
    __tracebackhide__ = True
    training, scaler, calls = Training(case, device), scaler_of(device), []
    training.optimizer.register_step_post_hook(lambda *_: calls.append("called"))
    scaled_step(scaler, training, spoilt_by=math.inf)
    assert calls == ["called"], f"{len(calls)} calls of step()"


def check_goes_on_as_if_skipped(case, device):
    """Compare a training that begins with a step that is skipped with one that does not."""
    __tracebackhide__ = True
    skipping, plain = (Training(case, device) for _ in range(2))
    scaler = scaler_of(device)
    scaled_step(scaler, skipping, spoilt_by=math.inf)
    scaled_step(scaler, skipping)
    scaled_step(scaler, skipping, spoilt_by=math.nan)
    scaled_step(scaler, skipping)
    plain.run(2)
    check.same(seen=skipping.values(), expected=plain.values(), source="two steps, none skipped")


@claim("scaler.skips-leave-no-trace")
@pytest.mark.usefixtures("memory_starts_as_nan")
@optimizers.each(but="needs_closure", not_by=("fused",))
def test_a_training_goes_on_as_if_there_had_been_no_skipped_step(case, device):
    check_goes_on_as_if_skipped(case, device)


@claim("scaler.skips-leave-no-trace")
@pytest.mark.usefixtures("memory_starts_as_nan")
@optimizers.each(taking=("fused",), every_preset=True, without="momentum", by=("fused",))
def test_fused_steps_go_on_as_if_there_had_been_no_skipped_step(case, device):
    check_goes_on_as_if_skipped(case, device)


@claim("scaler.fused-skips-start-no-momentum")
@pytest.mark.usefixtures("memory_starts_as_nan")
@optimizers.each(only=("SGD",), having="momentum")
def test_fused_momentum_starts_at_the_first_step_that_is_not_skipped(case, device):
    check_goes_on_as_if_skipped(case, device)


@claim("scaler.skips-optimizers-separately")
@optimizers.each(only=optimizers.SAMPLES, but="needs_closure")
def test_only_the_optimizer_with_the_spoilt_gradient_skips(case, device):
    spoilt, sound, alone = (Training(case, device) for _ in range(3))
    scaler, before = scaler_of(device), spoilt.values()
    for training in (spoilt, sound):
        scaler.scale(training.loss()).backward()
    spoil(spoilt.parameters[0].grad, math.inf)
    for training in (spoilt, sound):
        scaler.step(training.optimizer)
    scaler.update()
    alone.run(1)
    check.same(
        seen=[spoilt.values(), sound.values(), scaler.get_scale()],
        expected=[before, alone.values(), SCALE / 2],
        source="no step, a step, and half of the scale",
    )


# Whether each step meets an infinity, by its letter: i, or f for finite gradients alone.
COURSES = {
    "growing": ("ffffff", {"growth_interval": 2}),
    "growing_by_four": ("fff", {"growth_interval": 1, "growth_factor": 4.0}),
    "backing_off": ("iii", {}),
    "backing_off_to_a_quarter": ("ifi", {"backoff_factor": 0.25}),
    "interrupted": ("ffifffifff", {"growth_interval": 3}),
    "at_the_interval": ("ffi", {"growth_interval": 3}),
    "odd_factors": ("fffiff", {"growth_interval": 2, "growth_factor": 1.1, "backoff_factor": 0.3}),
    "up_to_the_largest": ("fff", {"growth_interval": 1, "init_scale": 2.0**126}),
}


@claim("scaler.grows-and-backs-off")
@pytest.mark.parametrize("course, options", COURSES.values(), ids=COURSES)
def test_the_scale_follows_the_documented_arithmetic(course, options, device):
    chosen = {"init_scale": 8.0, **options}
    scaler, oracle = scaler_of(device, **chosen), LossScale(**chosen)
    parameter = torch.zeros(1, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    seen, expected = [], []
    for letter in course:
        scaler.scale(parameter.sum())
        parameter.grad = torch.full_like(parameter, math.inf if letter == "i" else 0.0)
        scaler.step(optimizer)
        scaler.update()
        oracle.update(found_inf=letter == "i")
        seen.append([scaler.get_scale(), scaler.state_dict()["_growth_tracker"]])
        expected.append([oracle.scale, oracle.tracker])
    check.close(
        seen=torch.tensor(seen),
        expected=torch.tensor(expected),
        source="the arithmetic that the documentation describes",
        tolerance=STEPS,
    )


@claim("scaler.can-be-given-a-scale")
@pytest.mark.parametrize("kind", [float, torch.tensor], ids=["number", "tensor"])
def test_update_takes_another_scale(kind, device):
    scaler = scaler_of(device)
    scaler.scale(torch.ones(1, device=device))
    scaler.update(kind(3.0) if kind is float else torch.tensor(3.0, device=device))
    check.same(seen=scaler.get_scale(), expected=3.0, source="the scale that was given")
