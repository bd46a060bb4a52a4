"""Muon: momentum, orthogonalized in bfloat16."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import BFLOAT16_DIRECTION, BFLOAT16_PRODUCTS, STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.torch_optimizers import CONVERGING
from fixtures.claims import claim
from fixtures.devices.dtypes import finest
from fixtures.oracles.muon import Muon
from fixtures.runs.single_parameter import SingleParameter

WIDE, TALL = (group[0] for group in gradient_tables.MATRICES.groups)
SHAPES = pytest.mark.parametrize("column", [WIDE, TALL], ids=["wide", "tall"])
DTYPES = pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["float32", "bfloat16", "float16"]
)
# 1 - 0.5 is a power of two, so that a sum of gradients and an average of them round alike.
HALF = 0.5


def moves(values, start, lr):
    """Return each step over the rate, in bfloat16, which is all the precision that it has."""
    steps = zip([start, *values], values, strict=False)
    return [((after - before) / lr).cpu().to(torch.bfloat16) for before, after in steps]


def side_by_side(column, device, **options):
    """Return the moves of torch and of the oracle over a column."""
    slopes = [slope for slope in column.gradients if slope is not None]
    walk = SingleParameter("Muon", device, start=column.start, options=options)
    start = walk.parameter.detach().clone()
    seen = moves(walk.over(slopes).values, start, options["lr"])
    oracle, theta, values = Muon(**options), [list(row) for row in column.start], []
    for slope in slopes:
        oracle.step([theta], [slope])
        values.append(walk.tensor(theta))
    return {"seen": seen, "expected": moves(values, start, options["lr"])}


@claim("muon.update-rule")
@SHAPES
@optimizers.each(only=("Muon",), every_preset=True)
def test_every_move_is_that_of_the_oracle(case, column, device):
    momentum = min(HALF, case.preset.options.get("momentum", HALF))
    options = {**case.preset.options, "lr": 0.125, "momentum": momentum}
    check.close(
        **side_by_side(column, device, **{**options, "ns_coefficients": CONVERGING}),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_PRODUCTS,
    )


@claim("muon.update-rule")
@SHAPES
@optimizers.each(only=("Muon",), every_preset=True)
def test_every_move_with_the_coefficients_of_the_document_is_near_that_of_the_oracle(
    case, column, device
):
    check.close(
        **side_by_side(column, device, **{**case.preset.options, "lr": 0.125}),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_DIRECTION,
    )


@claim("muon.update-rule")
@SHAPES
@pytest.mark.parametrize("nesterov", [False, True], ids=["plain", "nesterov"])
def test_long_momentum_gives_the_moves_of_the_oracle(nesterov, column, device):
    options = {"momentum": 0.95, "nesterov": nesterov, "ns_coefficients": CONVERGING}
    check.close(
        **side_by_side(column, device, lr=0.125, **options),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_PRODUCTS,
    )


@claim("muon.buffer-sums-the-gradients")
def test_the_buffer_is_the_documented_sum(device):
    walk = SingleParameter("Muon", device, start=[[1.0, 2.0]], options={"momentum": 0.5})
    walk.over([[[1.0, -2.0]], [[4.0, 2.0]]])
    expected = walk.tensor([[4.5, 1.0]])
    check.same(seen=walk.state("momentum_buffer"), expected=expected, source="B = g + B/2")


@claim("muon.orthogonalizing-keeps-the-buffer")
@DTYPES
@pytest.mark.parametrize("nesterov", [False, True], ids=["plain", "nesterov"])
def test_the_buffer_is_the_same_in_every_dtype(nesterov, dtype, device):
    def buffer(kept):
        parameter = torch.ones(2, 2, dtype=kept, device=device, requires_grad=True)
        optimizer = torch.optim.Muon([parameter], momentum=HALF, nesterov=nesterov)
        for slope in ([[1.0, -2.0], [4.0, 2.0]], [[0.5, 1.0], [-3.0, 2.0]]):
            parameter.grad = torch.tensor(slope, dtype=kept, device=device)
            optimizer.step()
        return optimizer.state[parameter]["momentum_buffer"]

    check.same(
        seen=buffer(dtype),
        expected=buffer(finest(device)).to(dtype),
        source="the buffer in the finest dtype, exact in every one",
    )


@claim("muon.steps-in-coarse-dtypes")
@DTYPES
@SHAPES
def test_the_first_move_in_a_coarse_dtype_is_that_of_the_oracle(column, dtype, device):
    slope = torch.tensor(column.gradients[0], dtype=dtype, device=device)
    parameter = torch.zeros_like(slope).requires_grad_()
    options = {"lr": 0.125, "momentum": HALF, "ns_coefficients": CONVERGING}
    optimizer = torch.optim.Muon([parameter], adjust_lr_fn="original", **options)
    parameter.grad = slope.clone()
    optimizer.step()
    theta = [[0.0] * slope.size(1) for _ in range(slope.size(0))]
    Muon(**options).step([theta], [slope.tolist()])
    check.close(
        seen=parameter.to(torch.bfloat16),
        expected=torch.tensor(theta, dtype=torch.bfloat16),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_PRODUCTS,
    )


@claim("muon.spectral-rate")
@SHAPES
def test_the_spectral_rate_knows_no_smallest(column, device):
    options = {"momentum": HALF, "ns_coefficients": CONVERGING}
    rate = {"lr": 0.125, "adjust_lr_fn": "spectral_unclamped"}
    check.close(
        **side_by_side(column, device, **options, **rate),
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_PRODUCTS,
    )


@claim("muon.spectral-rate-was-refused")
def test_the_spectral_rate_was_refused(device):
    parameter = torch.ones(2, 3, device=device, requires_grad=True)
    with pytest.raises(ValueError, match="spectral_unclamped"):
        torch.optim.Muon([parameter], adjust_lr_fn="spectral_unclamped")


@claim("muon.iteration-options-out-of-range")
@pytest.mark.parametrize(
    "options, words",
    [
        ({"ns_steps": 100}, "less than 100"),
        ({"ns_coefficients": (3.0, -4.0)}, "exactly 3"),
        ({"ns_coefficients": (3.0, -4.0, 2.0, 0.0)}, "exactly 3"),
    ],
    ids=["a_hundred_steps", "two_coefficients", "four_coefficients"],
)
def test_iterations_that_are_none_are_an_error(options, words, device):
    walk = SingleParameter("Muon", device, start=[[1.0, 2.0]], options=options)
    with pytest.raises(ValueError, match=words):
        walk.over([[[1.0, -2.0]]])


@claim("muon.iteration-options-out-of-range")
def test_ninety_nine_steps_are_taken(device):
    options = {"ns_steps": 99, "ns_coefficients": (1.5, -0.5, 0.0), "lr": 0.5, "weight_decay": 0.0}
    walk = SingleParameter("Muon", device, start=[[1.0, 2.0]], options=options).over(
        [[[0.0, -2.0]]]
    )
    # Of one row, the direction is brought to the norm 1.
    expected = [walk.tensor([[1.0, 2.5]])]
    check.same(seen=walk.values, expected=expected, source="by hand, exact in bfloat16")


@claim("muon.gradient-size-does-not-matter")
@pytest.mark.parametrize("scale", [2.0**-10, 2.0**10], ids=["small", "large"])
def test_gradients_a_thousand_times_as_large_give_the_same_steps(scale, device):
    slopes = [walked for walked in WIDE.gradients if walked is not None]
    scaled = [[[scale * g for g in row] for row in slope] for slope in slopes]
    check.same(
        seen=SingleParameter("Muon", device, start=WIDE.start).over(scaled).values,
        expected=SingleParameter("Muon", device, start=WIDE.start).over(slopes).values,
        source="the steps over the gradients as they are",
    )


@claim("muon.weight-decay-scales-with-lr")
def test_without_a_slope_muon_shrinks_by_the_rate_before_adjustment(device):
    options = {"lr": 0.5, "weight_decay": 0.5, "adjust_lr_fn": "match_rms_adamw"}
    walk = SingleParameter("Muon", device, start=[[1.0, -2.0]], options=options).over(
        [[[0.0, 0.0]]] * 3
    )
    expected = [walk.tensor([[0.75**t, -2 * 0.75**t]]) for t in (1, 2, 3)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)


@claim("muon.accepts-matrices-only")
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)], ids=["scalar", "vector", "three.d"])
def test_a_parameter_that_is_no_matrix_is_an_error(shape, device):
    parameter = torch.ones(shape, device=device, requires_grad=True)
    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([parameter])
