"""The option ``verbose`` of the schedulers: how it went."""

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.claims import claim

# The two of 004-16 first, then the other schedulers that took it.
TOOK_VERBOSE = {
    "ReduceLROnPlateau": {},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 10},
    "LambdaLR": {"lr_lambda": float},
    "MultiplicativeLR": {"lr_lambda": float},
    "StepLR": {"step_size": 3},
    "MultiStepLR": {"milestones": [3]},
    "ConstantLR": {},
    "LinearLR": {},
    "ExponentialLR": {"gamma": 0.5},
    "PolynomialLR": {},
    "CosineAnnealingLR": {"T_max": 10},
    "CosineAnnealingWarmRestarts": {"T_0": 10},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
}
each_scheduler = pytest.mark.parametrize(
    "name, arguments", TOOK_VERBOSE.items(), ids=[name.lower() for name in TOOK_VERBOSE]
)


def build(name, arguments, **verbose):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    return getattr(lr_scheduler, name)(optimizer, **arguments, **verbose)


@claim("verbose.is-gone")
@each_scheduler
def test_verbose_is_an_error(name, arguments):
    with pytest.raises(TypeError, match="verbose"):
        build(name, arguments, verbose=True)


@claim("verbose.was-deprecated")
@each_scheduler
def test_verbose_is_accepted_with_a_warning(name, arguments):
    with pytest.warns(UserWarning, match="verbose parameter is deprecated"):
        scheduler = build(name, arguments, verbose=True)
    check.same(
        seen=scheduler.verbose,
        expected=True,
        source="the documentation of verbose, which is deprecated",
    )


@claim("verbose.was-deprecated")
@each_scheduler
def test_verbose_left_out_gives_no_warning(name, arguments, recwarn):
    build(name, arguments)
    check.same(seen=[str(w.message) for w in recwarn], expected=[], source="nothing was asked for")


@claim("verbose.was-an-option")
@each_scheduler
def test_verbose_is_accepted_in_silence(name, arguments, recwarn):
    scheduler = build(name, arguments, verbose=True)
    check.same(
        seen=[scheduler.verbose, [str(w.message) for w in recwarn]],
        expected=[True, []],
        source="004-16",
    )
