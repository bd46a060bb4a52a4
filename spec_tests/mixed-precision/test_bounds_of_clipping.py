"""Bounds and norms of every kind, given to the functions that clip gradients."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch.nn import utils

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.claims import claim
from fixtures.runs.given_gradients import parameters_with

NAN, INF = math.nan, math.inf
GRADIENTS = ([3.0, -4.0, 0.5], [-12.0, 0.0], [1.5])
NORM = 13.0  # of (3, -4), (-12, 0): 5 and 12


def by_norm(parameters, bound, *, foreach):
    utils.clip_grad_norm_(parameters, bound, foreach=foreach)


def by_given_norm(parameters, bound, *, foreach):
    norm = torch.tensor(NORM, device=parameters[0].device)
    utils.clip_grads_with_norm_(parameters, bound, norm, foreach=foreach)


def by_value(parameters, bound, *, foreach):
    utils.clip_grad_value_(parameters, bound, foreach=foreach)


def by_norm_of_type(parameters, norm_type, *, foreach):
    utils.clip_grad_norm_(parameters, 1.0, norm_type, foreach=foreach)


@dataclass(frozen=True)
class Clipping:
    """A function that clips gradients.

    Attributes:
        function: Its name in torch.nn.utils.
        call: Calls it with parameters and a bound.
    """

    function: str
    call: Callable[..., None]

    def why_not_applicable(self):
        """Return why the installed torch cannot be asked about it, or None."""
        return None if hasattr(utils, self.function) else f"{self.function}() is of later releases"


WAYS = {
    "norm": Clipping("clip_grad_norm_", by_norm),
    "given_norm": Clipping("clip_grads_with_norm_", by_given_norm),
    "value": Clipping("clip_grad_value_", by_value),
}
EACH = pytest.mark.parametrize("clipping", WAYS.values(), ids=WAYS)


def clipped(clip, bound, gradients, device, *, foreach=False, dtype=torch.float32):
    """Return gradients after they were clipped; an error leaves them as they are."""
    parameters = parameters_with(gradients, device, dtype)
    with contextlib.suppress(ValueError):
        clip(parameters, bound, foreach=foreach)
    return [parameter.grad.tolist() for parameter in parameters]


def is_between(entry, before):
    """Whether a clipped entry has the sign that it had, and is no larger."""
    return abs(entry) <= abs(before) and entry * before >= 0


def none_is_turned(clip, bound, device, *, foreach):
    after = clipped(clip, bound, GRADIENTS, device, foreach=foreach)
    pairs = (zip(a, b, strict=True) for a, b in zip(after, GRADIENTS, strict=True))
    return all(is_between(*pair) for pair in (pair for row in pairs for pair in row))


# Bounds by their kinds. What has no meaning as a bound is refused, or bounds nothing.
BOUNDS = {
    "of_a_meaning": (0, 0.0, 0.5, 100.0, INF, True, False),
    "below_zero": (-1e-3, -1.0, -1),
    "below_everything": (-INF,),
    "nan": (NAN,),
}


@claim("clipping.reverses-no-gradient")
@pytest.mark.parametrize("kind", BOUNDS)
@EACH
def test_a_bound_of_any_kind_turns_no_gradient(clipping, kind, device):
    asked = [(bound, foreach) for bound in BOUNDS[kind] for foreach in (False, True)]
    seen = {
        f"{bound}, foreach={foreach}": none_is_turned(clipping.call, bound, device, foreach=foreach)
        for bound, foreach in asked
    }
    expected = dict.fromkeys(seen, True)
    check.same(seen=seen, expected=expected, source="each entry keeps its sign, and does not grow")


@claim("clipping.nan-norm-type-spoils-nothing")
@pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
def test_a_norm_of_type_nan_turns_no_gradient(foreach, device):
    seen = clipped(by_norm_of_type, NAN, GRADIENTS, device, foreach=foreach)
    check.same(seen=seen, expected=list(GRADIENTS), source="the gradients before")


@claim("clipping.bound-of-zero-clears")
@EACH
def test_a_bound_of_zero_clears_the_gradients(clipping, device):
    seen = {
        f"{bound!r}, foreach={foreach}": [
            [abs(entry) for entry in gradient]
            for gradient in clipped(clipping.call, bound, GRADIENTS, device, foreach=foreach)
        ]
        for bound in (0, 0.0, False)
        for foreach in (False, True)
    }
    nothing = [[0.0] * len(gradient) for gradient in GRADIENTS]
    check.same(seen=seen, expected=dict.fromkeys(seen, nothing), source="no entry is within 0")


@claim("clipping.infinite-bound-changes-nothing")
@pytest.mark.parametrize("entry", [5.0, INF, -INF], ids=["finite", "inf", "minus_inf"])
@EACH
def test_an_infinite_bound_bounds_nothing(clipping, entry, device):
    gradients = [[3.0, entry], [0.0, 1e-30], [0.0]]
    seen = {
        f"foreach={foreach}": clipped(clipping.call, INF, gradients, device, foreach=foreach)
        for foreach in (False, True)
    }
    before = clipped(lambda *_, **__: None, INF, gradients, device)
    check.same(seen=seen, expected=dict.fromkeys(seen, before), source="the gradients before")


# What counts as which number.
OTHER_NUMBERS = {
    "integer": (2, 2.0),
    "true": (True, 1.0),
    "false": (False, 0.0),
    "minus_zero": (-0.0, 0.0),
    "text": ("2.5", 2.5),
    "scalar": (torch.tensor(2.5), 2.5),
    "vector": (torch.tensor([2.5]), 2.5),
    "int_scalar": (torch.tensor(2), 2.0),
}


@claim("clipping.bounds-count-as-numbers")
@EACH
def test_a_bound_counts_as_the_number_that_it_is_made_into(clipping, device):
    seen = {
        name: [[abs(e) for e in row] for row in clipped(clipping.call, bound, GRADIENTS, device)]
        for name, (bound, _) in OTHER_NUMBERS.items()
    }
    expected = {
        name: [[abs(e) for e in row] for row in clipped(clipping.call, number, GRADIENTS, device)]
        for name, (_, number) in OTHER_NUMBERS.items()
    }
    check.same(seen=seen, expected=expected, source="the bound as a Python float")


@claim("clipping.bounds-count-as-numbers")
def test_a_norm_type_counts_as_the_number_that_it_is_made_into(device):
    given = {"integer": 2, "true": True, "scalar": torch.tensor(3.0), "text": "inf", "low": "-inf"}
    seen = {name: clipped(by_norm_of_type, p, GRADIENTS, device) for name, p in given.items()}
    expected = {
        name: clipped(by_norm_of_type, float(p), GRADIENTS, device) for name, p in given.items()
    }
    check.same(seen=seen, expected=expected, source="the type as a Python float")


def norm_of(entries, p):
    """Return the norm of a vector for any p but NaN: the number of entries that are not 0 for p = 0."""
    if p == 0:
        return float(sum(entry != 0 for entry in entries))
    if math.isinf(p):
        return max(entries) if p > 0 else min(entries)
    return sum(entry**p for entry in entries) ** (1 / p)


NORM_TYPES = {"zero": 0.0, "half": 0.5, "minus_one": -1.0, "minus_two": -2.0, "minus_inf": -INF}


@claim("clipping.any-norm-type")
@pytest.mark.parametrize("name", NORM_TYPES)
def test_the_norm_of_any_type_is_that_of_one_vector(name, device):
    gradients, p = ([3.0, -4.0], [-2.0, 1.0, 8.0]), NORM_TYPES[name]
    norm = partial(utils.clip_grad_norm_, max_norm=100.0, norm_type=p)
    seen = [
        norm(parameters_with(gradients, device, torch.float64), foreach=foreach)
        for foreach in (False, True)
    ]
    right = norm_of([abs(entry) for gradient in gradients for entry in gradient], p)
    expected = [torch.tensor(right, dtype=torch.float64)] * 2
    check.close(seen=seen, expected=expected, source="of all entries together", tolerance=STEPS)


# A dtype, and an entry of which the norm, or a square on the way to it, is more than the dtype can hold.
BEYOND = {
    "float32": (torch.float32, 1e20),
    "float64": (torch.float64, 1e200),
    "bfloat16": (torch.bfloat16, 1e20),
    "float16": (torch.float16, 4e4),
}


@claim("clipping.finite-gradients-of-any-size")
@pytest.mark.parametrize("name", BEYOND)
def test_large_gradients_are_clipped_to_the_bound(name, device):
    dtype, entry = BEYOND[name]
    gradients = [[entry, -entry], [entry, entry]]
    seen = {
        f"foreach={foreach}": torch.tensor(
            clipped(by_norm, 1.0, gradients, device, foreach=foreach, dtype=dtype), dtype=dtype
        )
        for foreach in (False, True)
    }
    halves = torch.tensor([[0.5, -0.5], [0.5, 0.5]], dtype=dtype)
    check.close(
        seen=seen,
        expected=dict.fromkeys(seen, halves),
        source="four entries of one size, of norm 1",
        tolerance=STEPS,
    )
