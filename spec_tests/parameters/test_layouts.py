"""Parameters and gradients whose elements do not lie in memory one after another."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import gradient_tables, memory_layouts, optimizers
from fixtures.claims import claim
from fixtures.runs.each_implementation import in_each
from fixtures.runs.optimizer_run import OptimizerRun

PAIRS = pytest.mark.parametrize("pair", memory_layouts.PAIRS.values(), ids=memory_layouts.PAIRS)


@claim("layouts.change-no-step")
@PAIRS
@optimizers.each(which="elementwise")
def test_elements_move_alike_however_they_lie(case, pair, device):
    OptimizerRun(case, device, table=gradient_tables.IMAGES, layouts=pair).check()


@claim("layouts.change-no-step")
@PAIRS
@optimizers.each(which=("has_oracle", "accepts_vectors"), but="elementwise")
def test_matrices_move_alike_however_they_lie(case, pair, device):
    OptimizerRun(case, device, table=gradient_tables.MATRICES, layouts=pair).check()


@claim("layouts.of-complex-parameters")
@pytest.mark.parametrize(
    "pair",
    [
        (memory_layouts.transposed, memory_layouts.contiguous),
        (memory_layouts.contiguous, memory_layouts.strided),
    ],
    ids=["transposed_parameter", "strided_gradient"],
)
@optimizers.each(which=("elementwise", "takes_complex_parameters"))
@pytest.mark.needs(torch.complex128)
def test_complex_elements_move_alike_however_they_lie(case, pair, device):
    table = gradient_tables.ORDINARY
    OptimizerRun(case, device, dtype=torch.complex128, table=table, layouts=pair).check()


@claim("layouts.state-has-parameter-strides")
@optimizers.each(which="elementwise", every_preset=True)
def test_state_has_the_strides_of_parameter_and_gradient(case, implementations, device):
    seen = in_each(case, implementations, device, lambda case: strides_of_state(case, device))
    expected = {
        name: dict.fromkeys(strides, image(device).stride()) for name, strides in seen.items()
    }
    check.same(seen=seen, expected=expected, source="the strides of the parameter")


def image(device):
    """Return values whose channels lie next to each other."""
    return memory_layouts.channels_last(torch.ones(2, 3, 2, 2, device=device))


def strides_of_state(case, device):
    """Return the strides of each entry that has the shape of the parameter, after a step."""
    parameter = image(device).requires_grad_()
    parameter.grad = image(device)
    optimizer = case.build([parameter])
    optimizer.step()
    entries = {k: v for k, v in optimizer.state[parameter].items() if torch.is_tensor(v)}
    return {key: v.stride() for key, v in entries.items() if v.shape == parameter.shape}


@claim("layouts.with-sparse-gradients")
@pytest.mark.parametrize(
    "layout",
    [memory_layouts.transposed, memory_layouts.strided, memory_layouts.offset],
    ids=["transposed", "strided", "unaligned"],
)
@optimizers.each(which="takes_sparse_gradients")
def test_looked_up_rows_move_alike_however_they_lie(case, layout, device):
    pair = (layout, memory_layouts.contiguous)
    OptimizerRun(case, device, table=gradient_tables.SPARSE, layouts=pair).check()


@claim("layouts.nothing-beside-the-view-moves")
@optimizers.each(which="elementwise")
def test_what_lies_between_the_elements_stays(case, device):
    storage = torch.ones(3, 4, device=device)
    parameter = storage[:, ::2].requires_grad_()
    optimizer = case.build([parameter])
    parameter.grad = torch.full((3, 2), 0.5, device=device)
    optimizer.step()
    check.same(seen=storage[:, 1::2], expected=torch.ones(3, 2), source="the storage before")
