"""A training that stops, and goes on from a file."""

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.training import Training

HALF = 3
WITH_MOMENTS = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam",
    "RMSprop", "Rprop", "SparseAdam",
)  # fmt: skip
SCHEDULES = {
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.5),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 5),
    "warm_restarts": lambda optimizer: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2),
}


def started(case, device, schedule):
    training = Training(case, device)
    return training, SCHEDULES[schedule](training.optimizer)


def go_on(training, scheduler, epochs):
    for _ in range(epochs):
        training.run(1)
        scheduler.step()


def save(path, training, scheduler, epoch):
    torch.save(
        {
            "model": training.values(),
            "optimizer": training.optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "epoch": epoch,
            "loss": training.loss(),
        },
        path,
    )


def load(path, training, scheduler):
    checkpoint = torch.load(path, weights_only=True)
    restore_parameters(training, checkpoint["model"])
    training.optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    return checkpoint


def restore_parameters(training, values):
    with torch.no_grad():
        for parameter, value in zip(training.parameters, values, strict=True):
            parameter.copy_(value)


def everything(training, scheduler):
    state = training.optimizer.state_dict()
    return {
        "parameters": training.values(),
        "state": {str(index): entries for index, entries in state["state"].items()},
        "rates": scheduler.get_last_lr(),
        "epoch": scheduler.last_epoch,
    }


def compare_with_the_uninterrupted(case, device, schedule, path):
    interrupted, schedule_until = started(case, device, schedule)
    go_on(interrupted, schedule_until, HALF)
    save(path, interrupted, schedule_until, HALF)
    resumed, schedule_from = started(case, device, schedule)
    load(path, resumed, schedule_from)
    go_on(resumed, schedule_from, HALF)
    go_on(interrupted, schedule_until, HALF)
    check.same(
        seen=everything(resumed, schedule_from),
        expected=everything(interrupted, schedule_until),
        source="the training that did not stop",
    )


@claim("checkpoints.resume-bit-for-bit")
@optimizers.each(every_preset=True)
def test_every_optimizer_goes_on(case, device, tmp_path):
    compare_with_the_uninterrupted(case, device, "step", tmp_path / "checkpoint.pt")


@claim("checkpoints.resume-bit-for-bit")
@pytest.mark.parametrize("schedule", ["cosine", "warm_restarts"])
@optimizers.each()
def test_every_schedule_goes_on(case, schedule, device, tmp_path):
    compare_with_the_uninterrupted(case, device, schedule, tmp_path / "checkpoint.pt")


@claim("checkpoints.rate-starts-over-without-the-scheduler")
@optimizers.each()
def test_a_fresh_scheduler_starts_the_rate_over(case, device):
    training, scheduler = started(case, device, "step")
    go_on(training, scheduler, HALF)
    resumed, fresh = started(case, device, "step")
    restore_parameters(resumed, training.values())
    check.same(
        seen=fresh.get_last_lr() + scheduler.get_last_lr(),
        expected=[case.build(resumed.parameters).param_groups[0]["lr"]]
        + [0.5 * rate for rate in fresh.base_lrs],
        source="closed form after 0 and after 3 steps",
    )


@claim("checkpoints.moments-start-over-without-the-optimizer")
@optimizers.each(only=WITH_MOMENTS)
def test_a_fresh_optimizer_steps_otherwise(case, device):
    training, resumed = Training(case, device), Training(case, device)
    training.run(HALF)
    restore_parameters(resumed, training.values())
    training.run(1)
    resumed.run(1)
    same = [torch.equal(a, b) for a, b in zip(training.values(), resumed.values(), strict=True)]
    assert not all(same), "the step is that of the optimizer with its moments"


@claim("checkpoints.loop-variables-outlive-the-loop")
def test_epoch_and_loss_are_bound_after_the_loop():
    for epoch in range(3):
        loss = 0.5**epoch
    check.same(seen=[epoch + 1, loss], expected=[3, 0.25], source="the last of three epochs")
