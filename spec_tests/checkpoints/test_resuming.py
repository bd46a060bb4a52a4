"""A training that stops, and goes on from a file."""

import pytest
import torch
from torch.optim import lr_scheduler

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import OF_EACH_KIND, every_preset, fresh, restore

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

HALF = 3
SCHEDULES = {
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.5),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 5),
    "warm_restarts": lambda optimizer: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2),
}


def started(case, schedule="step"):
    """Return a training and its scheduler before the first step."""
    training = fresh(case)
    return training, SCHEDULES[schedule](training.optimizer)


def go_on(training, scheduler, epochs=HALF):
    """Train for some epochs of one step."""
    for _ in range(epochs):
        training.run(1)
        scheduler.step()


def checkpoint_of(training, scheduler):
    """Return what the documents put into a checkpoint."""
    return {
        "model": training.values(),
        "optimizer": training.optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": scheduler.last_epoch,
        "loss": training.loss(),
    }


def load(checkpoint, training, scheduler):
    """Load a checkpoint into fresh objects."""
    restore(training, checkpoint["model"])
    training.optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])


def everything(training, scheduler):
    """Return what a training consists of."""
    return {
        "parameters": training.values(),
        "optimizer": training.optimizer.state_dict(),
        "rates": scheduler.get_last_lr(),
        "epoch": scheduler.last_epoch,
    }


def check_resumed(asked, path):
    """Compare trainings with those that go on from their checkpoints, which lie in one file.

    Args:
        asked: The case and the schedule of each training, by name.
        path: Of the file.
    """
    __tracebackhide__ = True
    trainings = {name: started(*which) for name, which in asked.items()}
    resumed = {name: started(*which) for name, which in asked.items()}
    for training in trainings.values():
        go_on(*training, epochs=2)
    torch.save({name: checkpoint_of(*training) for name, training in trainings.items()}, path)
    for name, checkpoint in torch.load(path, weights_only=True).items():
        load(checkpoint, *resumed[name])
    for training in (*trainings.values(), *resumed.values()):
        go_on(*training, epochs=2)
    check.same(
        seen={name: everything(*training) for name, training in resumed.items()},
        expected={name: everything(*training) for name, training in trainings.items()},
        source="the training that did not stop",
    )


@claim("checkpoints.resume-bit-for-bit")
@optimizers.each()
def test_every_optimizer_goes_on_with_every_preset(case, tmp_path):
    presets = every_preset(case)
    check_resumed({name: (preset, "step") for name, preset in presets.items()}, tmp_path / "c.pt")


@claim("checkpoints.resume-bit-for-bit")
@optimizers.each(by=("loop",))
def test_every_schedule_goes_on(case, tmp_path):
    schedules = ("cosine", "warm_restarts")
    check_resumed({name: (case, name) for name in schedules}, tmp_path / "c.pt")


@claim("checkpoints.rate-needs-scheduler-state")
@OF_EACH_KIND
def test_a_fresh_scheduler_starts_the_rate_over(case):
    training, scheduler = started(case)
    go_on(training, scheduler)
    resumed, new = started(case)
    restore(resumed, training.values())
    check.same(
        seen=new.get_last_lr() + scheduler.get_last_lr(),
        expected=[case.optimizer.lr, 0.5 * case.optimizer.lr],
        source="closed form after 0 and after 3 steps",
    )


@claim("checkpoints.late-scheduler-resets-rate")
@OF_EACH_KIND
def test_a_scheduler_that_is_built_after_loading_overwrites_the_rate(case):
    training = fresh(case)
    go_on(training, ramp_of(training))
    saved = training.optimizer.state_dict()
    in_order, too_late = fresh(case), fresh(case)
    ramp_of(in_order)
    in_order.optimizer.load_state_dict(saved)
    too_late.optimizer.load_state_dict(saved)
    ramp_of(too_late)
    check.same(
        seen=[t.optimizer.param_groups[0]["lr"] for t in (in_order, too_late)],
        expected=[case.optimizer.lr * 4, case.optimizer.lr],
        source="three epochs of the ramp, and none",
    )


def ramp_of(training):
    """Return a scheduler that adds the rate of the constructor once an epoch."""
    return lr_scheduler.LambdaLR(training.optimizer, lambda epoch: 1 + epoch)


@claim("checkpoints.moments-need-optimizer-state")
@optimizers.each(which="keeps_state")
def test_a_fresh_optimizer_steps_otherwise(case, device):
    training, resumed = fresh(case, device), fresh(case, device)
    training.run(HALF)
    restore(resumed, training.values())
    training.run(1)
    resumed.run(1)
    same = [torch.equal(a, b) for a, b in zip(training.values(), resumed.values(), strict=True)]
    assert not all(same), "the step is that of the optimizer with its moments"


@claim("checkpoints.loop-variables-outlive-loop")
def test_the_last_epoch_and_loss_can_be_saved_after_the_loop(tmp_path):
    path, weight = tmp_path / "checkpoint.pt", torch.tensor([4.0], requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.25)
    for epoch in range(3):  # noqa: B007 - its value is used after the loop
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        optimizer.step()
    torch.save({"epoch": epoch, "loss": loss}, path)
    loaded = torch.load(path, weights_only=True)
    check.same(
        seen=[loaded["epoch"] + 1, loaded["loss"].item()],
        expected=[3, 1.0],
        source="each step halves the weight: the last epoch began at 1",
    )
