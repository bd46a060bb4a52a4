"""Parameters of several dtypes, complex and real, dense and sparse, beside each other in one group."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.devices import capabilities

# One after another and back again, so that neither the first nor the last speaks for all.
DTYPES = (
    torch.float32, torch.complex64, torch.float64, torch.float32, torch.bfloat16, torch.complex64,
    torch.float64,
)  # fmt: skip
# The gradients of one entry; the fourth parameter gets its first one late.
SLOPES = (1.0, -0.5, 0.75)
LATE = 3
SOURCE = "the same steps in an optimizer of its own"


def leaf(dtype, index, device):
    values = torch.tensor([0.5, -1.25, 2.0], dtype=torch.float64) * (1 + index)
    values = values * (1 - 0.5j) if dtype.is_complex else values
    return values.to(dtype).to(device).requires_grad_()


def leaves(device, dtypes):
    return [leaf(dtype, i, device) for i, dtype in enumerate(dtypes)]


def matrices(device):
    """Return matrices that are tall, wide and square by turns."""
    sizes = ((6, 2), (2, 3), (3, 3), (4, 1), (5, 2))
    return [torch.full(size, 0.5, device=device).requires_grad_() for size in sizes]


def from_the_start(parameter, index, step):
    return torch.full_like(parameter, SLOPES[step] / (1 + index))


def one_late(parameter, index, step):
    late = index == LATE and step == 0
    return None if late else from_the_start(parameter, index, step)


def trained(case, parameters, indices, gradient_of):
    """Return the parameters and their states after three steps in one optimizer."""
    optimizer = case.build(parameters)
    # torch warns of sparse tensors as long as nobody has said whether to check them.
    with torch.sparse.check_sparse_tensor_invariants(True):
        for step in range(len(SLOPES)):
            for parameter, index in zip(parameters, indices, strict=True):
                parameter.grad = gradient_of(parameter, index, step)
            optimizer.step()
    return [
        {"parameter": p.detach(), **{k: v for k, v in optimizer.state[p].items() if v is not None}}
        for p in parameters
    ]


def check_alone_and_together(case, make, gradient_of=one_late):
    __tracebackhide__ = True
    together, alone = make(), make()
    check.same(
        seen=trained(case, together, range(len(together)), gradient_of),
        expected=[trained(case, [p], [i], gradient_of)[0] for i, p in enumerate(alone)],
        source=SOURCE,
    )


def present(device, *, real=False):
    """Return the dtypes that the device has."""
    return [
        dtype
        for dtype in DTYPES
        if not capabilities.lacks(device, dtype) and not (real and dtype.is_complex)
    ]


@claim("neighbours.change-no-step")
@optimizers.each(
    which=("elementwise", "takes_complex_parameters"), every_option=True, not_by=("fused",)
)
def test_a_parameter_moves_among_others_as_it_moves_alone(case, device):
    check_alone_and_together(case, lambda: leaves(device, present(device)))


@claim("neighbours.change-no-step")
@optimizers.each(which="elementwise", every_preset=True, by=("fused",))
def test_a_real_parameter_moves_among_others_as_it_moves_alone(case, device):
    # A late one meets SGD's fused kernel, which has a claim of its own.
    check_alone_and_together(
        case, lambda: leaves(device, present(device, real=True)), from_the_start
    )


@claim("neighbours.change-no-step")
@optimizers.each(
    which="accepts_dense_gradients", but=("elementwise", "keeps_one_state"), every_preset=True
)
def test_a_matrix_moves_among_others_as_it_moves_alone(case, device):
    check_alone_and_together(case, lambda: matrices(device))


def rows(dtype, device):
    return torch.ones(3, 2, dtype=dtype, device=device).requires_grad_()


def of_two_rows(parameter, index, step):
    """Return a gradient that is sparse for every other parameter, and empty for the first."""
    if index % 2:
        return torch.full_like(parameter, SLOPES[step])
    return looked_up(parameter, [] if index == 0 else [0, 2], step)


def looked_up(parameter, indices, step):
    chosen = torch.zeros_like(parameter)
    chosen[indices] = SLOPES[step]
    return chosen.to_sparse(1)


@claim("neighbours.of-sparse-gradients")
@pytest.mark.needs("sparse")
@optimizers.each(which=("takes_sparse_gradients", "accepts_vectors"))
def test_sparse_and_dense_gradients_move_their_parameters_alone(case, device):
    dtypes = [d for d in (torch.float32, torch.float64) * 3 if not capabilities.lacks(device, d)]
    dtypes.insert(2, torch.float32)
    check_alone_and_together(case, lambda: [rows(d, device) for d in dtypes], of_two_rows)


@claim("neighbours.of-sparse-gradients")
@optimizers.each(which="takes_sparse_gradients", but="accepts_vectors", every_preset=True)
def test_a_gradient_without_rows_keeps_no_other_parameter_from_its_step(case, device):
    check_alone_and_together(
        case,
        lambda: [rows(torch.float32, device) for _ in range(3)],
        lambda p, index, step: looked_up(p, [[], [1], [2, 0]][index], step),
    )
