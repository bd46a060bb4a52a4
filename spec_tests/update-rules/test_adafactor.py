"""Adafactor: factors, relative steps, clipping."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import EVERY_STEP_ROUNDED, STEPS
from fixtures.catalogue import gradient_tables, optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.single_parameter import SingleParameter

ONE = optimizers.each(only=("Adafactor",))
EACH_RATE = optimizers.each_of(
    [Case(optimizers.by_name("Adafactor"), Preset(f"lr={lr}", {"lr": lr})) for lr in (0.01, 0.5)]
)


@claim("adafactor.update-rule")
@optimizers.each(only=("Adafactor",), every_preset=True)
def test_every_step_is_that_of_the_oracle(case, device):
    OptimizerRun(case, device).check()


@claim("adafactor.factors-last-two-dimensions")
@optimizers.each(only=("Adafactor",), every_preset=True)
def test_tensors_of_any_shape_take_the_steps_of_the_oracle(case, device):
    OptimizerRun(case, device, table=gradient_tables.FACTORED).check()


@claim("adafactor.factors-last-two-dimensions")
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["float32", "bfloat16", "float16"]
)
@ONE
def test_tensors_of_any_shape_take_them_in_coarse_dtypes(case, dtype, device):
    run = OptimizerRun(case, device, dtype=dtype, table=gradient_tables.FACTORED_SMALL)
    run.check(tolerance=EVERY_STEP_ROUNDED)


@claim("adafactor.accepts-a-tensor-as-rate")
@EACH_RATE
def test_a_rate_in_a_tensor_is_a_rate_also_out_of_step(case, device):
    OptimizerRun(case, device, table=gradient_tables.FACTORED, tensors=("lr",)).check()


@claim("adafactor.factors-a-matrix")
def test_a_matrix_keeps_a_row_and_a_column(device):
    walk = SingleParameter("Adafactor", device, start=[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    walk.over([[[1.0, 2.0, 3.0], [0.0, 2.0, 4.0]]])
    # β₂ = 0 at the first step: the factors are the means of the squares.
    check.close(
        seen=[walk.state("row_var"), walk.state("col_var")],
        expected=[walk.tensor([[14 / 3], [20 / 3]]), walk.tensor([[0.5, 4.0, 12.5]])],
        source="means of the squared gradients by row and by column",
        tolerance=STEPS,
    )


@claim("adafactor.step-scales-with-parameter")
@pytest.mark.parametrize("scale", [0.5, 1.0, 8.0], ids="scale={}".format)
def test_a_step_is_a_share_of_the_parameter(scale, device):
    walk = SingleParameter("Adafactor", device, start=(scale, -scale), options={"lr": 0.01})
    walk.over([(1e3, 1e-3)])
    # The update is sign(g), of RMS 1: the step is RMS(θ) · min(0.01, 1).
    expected = [walk.tensor((scale * 0.99, -scale * 1.01))]
    check.close(
        seen=walk.values,
        expected=expected,
        source="max(ε₂, RMS(θ)) · min(γ, 1 / √t)",
        tolerance=STEPS,
    )


@claim("adafactor.rate-bounds-the-relative-step")
def test_the_rate_bounds_one_over_the_root_of_the_step(device):
    walk = SingleParameter(
        "Adafactor", device, start=(1.0,), options={"lr": 0.75, "eps": (None, 1.0)}
    )
    walk.over([(1.0,)] * 3)
    # |θ| stays below ε₂ = 1, and U = 1: steps of min(0.75, 1/√t)
    steps = (0.75, 2**-0.5, 3**-0.5)
    expected = [walk.tensor((1.0 - sum(steps[: t + 1]),)) for t in range(3)]
    check.close(seen=walk.values, expected=expected, source="min(γ, 1 / √t)", tolerance=STEPS)


@claim("adafactor.clips-the-update")
def test_an_update_above_d_is_scaled_down_to_it(device):
    options = {"lr": 0.5, "beta2_decay": -2.0, "d": 1.0, "eps": (None, 1.0), "weight_decay": 0.0}
    walk = SingleParameter("Adafactor", device, start=(0.0, 0.0), options=options).over(
        [(1.0, 1.0), (8.0, 8.0)]
    )
    # The second U is 8/√(3/4 + 64/4) = 1.95, of which d = 1 is left.
    expected = [walk.tensor((-0.5, -0.5)), walk.tensor((-1.0, -1.0))]
    check.close(
        seen=walk.values, expected=expected, source="U / max(1, RMS(U) / d)", tolerance=STEPS
    )


@claim("adafactor.weight-decay-scales-with-lr")
@ONE
def test_without_a_slope_adafactor_shrinks_by_a_constant_factor(case, device):
    walk = SingleParameter(case, device, options={"lr": 0.5, "weight_decay": 0.5})
    walk.over([(0.0, 0.0)] * 3)
    expected = [walk.tensor((0.75**t, -2 * 0.75**t)) for t in (1, 2, 3)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)


@claim("adafactor.weight-decay-scales-with-lr")
@ONE
def test_a_decay_of_one_is_a_decay(case, device):
    walk = SingleParameter(case, device, options={"lr": 0.25, "weight_decay": 1.0})
    walk.over([(0.0, 0.0)] * 2)
    expected = [walk.tensor((0.75**t, -2 * 0.75**t)) for t in (1, 2)]
    check.close(seen=walk.values, expected=expected, source="(1 - γλ)ᵗθ₀", tolerance=STEPS)


@claim("adafactor.eps-of-zero-bounds-nothing")
@ONE
def test_an_eps_of_zero_does_not_stand_for_the_machine_epsilon(case, device):
    options = {"lr": 0.25, "eps": (0.0, 1e-3)}
    walk = SingleParameter(case, device, start=(1.0, -1.0), options=options)
    # Far below the machine epsilon, and still of a square that float32 holds.
    walk.over([(1e-18, 1e-18)])
    expected = [walk.tensor((0.75, -1.25))]
    check.close(seen=walk.values, expected=expected, source="γ·sign(g)", tolerance=STEPS)


@claim("adafactor.refuses-to-unscale-gradients")
@pytest.mark.parametrize("attribute", ["grad_scale", "found_inf"])
@ONE
def test_a_scale_left_to_the_step_is_an_error(case, attribute, device):
    walk = SingleParameter(case, device)
    setattr(walk.optimizer, attribute, torch.ones((), device=device))
    with pytest.raises(AssertionError, match="outside"):
        walk.over([(1.0, 1.0)])


@claim("adafactor.eps-of-each-dtype")
def test_left_out_eps_is_that_of_each_parameter_s_own_dtype(device):
    # A gradient below eps(bfloat16) = 2^-7 and above eps(float32): U = g/max(|g|, ε₁)
    narrow = torch.ones(2, dtype=torch.bfloat16, device=device, requires_grad=True)
    wide = torch.ones(2, dtype=torch.float32, device=device, requires_grad=True)
    optimizer = torch.optim.Adafactor([narrow, wide], lr=0.5)
    narrow.grad, wide.grad = torch.full_like(narrow, 2.0**-10), torch.full_like(wide, 2.0**-10)
    optimizer.step()
    check.close(
        seen=[narrow.to(torch.float32), wide],
        expected=[torch.full((2,), 1 - 0.5 / 8), torch.full((2,), 0.5)],
        source="1 - 0.5 · 2^-10/max(2^-10, ε₁)",
        tolerance=STEPS,
    )
