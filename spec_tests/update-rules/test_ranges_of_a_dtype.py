"""What the range of a dtype does not hold: squares, norms, counts, and factors next to 1."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS, Tolerance
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import SQUARES
from fixtures.claims import claim
from fixtures.devices.dtypes import default_dtype
from fixtures.runs.each_implementation import in_each

# Gradients that each dtype holds, of whose squares it holds not even a thousandth.
HUGE = {torch.float16: 2.0**14, torch.bfloat16: 2.0**80, torch.float32: 2.0**80}
HELD = {"eps": 2.0**-10}
FOUR = Tolerance(8, "two norms and a few products, each rounded to the dtype")


def after_a_huge_gradient(case, device, dtype, huge):
    """Return which of two second moments are finite after a huge gradient, and which elements then stand."""
    parameter = torch.ones(2, dtype=dtype, device=device, requires_grad=True)
    optimizer = case.build([parameter], lr=0.5, weight_decay=0.0)

    def steps(*slopes):
        for slope in slopes:
            parameter.grad = torch.tensor([slope, 1.0], dtype=dtype, device=device)
            optimizer.step()

    steps(*[1.0] * 6, huge)  # RAdam looks at the second moment from the sixth step on
    parameter.detach().fill_(1.0)
    steps(1.0, 1.0, 1.0)
    state = optimizer.state[parameter]
    moment = next(state[key] for key in SQUARES if key in state)
    return [moment.isfinite().tolist(), (parameter == 1.0).tolist()]


@claim("ranges.squares-that-overflow-stop-an-element")
@optimizers.each(which="keeps_squares", adding=HELD)
def test_an_element_stands_still_after_a_gradient_whose_square_overflows(
    case, implementations, device
):
    seen = in_each(
        case,
        implementations,
        device,
        lambda c: [after_a_huge_gradient(c, device, dtype, huge) for dtype, huge in HUGE.items()],
    )
    expected = [[[False, True], [True, False]]] * len(HUGE)
    check.same(
        seen=seen,
        expected=dict.fromkeys(seen, expected),
        source="an infinite second moment, by which every later step is divided",
    )


# What of the square of a gradient the first step adds to the second moment.
SHARES = {"Adam": 1e-3, "AdamW": 1e-3, "NAdam": 1e-3, "RAdam": 1e-3, "RMSprop": 1e-2,
          "Adadelta": 0.1, "Adagrad": 1.0}  # fmt: skip
SMALLEST = 2.0**-24  # above 0 in float16


@claim("ranges.squares-that-underflow")
@optimizers.each(which="keeps_squares", adding=HELD)
def test_a_second_moment_of_less_than_half_of_the_smallest_number_is_zero(
    case, implementations, device
):
    def moments(case):
        found = []
        for units in (0.45, 3.0):
            slope = (units * SMALLEST / SHARES[case.optimizer.name]) ** 0.5
            parameter = torch.ones(1, dtype=torch.float16, device=device, requires_grad=True)
            optimizer = case.build([parameter])
            parameter.grad = torch.full_like(parameter, slope)
            optimizer.step()
            state = optimizer.state[parameter]
            found += [next(state[key] for key in SQUARES if key in state).item() > 0.0]
        return found

    seen = in_each(case, implementations, device, moments)
    check.same(
        seen=seen,
        expected={name: [False, True] for name in seen},
        source="0.45 and 3 times 2**-24, rounded to float16",
    )


LAYOUTS = {"sparse": torch.Tensor.to_sparse}


def counted(case, device, scalars):
    """Return how far a step count goes in three steps from where float32 ends, and what it is."""
    parameter = torch.ones(2, 2, device=device, requires_grad=True)
    gradient = torch.ones_like(parameter)
    parameter.grad = LAYOUTS.get(case.optimizer.parameters, lambda t: t)(gradient)
    with default_dtype(scalars):
        optimizer = case.build([parameter])
        optimizer.step()
        state = optimizer.state[parameter]
        state["step"] += 2**24 - 1
        for _ in range(3):
            optimizer.step()
    return [float(state["step"]) - 2**24, str(getattr(state["step"], "dtype", "int"))]


GOES_ON = {"torch.float32": 0.0, "torch.float64": 3.0, "int": 3.0}


@claim("ranges.step-counts-end-in-float32")
@optimizers.each(which="counts_steps")
def test_a_count_in_float32_stands_still_at_two_to_the_24(case, implementations, device):
    seen = {
        str(scalars): in_each(
            case, implementations, device, lambda c, s=scalars: counted(c, device, s)
        )
        for scalars in (torch.float32, torch.float64)
    }
    expected = {
        scalars: {name: [GOES_ON[kind], kind] for name, (_, kind) in found.items()}
        for scalars, found in seen.items()
    }
    check.same(seen=seen, expected=expected, source="2**24 + 1 is no number of float32")


@claim("ranges.betas-next-to-one")
@pytest.mark.parametrize("index", [0, 1], ids=["beta1", "beta2"])
@optimizers.each(taking=("betas",), which=("elementwise", "has_oracle"))
def test_steps_with_a_beta_that_float32_rounds_to_1_are_those_of_the_rule(case, index, device):
    betas = tuple(1 - 2.0**-26 if i == index else beta for i, beta in enumerate((0.9, 0.99)))
    options = {"betas": betas, "weight_decay": 0.0}
    leaf = torch.zeros(1, device=device, requires_grad=True)
    parameter = leaf.clone()
    parameter.retain_grad()
    parameter = parameter if case.options.get("differentiable") else leaf
    optimizer = case.build([parameter], lr=0.1, **options)
    oracle, theta = case.optimizer.oracle_with(lr=0.1, **options), [0.0]
    for _ in range(3):
        parameter.grad = torch.ones_like(leaf)
        optimizer.step()
        oracle.step([theta], [[1.0]])
    check.close(
        seen=parameter.detach(),
        expected=torch.tensor(theta),
        source="the oracle in fixtures/oracles",
        tolerance=STEPS,
    )


# A norm or a square in between that does not fit, where the number that the rule asks for does.
FAR = {
    "many_elements_in_float16": (torch.float16, [1000.0] * 8192, [0.5] * 8192),
    "long_rows_in_float16": (torch.float16, [[1.0] * 128] * 2, [[60.0] * 128] * 2),
    "large_parameter_in_float32": (torch.float32, [1e20] * 4, [1.0] * 4),
}


@claim("ranges.adafactor-norms")
@pytest.mark.parametrize("dtype, start, slopes", FAR.values(), ids=FAR)
@optimizers.each(only=("Adafactor",))
def test_adafactor_steps_by_a_share_of_the_root_mean_square(case, dtype, start, slopes, device):
    parameter = torch.tensor(start, dtype=dtype, device=device, requires_grad=True)
    before = parameter.detach().clone()
    optimizer = case.build([parameter], lr=0.125)
    parameter.grad = torch.tensor(slopes, dtype=dtype, device=device)
    optimizer.step()
    check.close(
        seen=parameter.detach(),
        expected=0.875 * before,
        source="equal entries and slopes: each moves by lr times the root mean square",
        tolerance=FOUR,
    )


@claim("ranges.muon-norms")
@optimizers.each(only=("Muon",))
def test_muon_steps_alike_over_gradients_of_any_size(case, device):
    def stepped(scale):
        parameter = torch.zeros(2, 2, device=device, requires_grad=True)
        optimizer = case.build([parameter], weight_decay=0.0)
        parameter.grad = scale * torch.tensor([[1.0, 2.0], [3.0, 5.0]], device=device)
        optimizer.step()
        return parameter.detach()

    check.same(
        seen=stepped(2.0**70),
        expected=stepped(1.0),
        source="a power of two rounds nothing, and the norm takes it out",
    )
