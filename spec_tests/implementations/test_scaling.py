"""The scale of a GradScaler, where no kernel would divide by it."""

import pytest
import torch

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training


@claim("scaling.only-fused-steps-take-a-scale")
@pytest.mark.parametrize("given", ["grad_scale", "found_inf"])
@optimizers.each(taking=("fused",))
def test_steps_that_are_not_fused_refuse_a_scale(case, given, device):
    training = Training(case, device)
    training.backward()
    setattr(training.optimizer, given, torch.ones((), device=device))
    with pytest.raises(AssertionError):
        training.step()
