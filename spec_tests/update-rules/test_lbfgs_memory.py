"""How much LBFGS remembers."""

import pytest
import torch

from fixtures.assertions import check
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
    return sum(t.numel() == SIZE for t in tensors(optimizer, parameter))


def tensors(optimizer, parameter):
    """Return the tensors of the state, also those in its lists."""
    entries = optimizer.state[parameter].values()
    flat = [e for entry in entries for e in (entry if isinstance(entry, list) else [entry])]
    return [e for e in flat if torch.is_tensor(e)]


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
    tracked = [t for t in tensors(optimizer, parameter) if t.requires_grad]
    assert tracked == [], f"{len(tracked)} tensors of the state hold a graph"
