"""Checkpoints of an unusual moment: before the first step, in the middle of an accumulation, loaded again."""

from copy import deepcopy

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.saved_training import everything, fresh, restore, trained


@claim("checkpoints.before-the-first-step")
@optimizers.each()
def test_a_state_from_before_the_first_step_begins_anew(case, device):
    begun, late, plain = fresh(case, device), trained(case, device), fresh(case, device)
    start, state_dict = plain.values(), deepcopy(plain.optimizer.state_dict())
    for training in (begun, late):
        restore(training, start)
        training.optimizer.load_state_dict(deepcopy(state_dict))
    for training in (begun, late, plain):
        training.run(2)
    check.same(
        seen={"loaded by a fresh one": everything(begun), "by a trained one": everything(late)},
        expected={
            "loaded by a fresh one": everything(plain),
            "by a trained one": everything(plain),
        },
        source="a training that loaded nothing",
    )


@claim("checkpoints.gradients-are-not-saved")
@optimizers.each()
def test_what_was_accumulated_before_the_checkpoint_is_not_in_it(case, device):
    whole, lost, kept, cleared = (trained(case, device) for _ in range(4))
    values, state_dict = whole.values(), deepcopy(whole.optimizer.state_dict())
    gradients = whole.gradients()
    cleared.optimizer.zero_grad()
    for training in (lost, kept):
        training.optimizer.zero_grad()
        training.run(1)
        training.optimizer.zero_grad()
        restore(training, values)
        training.optimizer.load_state_dict(deepcopy(state_dict))
    for parameter, gradient in zip(kept.parameters, gradients, strict=True):
        parameter.grad = gradient
    for training in (whole, lost, kept, cleared):
        training.backward()
        training.step()
    check.same(
        seen={"gradients lost": everything(lost), "gradients put back": everything(kept)},
        expected={"gradients lost": everything(cleared), "gradients put back": everything(whole)},
        source="a training whose gradients were cleared, and one that was not interrupted",
    )


@claim("loading.again-is-as-once")
@optimizers.each()
def test_a_checkpoint_that_is_loaded_again_later_brings_the_same_back(case, device):
    once, again = trained(case, device), trained(case, device)
    values, state_dict = once.values(), deepcopy(once.optimizer.state_dict())
    for _ in range(2):
        again.run(1)
        restore(again, values)
        again.optimizer.load_state_dict(deepcopy(state_dict))
        again.optimizer.load_state_dict(deepcopy(state_dict))
    once.run(2)
    again.run(2)
    check.same(seen=everything(again), expected=everything(once), source="one that never loaded")
