"""What an optimizer makes of a module whose parameters are assigned, swapped or cast."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.conversions import OVERWRITE, SWAP, switched_on
from fixtures.runs.module_training import ON_EACH, build, inputs, layer, train, weights

CAST_TO = (torch.float64, torch.bfloat16)
# Those that combine state and gradient with an operator that takes one dtype alone.
TAKING_ONE_DTYPE = ("Adafactor", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam")


def fate(net, optimizer, device, dtype=torch.float32):
    """Return whether the optimizer holds the weight of a module, and whether it trains it."""
    before = net.weight.detach().clone()
    train(net, optimizer, inputs(device, dtype), steps=1)
    held = optimizer.param_groups[0]["params"][0] is net.weight
    return {"held": held, "trained": not torch.equal(before, net.weight)}


@claim("references.assigned-parameters-are-not-followed")
@ON_EACH
def test_an_optimizer_built_before_parameters_are_assigned_keeps_the_old_ones(case, device):
    fates = {}
    for when in ("before", "after"):
        net, saved = layer(device), {"weight": weights(device) + 1}
        early = build(case, net.parameters())
        net.load_state_dict(saved, assign=True)
        late = build(case, net.parameters())
        fates[when] = fate(net, early if when == "before" else late, device)
    check.same(
        seen=fates,
        expected={
            "before": {"held": False, "trained": False},
            "after": {"held": True, "trained": True},
        },
        source="whether the optimizer was built before or after loading",
    )


@claim("references.swapped-parameters-are-followed")
@optimizers.each(which="accepts_dense_gradients", but="keeps_state_from_construction")
def test_a_module_that_is_cast_by_swapping_is_trained_in_its_new_dtype(case, device):
    swapped, built = layer(device), layer(device, torch.float64)
    optimizer = build(case, swapped.parameters())
    with switched_on(SWAP):
        swapped.double()
        swapped.load_state_dict({"weight": built.weight.detach().clone()}, assign=True)
    other = build(case, built.parameters())
    train(swapped, optimizer, inputs(device, torch.float64))
    train(built, other, inputs(device, torch.float64))
    check.same(
        seen=[optimizer.param_groups[0]["params"][0] is swapped.weight, swapped.weight.detach()],
        expected=[True, built.weight.detach()],
        source="a module that was made in that dtype",
    )


@claim("references.overwritten-are-not-followed")
@ON_EACH
def test_a_module_that_is_cast_by_overwriting_is_not_trained(case, device):
    net = layer(device)
    optimizer = build(case, net.parameters())
    with switched_on(OVERWRITE):
        net.double()
    check.same(
        seen=fate(net, optimizer, device, torch.float64),
        expected={"held": False, "trained": False},
        source="the module has another parameter, which no optimizer was given",
    )


def cast_after_a_step(case, dtype, device):
    """Return a layer that was cast after a step, and its optimizer."""
    net = layer(device)
    optimizer = build(case, net.parameters())
    train(net, optimizer, inputs(device), steps=1)
    net.to(dtype)
    return net, optimizer


@claim("references.late-casts-are-refused")
@optimizers.each(only=TAKING_ONE_DTYPE)
def test_a_module_that_is_cast_after_a_step_is_an_error_of_the_next(case, device):
    for dtype in CAST_TO:
        net, optimizer = cast_after_a_step(case, dtype, device)
        with pytest.raises(RuntimeError, match="dtype"):
            train(net, optimizer, inputs(device, dtype), steps=1)


@claim("references.late-casts-leave-the-state")
@optimizers.each(
    only=[
        entry.name
        for entry in optimizers.chosen(which=("accepts_dense_gradients", "is_torch_s_own"))
        if entry.name not in TAKING_ONE_DTYPE
    ]
)
def test_a_module_that_is_cast_after_a_step_is_trained_with_the_state_as_it_was(case, device):
    seen = {}
    for dtype in CAST_TO:
        net, optimizer = cast_after_a_step(case, dtype, device)
        moved = fate(net, optimizer, device, dtype)
        state = optimizer.state.get(net.weight, {}).values()
        kept = {str(entry.dtype) for entry in state if isinstance(entry, torch.Tensor)}
        seen[str(dtype)] = [moved, kept <= {"torch.float32"}]
    expected = [{"held": True, "trained": True}, True]
    check.same(
        seen=seen,
        expected=dict.fromkeys(seen, expected),
        source="the state in float32, in which it was made",
    )
