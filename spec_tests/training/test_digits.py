"""A small convolutional network on handwritten digits."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue.document_data import digits
from fixtures.claims import claim

CHANNELS, CLASSES, BATCH, EPOCHS = 8, 10, 64, 4
BACKBONE_RATE, HEAD_RATE = 1e-4, 1e-3


class Net(torch.nn.Module):
    """A 3×3 convolution to 8 channels, and a linear head of ten classes."""

    def __init__(self, side):
        super().__init__()
        self.backbone = torch.nn.Conv2d(1, CHANNELS, kernel_size=3, stride=1)
        self.head = torch.nn.Linear(CHANNELS * (side - 2) ** 2, CLASSES)

    def features(self, images):
        """Map (n, 1, side, side) to (n, 8·(side - 2)²)."""
        return self.backbone(images).flatten(1)

    def forward(self, images):
        """Map images to the scores of ten classes."""
        return self.head(self.features(images))

    def adam(self):
        """Return Adam with a rate for the backbone and a larger one for the head."""
        return torch.optim.Adam(
            [
                {"params": self.backbone.parameters(), "lr": BACKBONE_RATE},
                {"params": self.head.parameters(), "lr": HEAD_RATE},
            ]
        )


def loader(samples, **options):
    """Return a loader of shuffled batches, in the same order every time."""
    images, labels = digits()
    return DataLoader(
        TensorDataset(images[:samples], labels[:samples]),
        batch_size=BATCH,
        shuffle=True,
        generator=torch.Generator().manual_seed(0),
        **options,
    )


@claim("digits.features-of-the-convolution")
def test_an_image_of_28_by_28_has_5408_features(device):
    net = Net(28).to(device)
    features = net.features(torch.ones(2, 1, 28, 28, device=device))
    scores = net.head(features)
    check.same(
        seen=[list(features.shape), list(net.head.weight.shape), list(scores.shape)],
        expected=[[2, 5408], [10, 5408], [2, 10]],
        source="8·26·26 features into 10 classes, 004-11",
    )


@claim("digits.features-of-the-convolution")
def test_each_feature_is_the_sum_over_a_window_of_nine(device):
    net = Net(4).to(device)
    with torch.no_grad():
        net.backbone.weight.fill_(1.0)
        net.backbone.bias.zero_()
    image = torch.arange(16.0, device=device).reshape(1, 1, 4, 4)
    # The windows begin at 0, 1, 4 and 5; their means are in the middle, at 5, 6, 9 and 10.
    expected = [[9.0 * middle for middle in (5, 6, 9, 10)] * CHANNELS]
    check.same(
        seen=net.features(image), expected=torch.tensor(expected), source="nine times the mean"
    )


@claim("digits.loss-falls-every-epoch")
def test_the_mean_loss_falls(device):
    net = Net(8).to(device)
    optimizer, batches, means = net.adam(), loader(512, drop_last=True), []
    for _ in range(EPOCHS):
        total = 0.0
        for images, labels in batches:
            optimizer.zero_grad()
            loss = cross_entropy(net(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            total += loss.item()
        means.append(total / len(batches))
    assert means == sorted(set(means), reverse=True), f"the mean loss did not fall: {means}"


@claim("digits.groups-move-at-their-own-rates")
def test_the_first_step_is_one_rate_long_in_each_group(device):
    net = Net(8).to(device)
    optimizer = net.adam()
    before = [net.backbone.weight.detach().clone(), net.head.bias.detach().clone()]
    images, labels = next(iter(loader(512)))
    cross_entropy(net(images.to(device)), labels.to(device)).backward()
    optimizer.step()
    after = [net.backbone.weight, net.head.bias]
    # Added to the largest entry, the move is compared on the scale on which the parameter is rounded.
    sizes = [b.abs().max() for b in before]
    moves = [(b - a).detach().abs().max() for a, b in zip(after, before, strict=True)]
    check.close(
        seen=[size + move for size, move in zip(sizes, moves, strict=True)],
        expected=[size + rate for size, rate in zip(sizes, (1e-4, 1e-3), strict=True)],
        source="004-11: the largest entry and one rate",
        tolerance=STEPS,
    )


@claim("digits.drop-last-keeps-batches-full")
@pytest.mark.parametrize(
    "drop_last, sizes", [(True, [64, 64]), (False, [64, 64, 22])], ids=["drop", "keep"]
)
def test_the_rest_of_150_samples_fills_no_batch(drop_last, sizes):
    seen = [len(labels) for _, labels in loader(150, drop_last=drop_last)]
    check.same(seen=seen, expected=sizes, source="150 = 2·64 + 22")
