"""A small convolutional network on handwritten digits."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from fixtures import check
from fixtures.catalogue import data
from fixtures.claims import claim

CHANNELS = 8
BATCH = 64
EPOCHS = 4


class Net(torch.nn.Module):
    """A 3×3 convolution to 8 channels, and a linear head of ten classes."""

    def __init__(self, side, device):
        super().__init__()
        self.backbone = torch.nn.Conv2d(1, CHANNELS, kernel_size=3, stride=1, device=device)
        self.head = torch.nn.Linear(CHANNELS * (side - 2) ** 2, 10, device=device)

    def features(self, images):
        return self.backbone(images).flatten(1)

    def forward(self, images):
        return self.head(self.features(images))


def loader(**options):
    shuffle = torch.Generator().manual_seed(0)
    dataset = TensorDataset(*data.digits())
    return DataLoader(dataset, batch_size=BATCH, shuffle=True, generator=shuffle, **options)


@claim("digits.features-of-the-convolution")
def test_an_image_of_28_by_28_has_5408_features(device):
    features = Net(28, device).features(torch.zeros(2, 1, 28, 28, device=device))
    check.same(seen=list(features.shape), expected=[2, 5408], source="004-11")


@claim("digits.loss-falls-every-epoch")
def test_the_mean_loss_falls(device):
    net = Net(8, device)
    optimizer = torch.optim.Adam(
        [
            {"params": net.backbone.parameters(), "lr": 1e-4},
            {"params": net.head.parameters(), "lr": 1e-3},
        ]
    )
    means = []
    batches = loader(drop_last=True)
    for _ in range(EPOCHS):
        total = 0.0
        for images, labels in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            total += loss.item()
        means.append(total / len(batches))
    assert means == sorted(set(means), reverse=True), means


@claim("digits.drop-last-keeps-batches-full")
def test_the_rest_that_fills_no_batch_is_left_out():
    images, labels = data.digits()
    dataset = TensorDataset(images[:150], labels[:150])
    sizes = [len(part) for part, _ in DataLoader(dataset, batch_size=BATCH, drop_last=True)]
    check.same(seen=sizes, expected=[64, 64], source="150 = 2·64 + 22")
