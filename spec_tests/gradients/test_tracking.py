"""What switches tracking off, and what does not."""

import pytest
import torch
from torch.nn import Parameter

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import document_data, optimizers
from fixtures.catalogue.document_problems import TEMPERATURES, TinyNet, leaf
from fixtures.claims import claim
from fixtures.runs.training import Training

OFF = {
    "no_grad": torch.no_grad,
    "set_grad_enabled": lambda: torch.set_grad_enabled(False),
    "inference_mode": torch.inference_mode,
}
ON = {"as_it_was": torch.enable_grad, **OFF}
MADE = {
    "tensor": lambda device: torch.tensor([1.0], device=device, requires_grad=True),
    "zeros": lambda device: torch.zeros(1, device=device, requires_grad=True),
    "parameter": lambda device: Parameter(torch.zeros(1, device=device)),
}


def gradient_by_hand(indices):
    """Return the derivatives of the temperatures' loss over some samples at (1, 0)."""
    samples = [(0.1 * document_data.T_UNKNOWN[i], document_data.T_CELSIUS[i]) for i in indices]
    errors = [u - c for u, c in samples]
    slope = sum(2 * e * u for e, (u, _) in zip(errors, samples, strict=True)) / len(samples)
    return [slope, sum(2 * e for e in errors) / len(samples)]


def trained(case, device, validate):
    """Train for three steps, and validate before each backward; return where that leads."""
    training = Training(case, device)

    def closure():
        training.optimizer.zero_grad()
        validate(training.parameters)
        return float(training.backward().detach())

    for _ in range(3):
        training.optimizer.step(closure)
    return {"parameters": training.values(), "gradients": training.gradients()}


def validation_loss(parameters):
    return torch.stack([(parameter**3).mean() for parameter in parameters]).sum()


@claim("no-grad.validation-leaves-training-alone")
@pytest.mark.parametrize("mode", ON.values(), ids=ON)
@optimizers.each()
def test_training_is_the_same_with_and_without_a_validation_loss(case, mode, device):
    seen = trained(case, device, mode()(validation_loss))
    expected = trained(case, device, lambda parameters: None)
    check.same(seen=seen, expected=expected, source="the same training without validation")


@claim("no-grad.validation-leaves-training-alone")
@pytest.mark.parametrize("mode", ON.values(), ids=ON)
def test_the_gradient_is_that_of_the_training_samples(mode, device):
    parameters = TEMPERATURES.start(device)
    loss = TEMPERATURES.loss(parameters, document_data.TRAIN_INDICES)
    with mode():
        TEMPERATURES.loss(parameters, document_data.VALIDATION_INDICES)
    loss.backward()
    check.close(
        seen=parameters.grad,
        expected=torch.tensor(gradient_by_hand(document_data.TRAIN_INDICES)),
        source="the derivatives over the training samples, in plain Python",
        tolerance=STEPS,
    )


@claim("no-grad.results-require-no-grad")
@pytest.mark.parametrize("mode", OFF.values(), ids=OFF)
def test_a_loss_computed_without_tracking_requires_no_grad(mode, device):
    parameters = TEMPERATURES.start(device)
    with mode():
        loss = TEMPERATURES.loss(parameters, document_data.VALIDATION_INDICES)
    seen = {"loss": loss.requires_grad, "graph": loss.grad_fn is not None}
    check.same(
        seen={**seen, "parameters": parameters.requires_grad},
        expected={"loss": False, "graph": False, "parameters": True},
        source="001-17",
    )


@claim("no-grad.ends-with-its-block")
@pytest.mark.parametrize("mode", OFF.values(), ids=OFF)
def test_tracking_is_on_again_behind_the_block(mode, device):
    w = leaf((1.0, 2.0), device)
    with mode():
        pass
    assert (w * 2).requires_grad, "nothing is tracked behind the block"


@claim("no-grad.ends-with-its-block")
@pytest.mark.parametrize("mode", OFF.values(), ids=OFF)
def test_tracking_is_on_again_behind_a_block_that_raised(mode, device):
    w = leaf((1.0, 2.0), device)
    with pytest.raises(ZeroDivisionError), mode():
        _ = 1 / 0
    assert (w * 2).requires_grad, "nothing is tracked behind the block"


@claim("no-grad.leaves-may-still-be-made")
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_leaf_made_under_no_grad_requires_grad(make, device):
    with torch.no_grad():
        made = make(device)
    assert made.requires_grad, "the leaf was made not to require grad"


@claim("set-grad-enabled.follows-the-flag")
@pytest.mark.parametrize("flag", [True, False], ids=["true", "false"])
@pytest.mark.parametrize("outside", [True, False], ids=["in_grad_mode", "under_no_grad"])
def test_the_loss_requires_grad_exactly_when_the_flag_is_true(outside, flag, device):
    parameters = TEMPERATURES.start(device)
    with torch.set_grad_enabled(outside):
        with torch.set_grad_enabled(flag):
            inside = TEMPERATURES.loss(parameters)
        behind = TEMPERATURES.loss(parameters)
    check.same(
        seen={"inside": inside.requires_grad, "behind": behind.requires_grad},
        expected={"inside": flag, "behind": outside},
        source="the flag, inside its block and no further",
    )


@claim("set-grad-enabled.called-as-a-function")
@pytest.mark.parametrize("flag", [True, False], ids=["true", "false"])
def test_called_as_a_function_it_holds_until_the_next_call(flag, device):
    w = leaf((1.0, 2.0), device)
    torch.set_grad_enabled(flag)
    first, second = (w * 2).requires_grad, (w * 3).requires_grad
    torch.set_grad_enabled(not flag)
    third = (w * 4).requires_grad
    check.same(
        seen=[first, second, third],
        expected=[flag, flag, not flag],
        source="the flag that the call was given",
    )


@claim("tracking.eval-does-not-end-it")
def test_a_model_in_eval_mode_is_tracked_all_the_same(device):
    training, evaluating = TinyNet(device), TinyNet(device).eval()
    training.loss().backward()
    evaluating.loss().backward()
    check.same(
        seen=[parameter.grad for parameter in evaluating.parameters()],
        expected=[parameter.grad for parameter in training.parameters()],
        source="the gradients of the same model in training mode",
    )


@claim("tracking.inference-tensors-need-a-clone")
def test_a_tensor_made_in_inference_mode_cannot_enter_a_tracked_product(device):
    w = leaf((1.0, 2.0), device)
    with torch.inference_mode():
        features = torch.ones(2, device=device) * 3
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * features


@claim("tracking.inference-tensors-need-a-clone")
def test_its_clone_can(device):
    w = leaf((1.0, 2.0), device)
    with torch.inference_mode():
        features = torch.ones(2, device=device) * 3
    (w * features.clone()).sum().backward()
    check.same(seen=w.grad, expected=torch.tensor([3.0, 3.0]), source="d/dw of 3w")
