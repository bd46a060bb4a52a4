"""The same five steps on every device: one recorded trajectory for all of them."""

import torch

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.training import Training

STEPS_TAKEN = 5


def tensors_of(state):
    """Return the tensors of a state but the step counter, which older releases keep as a number."""
    return {
        key: entry
        for key, entry in state.items()
        if isinstance(entry, torch.Tensor) and key != "step"
    }


@claim("devices.same-steps-everywhere")
@optimizers.each(every_preset=True, but=("LBFGS",))
def test_parameters_and_state_after_five_steps(case, device, recorded):
    training = Training(case, device)
    training.run(STEPS_TAKEN)
    recorded(
        {
            "parameters": training.values(),
            "state": [tensors_of(training.optimizer.state[p]) for p in training.parameters],
        }
    )
