"""What the tests of the oracles share: one parameter walked by an oracle over given gradients."""

from functools import partial
from typing import Any

import pytest

from fixtures.oracles.adadelta import Adadelta
from fixtures.oracles.adagrad import Adagrad
from fixtures.oracles.adam import Adam, AdamW
from fixtures.oracles.adamax import Adamax
from fixtures.oracles.asgd import ASGD
from fixtures.oracles.nadam import NAdam
from fixtures.oracles.oracle import Oracle
from fixtures.oracles.radam import RAdam
from fixtures.oracles.rmsprop import RMSprop
from fixtures.oracles.rprop import Rprop
from fixtures.oracles.sgd import SGD
from fixtures.oracles.sparse_adam import SparseAdam

near = partial(pytest.approx, rel=1e-14, abs=0.0)

ELEMENTWISE = (
    Adadelta, Adagrad, Adam, AdamW, Adamax, ASGD, NAdam, RAdam, RMSprop, Rprop, SGD, SparseAdam,
)  # fmt: skip


def walk(oracle: Oracle[Any], start: float, *gradients: float | None) -> list[float]:
    """Return a parameter of one number after each step."""
    theta, course = [start], []
    for gradient in gradients:
        oracle.step([theta], [[gradient]])
        course.append(theta[0])
    return course


def kept(oracle: Oracle[Any]) -> dict[str, Any]:
    """Return what is kept for a parameter of one number, out of its lists."""
    return {key: v[0] if isinstance(v, list) else v for key, v in oracle.state[0].items()}
