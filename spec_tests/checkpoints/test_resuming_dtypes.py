"""Going on from a checkpoint where parameters are not float32."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.runs.saved_training import everything, fresh, restore, trained


def uninterrupted_and_resumed(case, device, dtype):
    """Return a training in a dtype, and another that goes on from its state_dict half-way."""
    training, resumed = trained(case, device, dtype=dtype), fresh(case, device, dtype=dtype)
    saved = everything(training)
    restore(resumed, saved[0])
    resumed.optimizer.load_state_dict(saved[1])
    training.run(2)
    resumed.run(2)
    return training, resumed


@claim("checkpoints.resume-in-every-dtype")
@optimizers.each()
def test_a_training_goes_on_bit_for_bit_in_its_dtype(case, device):
    pairs = [uninterrupted_and_resumed(case, device, d) for d in (finest(device), torch.bfloat16)]
    check.same(
        seen=[everything(resumed) for _, resumed in pairs],
        expected=[everything(uninterrupted) for uninterrupted, _ in pairs],
        source="the training that did not stop",
    )
