"""Three records of optimizers that do nothing, for tests of what is chosen by records and made of them."""

from typing import Any

import torch

from fixtures.catalogue.implementations import IMPLEMENTATIONS
from fixtures.catalogue.optimizer_record import (
    SPARSE,
    OptimizerEntry,
    Preset,
)

LOOP, FOREACH, FUSED, CAPTURABLE, COMPOSITE = (
    IMPLEMENTATIONS[name]
    for name in ("loop", "foreach", "fused", "capturable", "capturable_foreach")
)


class Simple(torch.optim.Optimizer):
    """Takes the options that its records below speak of, and does nothing."""

    def __init__(self, params: Any, lr: float = 0.5, *, eps: float = 1e-8, fused: bool = False):
        super().__init__(params, {"lr": lr, "eps": eps, "fused": fused})

    def step(self, closure: Any = None) -> Any:
        """Return what it is given."""
        return closure


class WithMomentum(Simple):
    """Takes more of them."""

    def __init__(self, params: Any, lr: float, *, momentum: float = 0.0, foreach: bool = False):
        super().__init__(params, lr)
        self.options = {"momentum": momentum, "foreach": foreach}


FIRST = OptimizerEntry(
    "First",
    cls=Simple,
    presets=(Preset("eps", {"eps": 0.5}), Preset("slow", {"lr": 0.25, "eps": 0.5})),
    lr=0.125,
    fused={"cpu": ">=2.4", "cuda": ">=2.12"},
    traits=frozenset({"elementwise", "takes_complex_parameters"}),
)
SECOND = OptimizerEntry(
    "Second",
    cls=WithMomentum,
    presets=(Preset("momentum", {"momentum": 0.9}),),
    parameters=SPARSE,
    traits=frozenset({"takes_sparse_gradients"}),
)
THIRD = OptimizerEntry(
    "Third",
    cls=Simple,
    fused={"accelerator": ">=2.0"},
    traits=frozenset({"elementwise", "takes_sparse_gradients"}),
)


def entry_of(**fields: Any) -> OptimizerEntry:
    return OptimizerEntry("Made", **{"cls": Simple, **fields})
