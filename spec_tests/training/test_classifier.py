"""The linear classifier written by hand, on ten points of three classes."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import document_data, optimizers
from fixtures.catalogue.document_problems import TenPointClassifier
from fixtures.claims import claim
from fixtures.oracles.sgd import SGD

RATE = 0.01
# A start from which all that the document printed follows; its own it did not print.
START = [[0.623, 0.745], [0.184, -0.368], [0.603, -0.498]]
# 000-5 to 000-7: the losses of five epochs, and the biases after the first four.
PRINTED_LOSSES = ("1.2970", "1.2946", "1.2923", "1.2899", "1.2876")
PRINTED_BIASES = (
    "-0.0016", "-0.0010", "0.0026", "-0.0032", "-0.0020", "0.0051",
    "-0.0047", "-0.0030", "0.0077", "-0.0063", "-0.0039", "0.0102",
)  # fmt: skip
STARTS = {
    "document": START,
    "zero": [[0.0, 0.0]] * 3,
    "far": [[5.0, -9.0], [-7.0, 4.0], [2.0, 8.0]],
    "saturated": [[500.0, -900.0], [-700.0, 400.0], [200.0, 800.0]],
}
each_start = pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)


def classifier(device, start):
    model = TenPointClassifier(device)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(start))
    return model


def trained(model, epochs):
    """Train with SGD; return the losses before each epoch, and the biases after it."""
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    losses, biases = [], []
    for _ in range(epochs):
        loss = model.loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        biases.append(model.bias.detach().clone())
    return losses, biases


def exact_training(epochs):
    """Return the same as trained(), on plain numbers, from START; and the weight (6,) at the end."""
    weight, bias, oracle = [w for row in START for w in row], [0.0] * 3, SGD(lr=RATE)
    losses, biases = [], []
    for _ in range(epochs):
        loss, *slopes = TenPointClassifier.by_hand(weight, bias)
        oracle.step([weight, bias], slopes)
        losses.append(loss)
        biases.append(list(bias))
    return losses, biases, weight


@claim("classifier.linear-map-by-hand")
def test_each_point_has_a_score_for_each_class(device):
    model = classifier(device, START)
    with torch.no_grad():
        model.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    expected = [
        [w[0] * x + w[1] * y + bias for w, bias in zip(START, (1.0, 2.0, 3.0), strict=True)]
        for x, y in document_data.TEN_POINTS
    ]
    check.close(
        seen=model(torch.tensor(document_data.TEN_POINTS, device=device)),
        expected=torch.tensor(expected),
        source="w₁x + w₂y + b, point by point",
        tolerance=STEPS,
    )


@claim("classifier.trains-weight-and-bias")
@optimizers.each(which="accepts_vectors")
def test_weight_and_bias_both_move(case, device):
    model = classifier(device, START)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = case.build(model.parameters())

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.CrossEntropyLoss()(
            model(torch.tensor(document_data.TEN_POINTS, device=device)),
            torch.tensor(document_data.TEN_LABELS, device=device),
        )
        loss.backward()
        return loss.item()

    optimizer.step(closure)
    moved = [bool((p != b).all()) for p, b in zip(model.parameters(), before, strict=True)]
    assert moved == [True, True], f"every entry of weight and of bias moved: {moved}"


@claim("classifier.loss-falls-every-epoch")
@each_start
def test_each_loss_is_below_the_one_before(start, device):
    losses, _ = trained(classifier(device, start), epochs=20)
    assert losses == sorted(set(losses), reverse=True), f"the loss did not fall: {losses}"


@claim("classifier.losses-of-the-document")
def test_five_epochs_give_the_printed_losses(device, recorded):
    losses, _ = trained(classifier(device, START), epochs=5)
    check.printed(
        seen=losses,
        exact=exact_training(epochs=5)[0],
        expected=PRINTED_LOSSES,
        source="000-5",
        tolerance=STEPS,
    )
    recorded(torch.tensor(losses))


@claim("classifier.losses-of-the-document")
def test_five_epochs_give_the_printed_biases(device, recorded):
    _, biases = trained(classifier(device, START), epochs=5)
    check.printed(
        seen=biases[:4],
        exact=exact_training(epochs=4)[1],
        expected=PRINTED_BIASES,
        source="000-7",
        tolerance=STEPS,
    )
    recorded(biases)


@claim("classifier.losses-of-the-document")
def test_five_epochs_keep_the_printed_means(device):
    model = classifier(device, START)
    trained(model, epochs=5)
    _, biases, weight = exact_training(epochs=5)
    check.printed(
        seen=[model.weight.mean(), model.bias.mean()],
        exact=[sum(weight) / 6, sum(biases[-1]) / 3],
        expected=["0.2148", "0.0000"],
        source="000-6",
        tolerance=STEPS,
    )


@claim("classifier.means-stay")
@optimizers.each(only=("SGD",), every_preset=True)
def test_sums_over_the_classes_move_as_without_a_gradient(case, device):
    model = classifier(device, START)
    optimizer = case.build(model.parameters())
    expected = sums_over_classes(model).cpu().tolist()
    oracle = SGD(**{"lr": case.optimizer.lr, **case.preset.options})
    for _ in range(5):
        optimizer.zero_grad()
        model.loss().backward()
        optimizer.step()
        oracle.step([expected], [[0.0, 0.0, 0.0]])
    check.close(
        seen=sums_over_classes(model),
        expected=torch.tensor(expected),
        source="the oracle over gradients of zero: the sums stay, but for weight decay",
        tolerance=STEPS,
    )


def sums_over_classes(model):
    """Return Σ over the classes of both columns of W and of b: three numbers, on one scale."""
    return torch.cat([model.weight.detach().sum(0), model.bias.detach().sum(0, keepdim=True)])


@claim("classifier.adam-moves-the-means")
def test_the_first_step_of_adam_moves_the_sum_of_the_biases_by_one_rate(device):
    model = classifier(device, START)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    model.loss().backward()
    optimizer.step()
    check.close(
        seen=model.bias.detach().sum().abs(),
        expected=torch.tensor(RATE),
        source="one rate, whatever the gradients",
        tolerance=STEPS,
    )


@claim("classifier.bias-moves-at-most-by-lr")
@each_start
def test_no_bias_moves_by_more_than_the_rate(start, device):
    model = classifier(device, start)
    trained(model, epochs=1)
    moves = model.bias.detach().abs().cpu().tolist()
    assert 0 < max(moves) <= RATE, f"the biases moved by {moves}"


@claim("classifier.bias-moves-at-most-by-lr")
@each_start
def test_the_moves_of_the_biases_cancel(start, device):
    model = classifier(device, start)
    trained(model, epochs=1)
    # Added to the rate, the sum is compared on the scale of the largest move that there can be.
    check.close(
        seen=model.bias.detach().sum() + RATE,
        expected=torch.tensor(RATE),
        source="moves that sum to 0",
        tolerance=STEPS,
    )
