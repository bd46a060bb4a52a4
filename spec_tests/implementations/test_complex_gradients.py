"""Complex gradients as backward() makes them."""

import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim


def values_after_steps(case, as_gradient):
    """Return a complex parameter after two steps on Re(z̄c), whose gradient is c̄ conjugated."""
    z = torch.tensor([1 - 1j, 0.5 + 2j], dtype=torch.complex64, requires_grad=True)
    c = torch.tensor([2 + 1j, 1j], dtype=torch.complex64)
    optimizer = case.build([z])

    def closure():
        optimizer.zero_grad()
        loss = (z.conj() * c).real.sum()
        loss.backward()
        z.grad = as_gradient(z.grad)
        return loss.detach()

    for _ in range(2):
        optimizer.step(closure)
    return z.detach()


@claim("complex.accepts-conjugated-gradients")
@optimizers.each(which="takes_complex_parameters")
def test_a_conjugated_gradient_is_the_gradient_that_it_stands_for(case):
    check.same(
        seen=values_after_steps(case, lambda gradient: gradient),
        expected=values_after_steps(case, torch.Tensor.resolve_conj),
        source="the steps over the same gradients, resolved",
    )
