"""A round of training: what is called, in which order, and what is kept."""

import gc
import weakref

import torch

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.problems import Bowl, TinyNet
from fixtures.claims import claim
from fixtures.training import Training

EVALUATIONS = 40


@claim("training.calling-the-module")
def test_forward_and_call_agree(device):
    net = TinyNet(device)
    x = torch.tensor([[1.0, 2.0], [0.5, -1.0]], device=device)
    with torch.no_grad():
        predicted = net(x)
    check.same(
        seen=[net(x), predicted],
        expected=[net.forward(x), net.forward(x)],
        source="forward(), called directly",
    )


@claim("training.order-of-a-round")
@optimizers.each(but=("LBFGS",))
def test_a_gradient_left_over_has_no_part_in_the_step(case, device):
    clean, littered = Training(case, device), Training(case, device)
    littered.backward()
    clean.run(1)
    littered.run(1)
    check.same(seen=littered.values(), expected=clean.values(), source="a round without leftovers")


class Watched(torch.autograd.Function):
    """Passes its input through, with a node in the graph that can be watched."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def graphs_alive_after(device, add):
    """Return how many of five rounds' graphs are alive when the total has been added up."""
    total, nodes = 0.0, []
    for _ in range(5):
        loss = Watched.apply(Bowl.loss(Bowl.start(device)))
        nodes.append(weakref.ref(loss.grad_fn))
        total = total + add(loss)
        del loss
    gc.collect()
    return sum(node() is not None for node in nodes)


@claim("training.running-total-of-numbers")
def test_a_total_of_numbers_keeps_no_graph(device):
    check.same(
        seen=graphs_alive_after(device, lambda loss: loss.item()), expected=0, source="004-10"
    )


@claim("training.running-total-of-numbers")
def test_a_total_of_tensors_requires_grad(device):
    total = sum(Bowl.loss(Bowl.start(device)) for _ in range(3))
    assert total.requires_grad
    assert total.grad_fn is not None


@claim("training.lbfgs-needs-fewer-evaluations")
@optimizers.each(only=("SGD", "Adam"))
def test_lbfgs_is_ahead_after_as_many_evaluations(case, device):
    w = Bowl.start(device)
    lbfgs = torch.optim.LBFGS([w], lr=1.0, max_iter=EVALUATIONS, max_eval=EVALUATIONS)

    def closure():
        lbfgs.zero_grad()
        loss = Bowl.loss(w)
        loss.backward()
        return loss.item()

    lbfgs.step(closure)
    other = Bowl.start(device)
    optimizer = case.build([other])
    for _ in range(EVALUATIONS):
        optimizer.zero_grad()
        Bowl.loss(other).backward()
        optimizer.step()
    assert float(Bowl.loss(w).detach()) < 1e-6 * float(Bowl.loss(other).detach())
