"""Schedulers over steps that a GradScaler takes or skips."""

import warnings

import torch

from fixtures.assertions import check
from fixtures.claims import claim

INFINITE, FINITE = float("inf"), 1.0


def trained(slopes, **options):
    """Return the rates of a StepLR that halves, and the warnings, over steps along these slopes."""
    parameter = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=1.0, **options)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
        rates = []
        for slope in slopes:
            optimizer.zero_grad()
            scaler.scale(slope * parameter.sum()).backward()
            scaler.step(optimizer)
            scaler.update()
            scheduler.step()
            rates += scheduler.get_last_lr()
    return rates, [str(warning.message) for warning in caught]


@claim("order.skipped-first-step-warns")
def test_a_skipped_first_step_counts_as_none():
    _, warned = trained([INFINITE, FINITE, FINITE], foreach=False)
    assert len(warned) == 1, f"warned: {warned}"
    assert "before `optimizer.step()`" in warned[0], f"warned: {warned}"


@claim("order.skipped-fused-step-is-silent")
def test_a_fused_step_that_skips_counts():
    _, warned = trained([INFINITE, FINITE, FINITE], fused=True)
    assert warned == [], f"warned: {warned}"


@claim("order.skipped-steps-move-the-schedule")
def test_a_schedule_does_not_know_of_skipped_steps():
    rates, _ = trained([INFINITE, FINITE, INFINITE, FINITE], foreach=False)
    check.same(seen=rates, expected=[0.5, 0.25, 0.125, 0.0625], source="halved four times")
