"""The same five steps on every device: one recorded course for all of them."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import BFLOAT16_PRODUCTS, LOOP, TEN_STEPS
from fixtures.catalogue import optimizers, torch_optimizers
from fixtures.catalogue.gradient_tables import Column, Table
from fixtures.catalogue.optimizer_record import DENSE, SPARSE
from fixtures.claims import claim
from fixtures.oracles.lbfgs import LBFGS
from fixtures.oracles.muon import Muon
from fixtures.runs.optimizer_run import OptimizerRun
from fixtures.runs.training import Training

# Signs that change and repeat, a zero, and a parameter that sits one step out.
MATRIX = Column(
    [[0.5, -1.0], [1.5, 2.0]],
    [
        [[0.5, -1.0], [0.25, 0.0]],
        [[0.75, -0.5], [-0.5, 1.5]],
        [[-0.25, -0.75], [0.0, -1.0]],
        [[-1.5, 0.25], [0.75, -0.5]],
        [[1.0, 1.25], [1.0, 0.5]],
    ],
)
VECTOR = Column([1.25, -0.5], [[0.3, -0.2], None, [0.9, 0.7], [-0.8, -0.4], [0.6, 0.2]])
ROWS = Column(
    [[0.5], [-1.0], [1.5]],
    [
        [[0.5], None, [0.25]],
        [None, [-0.5], None],
        [[-0.25], [-0.75], [1.0]],
        [None, None, [-0.5]],
        [[1.0], None, [0.5]],
    ],
    sparse=True,
)
TABLES = {
    DENSE: Table(((MATRIX, VECTOR),)),
    SPARSE: Table(((ROWS,),)),
}
# A line search is left out: float32 decides which way it goes.
LBFGS_OPTIONS = {
    "default": {},
    "short": {"max_iter": 3, "history_size": 2},
    "few_evaluations": {"max_eval": 4},
}


@claim("devices.same-steps-everywhere")
@optimizers.each(which=("has_oracle", "is_torch_s_own"), every_preset=True)
def test_parameters_and_state_go_the_recorded_way(case, device, recorded):
    run = OptimizerRun(case, device, torch.float32, TABLES[case.optimizer.parameters])
    seen = run.by_torch()
    check.close(
        seen=seen,
        expected=run.by_oracle(),
        source="the oracle in fixtures/oracles",
        tolerance=TEN_STEPS,
    )
    recorded(seen)


@claim("devices.lbfgs-same-steps-everywhere")
@pytest.mark.parametrize("options", LBFGS_OPTIONS.values(), ids=LBFGS_OPTIONS)
@optimizers.each(only=("LBFGS",))
def test_lbfgs_goes_the_recorded_way(case, options, device, recorded):
    training, seen = Training(case, device, **options), []
    theta, expected = torch.cat([v.flatten() for v in training.values()]).cpu().tolist(), []
    oracle = LBFGS(lr=case.optimizer.lr, **options)
    for _ in range(5):
        training.run(1)
        seen.append(torch.cat([value.flatten() for value in training.values()]))
        oracle.step(theta, loss_of_the_training)
        expected.append(torch.tensor(theta))
    check.close(seen=seen, expected=expected, source="fixtures/oracles/lbfgs.py", tolerance=LOOP)
    recorded(seen, tolerance=LOOP)


def loss_of_the_training(x):
    """Return Σp² over the two entries of one parameter, and 2Σp² over the six of the other."""
    factors = [1.0] * 2 + [2.0] * 6
    value = sum(k * p**2 for k, p in zip(factors, x, strict=True))
    return value, [2 * k * p for k, p in zip(factors, x, strict=True)]


@claim("devices.muon-same-steps-everywhere")
@optimizers.each(only=("Muon",), every_preset=True)
def test_muon_goes_the_recorded_way(case, device, recorded):
    parameter = torch.tensor(MATRIX.start, device=device, requires_grad=True)
    theta, course, expected = [list(row) for row in MATRIX.start], [], []
    converging = {"ns_coefficients": torch_optimizers.CONVERGING}
    optimizer = case.build([parameter], **converging)
    oracle = Muon(**{"lr": case.optimizer.lr, **case.preset.options, **converging})
    for gradient in MATRIX.gradients:
        before, theta_before = parameter.detach().clone(), torch.tensor(theta)
        parameter.grad = torch.tensor(gradient, device=device)
        optimizer.step()
        oracle.step([theta], [gradient])
        course.append(direction(parameter.detach() - before, case))
        expected.append(direction(torch.tensor(theta) - theta_before, case))
    check.close(
        seen=course,
        expected=expected,
        source="fixtures/oracles/muon.py",
        tolerance=BFLOAT16_PRODUCTS,
    )
    recorded(course, tolerance=BFLOAT16_PRODUCTS)


def direction(move, case):
    """Return a move over the rate, in bfloat16, which is all the precision that it has."""
    return (move / case.optimizer.lr).cpu().to(torch.bfloat16)
