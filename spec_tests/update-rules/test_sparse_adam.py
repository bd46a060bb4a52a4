"""SparseAdam: only what the sparse gradient holds."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED, STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter


@claim("sparse-adam.update-rule")
@optimizers.each(only=("SparseAdam",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("sparse-adam.steps-in-coarse-dtypes")
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["float32", "bfloat16", "float16"]
)
def test_a_coarse_dtype_takes_the_oracle_s_steps(dtype, device):
    preset = Preset("coarse", {"eps": 2.0**-10, "betas": (0.5, 0.75)})
    case = Case(optimizers.by_name("SparseAdam"), preset)
    run = OptimizerRun(case, device, dtype=dtype, table=gradient_tables.SPARSE)
    check.close(
        seen=run.by_torch(),
        expected=run.by_oracle(),
        source="fixtures/oracles/sparse_adam.py",
        tolerance=EVERY_STEP_ROUNDED,
    )


@claim("sparse-adam.accepts-a-tensor-as-rate")
@pytest.mark.parametrize("shape", [(), (1,)], ids=["scalar", "one_element"])
def test_a_rate_in_a_tensor_is_a_rate(shape, device):
    def values(lr):
        walk = SingleParameter("SparseAdam", device, start=[[1.0], [2.0]], options={"lr": lr})
        return walk.over([held(walk, [0, 1], [1.0, -2.0]), held(walk, [1], [0.5])]).values

    rate = torch.full(shape, 0.25, dtype=torch.float64)
    check.close(
        seen=values(rate),
        expected=values(0.25),
        source="the rate as a number",
        tolerance=STEPS,
    )


@claim("sparse-adam.any-number-of-dimensions")
@pytest.mark.parametrize(
    "shape, sparse",
    [((3,), 1), ((2, 3), 1), ((2, 3), 2), ((2, 2, 3), 1), ((2, 2, 3), 2), ((2, 2, 3), 3), ((), 0)],
    ids=lambda value: (
        "x".join(map(str, value)) or "scalar" if isinstance(value, tuple) else str(value)
    ),
)
def test_what_is_held_moves_alike_however_it_is_indexed(shape, sparse, device):
    count = torch.Size(shape).numel()
    first, second = ([0.5 - i, 1.0, 0.25 * i] for i in (1, 2))
    slopes = [torch.tensor((g * 4)[:count], device=device).reshape(shape) for g in (first, second)]
    flat = [held_whole(slope.reshape(count, 1), 1) for slope in slopes]
    check.same(
        seen=walked(shape, [held_whole(slope, sparse) for slope in slopes], device),
        expected=walked((count, 1), flat, device).reshape(shape),
        source="the same elements as rows of one",
    )


@claim("sparse-adam.keeps-absent-elements")
def test_what_the_gradient_does_not_hold_stays(device):
    walk = SingleParameter("SparseAdam", device, start=[[1.0], [2.0], [3.0]], options={"lr": 0.5})
    walk.over([held(walk, [0, 1], [1.0, -1.0]), held(walk, [0], [1.0])])
    first, second = walk.values
    seen = [first[2], second[1:], walk.state("exp_avg")[2], walk.state("exp_avg_sq")[2]]
    expected = [walk.tensor([3.0]), first[1:], walk.tensor([0.0]), walk.tensor([0.0])]
    check.same(seen=seen, expected=expected, source="what was there before")


@claim("sparse-adam.explicit-zeros-are-gradients")
def test_a_zero_that_is_held_lets_the_moments_act(device):
    options = {"lr": 1.0, "betas": (0.5, 0.5), "eps": 1e-30}
    walk = SingleParameter("SparseAdam", device, start=[[1.0]], options=options)
    walk.over([held(walk, [0], [1.0]), held(walk, [0], [0.0])])
    # m = 0.25, v = 0.25; √(1 - 0.25)/(1 - 0.25) · 0.25/0.5
    moved = walk.values[0] - walk.values[1]
    expected = walk.tensor([[0.75**-0.5 * 0.5]])
    check.close(
        seen=moved, expected=expected, source="the rule over a gradient of zero", tolerance=STEPS
    )


@claim("sparse-adam.eps-before-bias-correction")
def test_eps_stands_beside_the_uncorrected_root(device):
    options = {"lr": 1.0, "betas": (0.5, 0.75), "eps": 0.5}
    walk = SingleParameter("SparseAdam", device, start=[[1.0]], options=options)
    walk.over([held(walk, [0], [1.0])])
    # √0.25/0.5 · 0.5/(0.5 + 0.5), where Adam would move by 1/(1 + 0.5)
    expected = [walk.tensor([[0.5]])]
    check.close(
        seen=walk.values,
        expected=expected,
        source="γ √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε)",
        tolerance=STEPS,
    )


@claim("sparse-adam.refuses-dense-gradients")
def test_a_dense_gradient_is_an_error(device):
    walk = SingleParameter("SparseAdam", device, start=[[1.0]])
    with pytest.raises(RuntimeError, match="dense"):
        walk.over([[[1.0]]])


@claim("sparse-adam.counts-empty-gradients")
def test_a_gradient_that_holds_nothing_counts_as_a_step(device):
    walk = SingleParameter("SparseAdam", device, start=[[1.0], [2.0]])
    walk.over([held(walk, [], [])])
    check.same(
        seen={"values": walk.values, "step": int(walk.optimizer.state[walk.parameter]["step"])},
        expected={"values": [walk.tensor([[1.0], [2.0]])], "step": 1},
        source="the start, after one step",
    )


def held_whole(slope, dimensions):
    """Return a gradient as a sparse one that holds everything, in so many sparse dimensions."""
    if dimensions == 0:
        indices = torch.zeros(0, 1, dtype=torch.int64, device=slope.device)
        values = slope.reshape(1)
        return torch.sparse_coo_tensor(indices, values, slope.shape, check_invariants=True)
    return (slope + 8.0).to_sparse(dimensions) - torch.full_like(slope, 8.0).to_sparse(dimensions)


def walked(shape, slopes, device):
    """Return where a parameter of ones ends after a step of SparseAdam over each gradient."""
    parameter = torch.ones(shape, device=device, requires_grad=True)
    optimizer = torch.optim.SparseAdam([parameter], lr=0.25)
    for slope in slopes:
        parameter.grad = slope
        optimizer.step()
    return parameter.detach()


def held(walk, rows, entries):
    """Return a sparse gradient that holds the given rows, of one column."""
    return torch.sparse_coo_tensor(
        torch.tensor([rows], dtype=torch.int64, device=walk.device),
        walk.tensor([[entry] for entry in entries]).reshape(len(entries), 1),
        tuple(walk.parameter.shape),
        check_invariants=True,
    )
