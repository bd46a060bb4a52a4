"""Optimizers whose step can be captured in a graph: their state, and what they refuse."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.training import Training

EITHER_WAY = pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])


def tensors_of(state):
    """Return the entries of a state that are tensors."""
    return {key: entry for key, entry in state.items() if isinstance(entry, torch.Tensor)}


def check_a_step_keeps_its_state_there(training):
    __tracebackhide__ = True
    training.run(1)
    states = [training.optimizer.state[p] for p in training.parameters]
    check.same(
        seen=[{k: str(e.device) for k, e in tensors_of(state).items()} for state in states],
        expected=[dict.fromkeys(state, str(p.device)) for p, state in
                  zip(training.parameters, states, strict=True)],
        source="the device of the parameter, for every entry",
    )  # fmt: skip


@claim("devices.capturable-state-on-the-device")
@EITHER_WAY
@optimizers.each(every_preset=True, adding={"capturable": True})
def test_every_tensor_of_the_state_is_on_the_device(case, foreach, device):
    training = Training(case, device, foreach=foreach)
    check_a_step_keeps_its_state_there(training)


@claim("devices.fused-state-on-the-device")
@optimizers.each(every_preset=True, only=("Adam", "AdamW"), adding={"fused": True})
def test_every_tensor_of_a_fused_state_is_on_the_device(case, device):
    training = Training(case, device)
    check_a_step_keeps_its_state_there(training)


@claim("devices.capturable-follows-update-rule")
@EITHER_WAY
@optimizers.each(every_preset=True, adding={"capturable": True})
def test_capturable_takes_the_oracle_s_steps_either_way(case, foreach, device):
    run = OptimizerRun(case, device)
    check.close(
        seen=run.by_torch(foreach=foreach),
        expected=run.by_oracle(),
        source="the oracle in fixtures/oracles",
        tolerance=run.rounding,
    )


@claim("devices.capturable-changes-no-step")
@optimizers.each(every_preset=True, adding={"capturable": True})
def test_capturable_leads_where_the_default_leads(case, device):
    run = OptimizerRun(case, device)
    check.close(
        seen=run.by_torch(),
        expected=run.by_torch(capturable=False),
        source="the same steps with capturable=False",
        tolerance=run.rounding,
    )


@claim("devices.capturable-refuses-cpu-counter")
@EITHER_WAY
@optimizers.each(adding={"capturable": True})
def test_a_counter_on_the_cpu_is_refused(case, foreach, device):
    training = Training(case, device, foreach=foreach)
    training.run(1)
    for state in training.optimizer.state.values():
        state["step"] = state["step"].cpu()
    training.closure()
    with pytest.raises(AssertionError, match="capturable"):
        training.step()


@claim("devices.capturable-rate-on-the-device")
@EITHER_WAY
@optimizers.each(only=("Adam", "AdamW"), adding={"capturable": True})
def test_a_rate_on_the_device_steps_as_a_number_does(case, foreach, device):
    rate = torch.tensor(case.optimizer.lr, device=device)
    given, expected = (Training(case, device, foreach=foreach, lr=lr)
                       for lr in (rate, case.optimizer.lr))  # fmt: skip
    given.run(3)
    expected.run(3)
    check.close(
        seen=given.values(),
        expected=expected.values(),
        source="the rate as a number",
        tolerance=STEPS,
    )
