"""detach() cuts a tensor from its graph."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue.document_problems import leaf
from fixtures.claims import claim

# In place through the detached tensor, or through the leaf itself under no_grad().
WRITES = {
    "into_the_detached": lambda w, detached: detached.fill_(7.0),
    "into_the_leaf": torch.no_grad()(lambda w, detached: w.fill_(7.0)),
}


@claim("detach.cuts-the-graph")
def test_the_gradient_stops_at_detach_and_the_rest_of_the_graph_keeps_its_own(device):
    before, behind = leaf((2.0,), device), leaf((5.0,), device)
    hidden = before * 3
    (behind * hidden.detach()).backward()
    check.same(
        seen={"before": before.grad, "behind": behind.grad},
        expected={"before": None, "behind": torch.tensor([6.0])},
        source="d/d behind of behind·6, where 6 is a constant",
    )


@claim("detach.cuts-the-graph")
def test_the_graph_that_was_detached_from_can_still_be_differentiated(device):
    before, behind = leaf((2.0,), device), leaf((5.0,), device)
    hidden = before * 3
    (behind * hidden.detach()).backward()
    (hidden**2).backward()
    check.same(
        seen={"before": before.grad, "behind": behind.grad},
        expected={"before": torch.tensor([36.0]), "behind": torch.tensor([6.0])},
        source="d/d before of (3·before)² is 18·before",
    )


@claim("detach.makes-a-constant")
def test_a_detached_factor_counts_as_a_constant(device):
    w = leaf((3.0, -2.0), device)
    (w * w.detach()).sum().backward()
    check.same(seen=w.grad, expected=torch.tensor([3.0, -2.0]), source="w, where w² has 2w")


@claim("detach.makes-a-constant")
def test_a_detached_tensor_requires_no_grad_and_has_no_graph(device):
    detached = (leaf((3.0, -2.0), device) * 2).detach()
    check.same(
        seen=[detached.requires_grad, detached.grad_fn is None, detached.is_leaf, detached],
        expected=[False, True, True, torch.tensor([6.0, -4.0])],
        source="a plain tensor of the same values",
    )


@claim("detach.shares-memory")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_is_written_into_one_is_seen_in_the_other(write, device):
    w = leaf((3.0, -2.0), device)
    detached = w.detach()
    write(w, detached)
    check.same(
        seen={"leaf": w, "detached": detached},
        expected={"leaf": torch.tensor([7.0, 7.0]), "detached": torch.tensor([7.0, 7.0])},
        source="leaf and detached tensor share one memory",
    )
