"""GradScaler and fused steps: the division by the scale, and the steps that are skipped."""

import pytest
import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.side_by_side import finest
from fixtures.tolerances import STEPS
from fixtures.training import Training

# A power of two, by which every number is divided exactly.
SCALE = 64.0
FUSED = {"fused": True}
ONE_OF_THEM = pytest.mark.parametrize("given", ["grad_scale", "found_inf"])
UNFUSED = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])


def number(value, device):
    """Return a tensor of one number in float32, as GradScaler hands it to an optimizer."""
    return torch.tensor(value, dtype=torch.float32, device=device)


def tell(optimizer, *, scale, found_inf, device):
    """Set what GradScaler sets on an optimizer before it calls step()."""
    optimizer.grad_scale, optimizer.found_inf = number(scale, device), number(found_inf, device)


def everything(training):
    """Return copies of the parameters and of all that is kept for them."""
    kept = [training.optimizer.state[p] for p in training.parameters]
    state = [{key: entry.clone() for key, entry in own.items()} for own in kept]
    return {"parameters": training.values(), "state": state}


@claim("scaling.fused-steps-divide-by-the-scale")
@optimizers.each(adding=FUSED, every_preset=True)
def test_fused_steps_over_scaled_gradients_are_those_over_the_gradients(case, device):
    scaled, plain = (Training(case, device, dtype=finest(device)) for _ in range(2))
    tell(scaled.optimizer, scale=SCALE, found_inf=0.0, device=device)
    for _ in range(3):
        for training in (scaled, plain):
            training.closure()
        for parameter in scaled.parameters:
            parameter.grad.mul_(SCALE)
        scaled.step()
        plain.step()
    check.same(seen=everything(scaled), expected=everything(plain), source="steps without a scale")


@claim("scaling.infinite-gradients-are-skipped")
@optimizers.each(adding=FUSED, every_preset=True)
def test_fused_steps_over_infinite_gradients_change_nothing(case, device):
    training = Training(case, device)
    training.run(2)
    before = everything(training)
    training.closure()
    tell(training.optimizer, scale=SCALE, found_inf=1.0, device=device)
    training.step()
    check.same(seen=everything(training), expected=before, source="before the skipped step")


@claim("scaling.skipped-first-step-leaves-no-momentum")
@optimizers.each(adding=FUSED, only=("SGD",), having="dampening")
def test_after_a_skipped_first_step_momentum_starts_at_the_gradient(case, device):
    skipping, plain = Training(case, device), Training(case, device)
    for training in (skipping, plain):
        training.closure()
    tell(skipping.optimizer, scale=1.0, found_inf=1.0, device=device)
    skipping.step()
    tell(skipping.optimizer, scale=1.0, found_inf=0.0, device=device)
    skipping.step()
    plain.step()
    check.same(
        seen=everything(skipping), expected=everything(plain), source="the first step of another"
    )


@claim("scaling.only-fused-steps-take-a-scale")
@ONE_OF_THEM
@UNFUSED
@optimizers.each(only=("SGD", "Adam", "AdamW", "Adagrad"))
def test_steps_that_are_not_fused_refuse_a_scale(case, foreach, given, device):
    training = Training(case, device, foreach=foreach)
    training.backward()
    setattr(training.optimizer, given, number(1.0, device))
    with pytest.raises(AssertionError):
        training.step()


@claim("scaling.grad-scaler-leaves-the-division-to-fused-steps")
@optimizers.each(adding=FUSED, but=("Adagrad",))
def test_grad_scaler_hands_the_scale_to_fused_steps(case, device):
    check_handed_over(case, device)


@claim("scaling.grad-scaler-leaves-the-division-to-fused-adagrad")
@optimizers.each(adding=FUSED, only=("Adagrad",))
def test_grad_scaler_hands_the_scale_to_fused_adagrad(case, device):
    check_handed_over(case, device)


def check_handed_over(case, device):
    __tracebackhide__ = True
    training = Training(case, device)
    scaler = torch.amp.GradScaler(device.type, init_scale=SCALE)
    seen = []

    def note(optimizer, *_):
        seen.extend([optimizer.grad_scale.item(), optimizer.found_inf.item()])

    training.optimizer.register_step_pre_hook(note)
    scaler.scale(training.loss()).backward()
    scaler.step(training.optimizer)
    check.same(seen=seen, expected=[SCALE, 0.0], source="the scale, and no infinite gradient")


@claim("scaling.same-steps-with-and-without-fused")
@optimizers.each(only=("SGD", "Adam", "AdamW", "Adagrad"))
def test_grad_scaler_leads_fused_steps_where_it_leads_the_others(case, device):
    ends = [scaled_training(case, device, fused=fused) for fused in (True, False)]
    check.close(seen=ends[0], expected=ends[1], source="the loop over parameters", tolerance=STEPS)


def scaled_training(case, device, **options):
    """Return where three steps under a GradScaler lead, of which the second overflows."""
    training = Training(case, device, **options)
    scaler = torch.amp.GradScaler(device.type, init_scale=SCALE)
    for factor in (1.0, float("inf"), 1.0):
        training.optimizer.zero_grad()
        scaler.scale(training.loss() * factor).backward()
        scaler.step(training.optimizer)
        scaler.update()
    return everything(training)
