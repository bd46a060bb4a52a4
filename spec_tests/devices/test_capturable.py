"""Steps that keep what they count on the device: their state, and what they refuse."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.training import Training


def tensors_of(state):
    """Return the entries of a state that are tensors."""
    return {key: entry for key, entry in state.items() if isinstance(entry, torch.Tensor)}


@claim("devices.state-on-the-device")
@optimizers.each(which="counts_steps", every_preset=True)
def test_every_tensor_of_the_state_is_on_the_device(case, device):
    training = Training(case, device)
    training.run(1)
    states = [training.optimizer.state[p] for p in training.parameters]
    check.same(
        seen=[{k: str(e.device) for k, e in tensors_of(state).items()} for state in states],
        expected=[dict.fromkeys(state, str(p.device)) for p, state in
                  zip(training.parameters, states, strict=True)],
        source="the device of the parameter, for every entry",
    )  # fmt: skip


@claim("devices.capturable-changes-no-step")
@optimizers.each(taking=("capturable",), every_preset=True)
def test_capturable_leads_where_the_default_leads(case, device):
    run = OptimizerRun(case, device)
    check.close(
        seen=run.by_torch(),
        expected=run.by_torch(capturable=False),
        source="the same steps with capturable=False",
        tolerance=run.tolerance,
    )


@claim("devices.capturable-refuses-cpu-counter")
@optimizers.each(taking=("capturable",))
def test_a_counter_on_the_cpu_is_refused(case, device):
    training = Training(case, device)
    training.run(1)
    for state in training.optimizer.state.values():
        state["step"] = state["step"].cpu()
    training.closure()
    with pytest.raises(AssertionError, match="capturable"):
        training.step()


@claim("devices.capturable-rate-on-the-device")
@optimizers.each(only=("Adam", "AdamW"))
def test_a_rate_on_the_device_steps_as_a_number_does(case, device):
    rate = torch.tensor(case.optimizer.lr, device=device)
    given, expected = Training(case, device, lr=rate), Training(case, device)
    given.run(3)
    expected.run(3)
    check.close(
        seen=given.values(),
        expected=expected.values(),
        source="the rate as a number",
        tolerance=STEPS,
    )
