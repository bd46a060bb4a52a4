"""backward() adds to .grad; it does not replace it."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue.document_problems import TEMPERATURES, Bowl
from fixtures.claims import claim

# The eleven samples in several batches, of equal sizes and of others.
SPLITS = {
    "one_by_one": [[i] for i in range(11)],
    "uneven": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]],
    "one_left_over": [[10], list(range(10))],
}


@claim("accumulation.backward-adds")
@pytest.mark.parametrize("times", [1, 2, 3, 7], ids="{}_times".format)
def test_backward_so_many_times_gives_so_many_times_the_gradient(times, device):
    w = Bowl.start(device)
    for _ in range(times):
        Bowl.loss(w).backward()
    check.same(
        seen=w.grad,
        expected=torch.tensor([1.0 * times, 2.0 * times]),
        source="(2·w1, 4·w2) at (0.5, 0.5), so many times",
    )


@claim("accumulation.backward-adds")
def test_the_gradients_of_two_losses_add_up(device):
    w = Bowl.start(device)
    (3 * w[0]).backward()
    Bowl.loss(w).backward()
    check.same(
        seen=w.grad,
        expected=torch.tensor([4.0, 2.0]),
        source="(3, 0) of one and (1, 2) of the other",
    )


@claim("accumulation.into-the-same-tensor")
def test_the_second_backward_adds_into_the_tensor_that_the_first_has_made(device):
    w = Bowl.start(device)
    Bowl.loss(w).backward()
    first = w.grad
    Bowl.loss(w).backward()
    check.same(
        seen={"same object": w.grad is first, "through the first": first},
        expected={"same object": True, "through the first": torch.tensor([2.0, 4.0])},
        source="(1, 2), added twice",
    )


@claim("accumulation.small-batches-add-up")
@pytest.mark.parametrize("batches", SPLITS.values(), ids=SPLITS)
def test_batches_weighted_by_their_size_add_up_to_the_gradient_of_the_whole(batches, device):
    whole, parts = TEMPERATURES.start(device), TEMPERATURES.start(device)
    TEMPERATURES.loss(whole).backward()
    for batch in batches:
        (TEMPERATURES.loss(parts, batch) * len(batch) / 11).backward()
    check.close(
        seen=parts.grad,
        expected=whole.grad,
        source="backward() of the mean over all samples",
        tolerance=STEPS,
    )


@claim("accumulation.not-by-autograd-grad")
def test_autograd_grad_returns_the_gradient_and_leaves_grad_alone(device):
    w = Bowl.start(device)
    (returned,) = torch.autograd.grad(Bowl.loss(w), w)
    check.same(
        seen={"returned": returned, ".grad": w.grad},
        expected={"returned": torch.tensor([1.0, 2.0]), ".grad": None},
        source="(2·w1, 4·w2), returned and not stored",
    )
