"""Parameters and gradients whose elements do not lie in memory one after another."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import TEN_STEPS
from fixtures.catalogue import gradient_tables, memory_layouts, optimizers
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

SOURCE = "the oracle in fixtures/oracles"
BY_LIST = [{"foreach": False}, {"foreach": True}]
PAIRS = pytest.mark.parametrize("pair", memory_layouts.PAIRS.values(), ids=memory_layouts.PAIRS)
WITHOUT_A_LIST = ("LBFGS", "Muon", "SparseAdam")


def check_implementations(run):
    __tracebackhide__ = True
    check.close(
        seen=[run.by_torch(**options) for options in BY_LIST],
        expected=[run.by_oracle()] * len(BY_LIST),
        source=SOURCE,
        tolerance=TEN_STEPS,
    )


@claim("layouts.change-no-step")
@PAIRS
@optimizers.each(but=(*WITHOUT_A_LIST, "Adafactor"))
def test_elements_move_alike_however_they_lie(case, pair, device):
    check_implementations(OptimizerRun(case, device, table=gradient_tables.IMAGES, layouts=pair))


@claim("layouts.change-no-step")
@PAIRS
@optimizers.each(only=("Adafactor",))
def test_matrices_of_adafactor_move_alike_however_they_lie(case, pair, device):
    check_implementations(OptimizerRun(case, device, table=gradient_tables.MATRICES, layouts=pair))


@claim("layouts.of-complex-parameters")
@pytest.mark.parametrize(
    "pair",
    [
        (memory_layouts.transposed, memory_layouts.contiguous),
        (memory_layouts.contiguous, memory_layouts.strided),
    ],
    ids=["transposed_parameter", "strided_gradient"],
)
@optimizers.each(but=(*WITHOUT_A_LIST, "Adafactor"))
@pytest.mark.needs(torch.complex128)
def test_complex_elements_move_alike_however_they_lie(case, pair, device):
    check_implementations(
        OptimizerRun(
            case, device, dtype=torch.complex128, table=gradient_tables.ORDINARY, layouts=pair
        )
    )


@claim("layouts.state-has-parameter-strides")
@optimizers.each(but=(*WITHOUT_A_LIST, "Adafactor"), every_preset=True)
def test_state_has_the_strides_of_parameter_and_gradient(case, device):
    parameter = memory_layouts.channels_last(torch.ones(2, 3, 2, 2, device=device)).requires_grad_()
    parameter.grad = memory_layouts.channels_last(torch.ones(2, 3, 2, 2, device=device))
    optimizer = case.build([parameter])
    optimizer.step()
    entries = {k: v for k, v in optimizer.state[parameter].items() if torch.is_tensor(v)}
    strides = {key: v.stride() for key, v in entries.items() if v.shape == parameter.shape}
    expected = dict.fromkeys(strides, parameter.stride())
    check.same(seen=strides, expected=expected, source="the strides of the parameter")


@claim("layouts.with-sparse-gradients")
@pytest.mark.parametrize(
    "layout",
    [memory_layouts.transposed, memory_layouts.strided, memory_layouts.offset],
    ids=["transposed", "strided", "unaligned"],
)
@optimizers.each(only=("Adagrad", "SGD", "SparseAdam"))
def test_looked_up_rows_move_alike_however_they_lie(case, layout, device):
    run = OptimizerRun(
        case, device, table=gradient_tables.SPARSE, layouts=(layout, memory_layouts.contiguous)
    )
    check.close(seen=run.by_torch(), expected=run.by_oracle(), source=SOURCE, tolerance=TEN_STEPS)


@claim("layouts.nothing-beside-the-view-moves")
@pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
@optimizers.each(but=(*WITHOUT_A_LIST, "Adafactor"))
def test_what_lies_between_the_elements_stays(case, foreach, device):
    storage = torch.ones(3, 4, device=device)
    parameter = storage[:, ::2].requires_grad_()
    optimizer = case.build([parameter], foreach=foreach)
    parameter.grad = torch.full((3, 2), 0.5, device=device)
    optimizer.step()
    check.same(seen=storage[:, 1::2], expected=torch.ones(3, 2), source="the storage before")
