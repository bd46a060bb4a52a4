"""How much LBFGS remembers."""

import pytest
import torch

from fixtures import check
from fixtures.claims import claim

SIZE = 64


def vectors_kept(history_size, device):
    """Return how many vectors over all parameters LBFGS keeps once its history is full."""
    parameter = torch.linspace(0.5, 2.0, SIZE, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [parameter], lr=0.1, history_size=history_size, tolerance_grad=0.0, tolerance_change=0.0
    )

    def closure():
        optimizer.zero_grad()
        loss = (parameter**4).sum()
        loss.backward()
        return loss.detach()

    optimizer.step(closure)
    kept = [[entry] if torch.is_tensor(entry) else entry for entry in entries(optimizer, parameter)]
    return sum(t.numel() == SIZE for of in kept for t in of if t is not None)


def entries(optimizer, parameter):
    """Return the entries of the state that are tensors, or lists of them."""
    state = optimizer.state[parameter]
    return [entry for entry in state.values() if isinstance(entry, torch.Tensor | list)]


@claim("lbfgs.takes-the-documented-memory")
@pytest.mark.parametrize("history_size", [1, 5], ids=["one", "five"])
def test_as_many_vectors_are_kept_as_documented(history_size, device):
    seen = vectors_kept(history_size, device)
    check.same(seen=seen, expected=history_size + 1, source="the note in the docstring of LBFGS")


@claim("lbfgs.keeps-no-graph")
@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"], ids=["fixed", "wolfe"])
def test_a_closure_that_returns_the_loss_itself_leaves_no_graph(line_search_fn, device):
    parameter = torch.linspace(0.5, 2.0, 4, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameter], lr=0.1, line_search_fn=line_search_fn)

    def closure():
        optimizer.zero_grad()
        loss = (parameter**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    flat = [
        e
        for own in entries(optimizer, parameter)
        for e in (own if isinstance(own, list) else [own])
    ]
    tracked = [e for e in flat if torch.is_tensor(e) and e.requires_grad]
    assert tracked == [], f"{len(tracked)} tensors of the state hold a graph"
