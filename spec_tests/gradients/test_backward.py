"""What backward() computes, from what is tracked."""

import math

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import document_data
from fixtures.catalogue.document_problems import (
    TEMPERATURES,
    Bowl,
    ChainedWeights,
    TenPointClassifier,
    leaf,
)
from fixtures.claims import claim

POWERS = {"2_to_the_3": (2.0, 3.0), "3_to_the_2": (3.0, 2.0), "0.5_to_the_4": (0.5, 4.0)}
WEIGHTS = {
    "document": (3.0, 4.0, 5.0),
    "fractions": (0.5, 1.5, -2.0),
    "two_negatives": (-1.0, -2.0, 3.0),
    "dead": (3.0, -4.0, 5.0),
}
# Operations on a tensor that requires grad and on one that does not: whether they are recorded.
OPERATIONS = {
    "plain_and_plain": (lambda w, x: x * x, False),
    "plain_and_tracked": (lambda w, x: w * x, True),
    "tracked_and_tracked": (lambda w, x: w * w, True),
    "tracked_in_a_list": (lambda w, x: torch.stack([x, w]), True),
    "largest_entry": (lambda w, x: w.max(), True),
    "place_of_the_largest": (lambda w, x: w.argmax(), False),
    "comparison": (lambda w, x: w > x, False),
    "shape_alone": (lambda w, x: torch.ones_like(w), False),
}
UNTRACKED = {
    "plain_tensors": lambda w: (torch.ones_like(w) * 2).sum(),
    "detached": lambda w: (w.detach() * 2).sum(),
    "under_no_grad": torch.no_grad()(lambda w: (w * 2).sum()),
    "everything_frozen": lambda w: (w.requires_grad_(False) * 2).sum(),
    "from_a_number": lambda w: torch.tensor((w * 2).sum().item(), device=w.device),
}


def chain_by_hand(w1, w2, w3, x=2.0, target=1.0):
    """Return the loss of 002-4 and its derivatives by the chain rule, in plain Python."""
    hidden = w2 * w1 * x
    alive = float(hidden > 0)
    error = w3 * hidden * alive - target
    gradients = [2 * error * w3 * alive * w2 * x, 2 * error * w3 * alive * w1 * x]
    return error**2, [*gradients, 2 * error * hidden * alive]


def classifier_by_hand(model):
    """Return the mean cross-entropy of the ten points and its derivatives, in plain Python."""
    weight, bias = model.weight.tolist(), model.bias.tolist()
    n, loss = len(document_data.TEN_POINTS), 0.0
    by_weight, by_bias = [[0.0, 0.0] for _ in weight], [0.0 for _ in bias]
    for point, label in zip(document_data.TEN_POINTS, document_data.TEN_LABELS, strict=True):
        scores = [
            row[0] * point[0] + row[1] * point[1] + b for row, b in zip(weight, bias, strict=True)
        ]
        total = sum(math.exp(z) for z in scores)
        loss += (math.log(total) - scores[label]) / n
        for k, z in enumerate(scores):
            slope = (math.exp(z) / total - (k == label)) / n
            by_bias[k] += slope
            by_weight[k] = [entry + slope * x for entry, x in zip(by_weight[k], point, strict=True)]
    return [torch.tensor(loss), torch.tensor(by_weight), torch.tensor(by_bias)]


@claim("backward.derivative-of-a-power")
@pytest.mark.parametrize("base, exponent", POWERS.values(), ids=POWERS)
def test_the_derivative_by_the_exponent_is_the_power_times_the_logarithm(base, exponent, device):
    w = leaf((exponent,), device)
    (torch.tensor([base], device=device) ** w).backward()
    check.close(
        seen=w.grad,
        expected=torch.tensor([base**exponent * math.log(base)]),
        source="x^w·ln x",
        tolerance=STEPS,
    )


@claim("backward.derivative-of-a-power")
def test_the_documents_power_has_the_derivative_8_ln_2(device):
    w = leaf((3.0,), device)
    (torch.tensor([2.0], device=device) ** w).backward()
    check.printed(
        seen=w.grad,
        exact=8 * math.log(2),
        expected="5.5452",
        source="002-3",
        tolerance=STEPS,
    )


@claim("backward.chain-rule")
def test_the_documents_chain_has_the_loss_and_gradients_it_gives(device):
    weights = ChainedWeights.start(device)
    loss = ChainedWeights.loss(weights)
    loss.backward()
    check.same(
        seen=[loss, *(w.grad for w in weights)],
        expected=[torch.tensor([number]) for number in (14161.0, 9520.0, 7140.0, 5712.0)],
        source="002-4",
    )


@claim("backward.chain-rule")
@pytest.mark.parametrize("values", WEIGHTS.values(), ids=WEIGHTS)
def test_the_chain_rule_reaches_every_weight(values, device):
    weights = [leaf((value,), device) for value in values]
    loss = ChainedWeights.loss(weights)
    loss.backward()
    expected_loss, gradients = chain_by_hand(*values)
    # 0.0 is added, since a product with zero may come out as -0.0.
    check.close(
        seen=[loss, *(w.grad + 0.0 for w in weights)],
        expected=[torch.tensor([number + 0.0]) for number in (expected_loss, *gradients)],
        source="the chain rule, in plain Python",
        tolerance=STEPS,
    )


@claim("backward.relu-has-slope-0-at-0")
def test_relu_passes_the_gradient_where_its_input_is_positive(device):
    x = leaf((-2.0, -0.5, 0.0, 0.5, 3.0), device)
    torch.relu(x).sum().backward()
    expected = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0])
    check.same(seen=x.grad, expected=expected, source="1 where x > 0, else 0")


@claim("backward.records-what-requires-grad")
@pytest.mark.parametrize("operation, recorded", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_recorded_if_it_depends_on_what_requires_grad(operation, recorded, device):
    result = operation(leaf((1.0, 2.0), device), torch.tensor([3.0, 1.0], device=device))
    check.same(
        seen={"requires_grad": result.requires_grad, "graph": result.grad_fn is not None},
        expected={"requires_grad": recorded, "graph": recorded},
        source="whether its value follows a change of w",
    )


@claim("backward.clone-changes-nothing")
@pytest.mark.parametrize("values", [(0.5, 0.5), (-1.3, 0.7)], ids=["document", "elsewhere"])
def test_a_loss_of_clones_has_the_value_and_gradient_of_the_loss_itself(values, device):
    plain, cloned = leaf(values, device), leaf(values, device)
    loss = Bowl.loss(plain)
    loss_of_clones = cloned[0].clone() ** 2 + 2 * cloned[1].clone() ** 2
    loss.backward()
    loss_of_clones.backward()
    check.same(
        seen=[loss_of_clones, cloned.grad],
        expected=[loss, plain.grad],
        source="the loss without clone()",
    )


@claim("backward.clone-changes-nothing")
def test_the_loss_of_clones_has_the_printed_gradient(device):
    w = Bowl.start(device)
    (w[0].clone() ** 2 + 2 * w[1].clone() ** 2).backward()
    check.same(seen=w.grad, expected=torch.tensor([1.0, 2.0]), source="003-2 and 003-5")


@claim("backward.mean-over-the-batch")
def test_the_loss_of_a_batch_of_temperatures_is_the_mean_of_its_points(device):
    losses, gradients = [], []
    for sample in ([i] for i in range(11)):
        parameters = TEMPERATURES.start(device)
        losses.append(TEMPERATURES.loss(parameters, sample))
        losses[-1].backward()
        gradients.append(parameters.grad)
    parameters = TEMPERATURES.start(device)
    loss = TEMPERATURES.loss(parameters)
    loss.backward()
    check.close(
        seen=[loss, parameters.grad],
        expected=[torch.stack(losses).mean(0), torch.stack(gradients).mean(0)],
        source="the mean over eleven batches of one point",
        tolerance=STEPS,
    )


@claim("backward.mean-over-the-batch")
def test_cross_entropy_of_a_batch_is_the_mean_of_its_points(device):
    model = TenPointClassifier(device)
    loss = model.loss()
    loss.backward()
    expected = classifier_by_hand(model)
    check.close(
        seen=[loss, model.weight.grad, model.bias.grad],
        expected=expected,
        source="the mean of log Σexp(z) - z_label over the points, in plain Python",
        tolerance=STEPS,
    )


@claim("backward.needs-a-scalar")
def test_backward_of_several_numbers_is_an_error(device):
    several = leaf((1.0, 2.0), device) * 2
    with pytest.raises(RuntimeError, match="scalar"):
        several.backward()


@claim("backward.needs-a-graph")
@pytest.mark.parametrize("untracked", UNTRACKED.values(), ids=UNTRACKED)
def test_backward_of_what_was_not_tracked_is_an_error(untracked, device):
    loss = untracked(leaf((1.0, 2.0), device))
    with pytest.raises(RuntimeError, match="does not require grad"):
        loss.backward()
