"""Scales, factors and intervals of every kind, given to a GradScaler in every way."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.claims import claim
from fixtures.runs.refusal import answer, refusal

NAN, INF = math.nan, math.inf
ERRORS = (AssertionError, ValueError, TypeError)
REFUSED = refusal(*ERRORS)
OPTIONS = {"init_scale": 4.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 1}


def scaler_of(device, **options):
    return torch.amp.GradScaler(device.type, **{**OPTIONS, **options})


def iterate(scaler, device, *, overflow=False):
    """Take a step of a training, from a weight of 1 along a gradient of 2, and return the weight."""
    weight = torch.ones(1, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.25)
    scaler.scale(2 * weight.sum()).backward()
    if overflow:
        weight.grad.fill_(INF)
    scaler.step(optimizer)
    scaler.update()
    return weight.item()


def constructed(device, option, value):
    return scaler_of(device, **{option: value})


def loaded(device, option, value):
    scaler = scaler_of(device)
    key = {"init_scale": "scale"}.get(option, option)
    scaler.load_state_dict({**scaler.state_dict(), key: value})
    return scaler


def put_later(device, option, value):
    """Set an option of a scaler that is in use: the scale by update(), the others by their setters."""
    scaler = scaler_of(device)
    weight = torch.ones(1, device=device, requires_grad=True)
    scaler.scale(weight.sum()).backward()
    scaler.step(torch.optim.SGD([weight], lr=0.25))
    if option == "init_scale":
        scaler.update(value)
    else:
        scaler.update()
        getattr(scaler, f"set_{option}")(value)
    return scaler


PATHS = {"constructor": constructed, "state": loaded, "later": put_later}
EACH_PATH = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


def check_refused(path, device, option, values):
    """Check that each value is refused, whichever way an option takes."""
    __tracebackhide__ = True
    seen = {
        f"{option}={value}": answer(lambda value=value: path(device, option, value), *ERRORS)
        for value in values
    }
    check.same(seen=seen, expected=dict.fromkeys(seen, REFUSED), source="has no meaning")


@claim("scaler-calls.scale-out-of-range")
@EACH_PATH
def test_a_scale_that_is_no_positive_number_is_an_error(path, device):
    check_refused(path, device, "init_scale", (0.0, -2.0, NAN, INF, -INF))


@claim("scaler-calls.interval-out-of-range")
@EACH_PATH
def test_an_interval_of_less_than_a_step_is_an_error(path, device):
    check_refused(path, device, "growth_interval", (0, -1, -2000))


@claim("scaler-calls.interval-is-an-integer")
@EACH_PATH
def test_an_interval_that_is_no_integer_is_an_error(path, device):
    def use(value):
        iterate(path(device, "growth_interval", value), device)

    seen = {
        f"growth_interval={value}": answer(lambda value=value: use(value), *ERRORS)
        for value in (2.5, 2.0, NAN, INF, True)
    }
    check.same(seen=seen, expected=dict.fromkeys(seen, REFUSED), source="counts no steps")


@claim("scaler-calls.backoff-out-of-range")
@EACH_PATH
def test_a_backoff_factor_that_is_no_positive_fraction_is_an_error(path, device):
    check_refused(path, device, "backoff_factor", (0.0, -0.5, -INF, False))


@claim("scaler-calls.factors-that-are-nan")
@EACH_PATH
@pytest.mark.parametrize("option", ["growth_factor", "backoff_factor"])
def test_a_factor_that_is_nan_is_an_error(option, path, device):
    check_refused(path, device, option, (NAN,))


@claim("scaler-calls.later-factors-out-of-range")
@pytest.mark.parametrize("path", [loaded, put_later], ids=["state", "later"])
def test_a_factor_on_the_other_side_of_one_is_an_error_later_too(path, device):
    check_refused(path, device, "growth_factor", (1.0, 0.5, True, -INF))
    check_refused(path, device, "backoff_factor", (1.0, 2.0, True, INF))


# What counts as which number: of a factor or interval that is a scalar tensor, its value.
OTHERS = {
    "integer_scale": ("init_scale", 8, 8.0),
    "true_as_scale": ("init_scale", True, 1.0),
    "scalar_scale": ("init_scale", torch.tensor(8.0), 8.0),
    "integer_growth": ("growth_factor", 4, 4.0),
    "scalar_growth": ("growth_factor", torch.tensor(4.0), 4.0),
    "scalar_backoff": ("backoff_factor", torch.tensor(0.25), 0.25),
    "scalar_interval": ("growth_interval", torch.tensor(2), 2),
    "infinite_growth": ("growth_factor", INF, 1.0 + 2.0**-30),
}


def course_of(scaler, device):
    """Return weights and scales over steps of which the second overflows."""
    return [
        [iterate(scaler, device, overflow=overflow), scaler.get_scale()]
        for overflow in (False, True, False)
    ]


@claim("scaler-calls.options-count-as-numbers")
@pytest.mark.parametrize("path", [constructed, loaded], ids=["constructor", "state"])
def test_an_option_counts_as_the_number_that_it_holds(path, device):
    seen = {
        name: course_of(path(device, option, value), device)
        for name, (option, value, _) in OTHERS.items()
    }
    expected = {
        name: course_of(path(device, option, number), device)
        for name, (option, _, number) in OTHERS.items()
    }
    check.same(seen=seen, expected=expected, source="the option as a number")


@claim("scaler-calls.update-takes-an-integer")
def test_a_new_scale_may_be_an_integer(device):
    scaler = put_later(device, "init_scale", 8)
    assert scaler.get_scale() == 8.0, f"the scale is {scaler.get_scale()}"


@claim("scaler-calls.growth-count-up-to-its-limit")
def test_the_scale_grows_at_the_largest_interval_that_its_count_reaches(device):
    last = 2**31 - 1
    scaler = scaler_of(device, growth_interval=last)
    scaler.load_state_dict({**scaler.state_dict(), "_growth_tracker": last - 2})
    seen = []
    for _ in range(3):
        iterate(scaler, device)
        seen.append([scaler.get_scale(), scaler.state_dict()["_growth_tracker"]])
    expected = [[4.0, last - 1], [8.0, 0], [8.0, 1]]
    check.same(seen=seen, expected=expected, source="grows at the last step, and counts anew")


def fallen(device, scale):
    """Return a scaler whose scale has fallen so far, by overflow after overflow."""
    scaler = scaler_of(device, init_scale=scale * 2.0**60, backoff_factor=2.0**-20)
    for _ in range(3):
        iterate(scaler, device, overflow=True)
    return scaler


# Scales, the second of which is the smallest with an inverse in float32 that no processor flushes to 0.
SCALES = {"normal": (2.0**-100, 2.0**-126), "tiny": (2.0**-130, 2.0**-140, 2.0**-149)}


@claim("scaler.tiny-scale-spoils-no-step")
@pytest.mark.parametrize("size", SCALES)
@pytest.mark.parametrize("way", ["given", "loaded", "fallen"])
def test_a_finite_gradient_is_followed_or_skipped_whatever_the_scale(way, size, device):
    make = {
        "given": lambda scale: scaler_of(device, init_scale=scale),
        "loaded": lambda scale: loaded(device, "init_scale", scale),
        "fallen": lambda scale: fallen(device, scale),
    }[way]
    weights = {scale: iterate(make(scale), device) for scale in SCALES[size]}
    seen = {f"scale {scale}": weight in (0.5, 1.0) for scale, weight in weights.items()}
    check.same(
        seen=seen, expected=dict.fromkeys(seen, True), source=f"1, or 1 - 0.25 * 2: {weights}"
    )


@claim("scaler.tiny-scale-spoils-no-step")
@pytest.mark.parametrize("overflows", [200], ids=["until_it_is_tiny"])
def test_after_many_overflows_a_finite_gradient_is_followed_or_skipped(overflows, device):
    scaler = scaler_of(device, init_scale=2.0**16)
    for _ in range(overflows):
        iterate(scaler, device, overflow=True)
    weight = iterate(scaler, device)
    assert weight in (0.5, 1.0), (
        f"the weight is {weight} after a step at scale {scaler.get_scale()}"
    )
