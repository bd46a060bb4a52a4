"""The table of numeric options is whole: no number that torch publishes is without its edges."""

import inspect

import pytest
import torch
from torch.nn import utils

from fixtures.catalogue import arguments, published
from fixtures.catalogue.arguments import ARGUMENTS, ELSEWHERE, WITHOUT_A_MEANING
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

RELEASES = published.RELEASES
# The parameters of published calls that take no number.
NO_NUMBERS = {
    "optimizer", "schedulers", "lr_lambda", "mode", "scale_fn", "scale_mode", "cycle_momentum",
    "anneal_strategy", "three_phase", "threshold_mode", "verbose", "model", "device", "avg_fn",
    "multi_avg_fn", "use_buffers", "loader", "params", "defaults", "foreach", "maximize", "capturable",
    "differentiable", "fused", "amsgrad", "centered", "nesterov", "decoupled_weight_decay",
    "line_search_fn", "adjust_lr_fn", "swapin_optim_state", "swapin_parameters",
}  # fmt: skip
# The numeric options of optimizers, and the claims that ask about their edges.
OF_OPTIMIZERS = {
    "lr", "weight_decay", "eps", "momentum", "dampening", "rho", "alpha", "lambd", "t0", "lr_decay",
    "initial_accumulator_value", "momentum_decay", "beta2_decay", "d", "tolerance_grad",
    "tolerance_change", "max_iter", "max_eval", "history_size", "ns_steps", "betas", "etas",
    "step_sizes", "ns_coefficients",
}  # fmt: skip
# The numeric arguments around a step: of clipping and of a GradScaler.
AROUND_STEPS = {
    "clip_grad_norm_": {"max_norm", "norm_type"},
    "clip_grad_value_": {"clip_value"},
    "clip_grads_with_norm_": {"max_norm"},
    "get_total_norm": {"norm_type"},
    "GradScaler": {"init_scale", "growth_factor", "backoff_factor", "growth_interval"},
}
NOT_AROUND_STEPS = {
    "parameters", "tensors", "total_norm", "error_if_nonfinite", "foreach", "device", "enabled", "self",
}  # fmt: skip


def parameters(prefix: str) -> set[tuple[str, str]]:
    """Return every parameter of every published class and function of a module, on any release."""
    found = set()
    for release in RELEASES:
        for name, entry in published.published(release).items():
            if name.rpartition(".")[0] == prefix and entry["kind"] in ("class", "function"):
                found |= {(name.rpartition(".")[2], row["name"]) for row in entry["signature"]}
    return {(owner, parameter) for owner, parameter in found if parameter not in NO_NUMBERS}


@pytest.mark.parametrize("module", ["lr_scheduler", "swa_utils"])
def test_every_number_of_a_scheduler_has_a_row(module: str) -> None:
    rows = {(row.scheduler, row.name) for row in ARGUMENTS} | {*ELSEWHERE}
    missing = {
        (owner, name)
        for owner, name in parameters(f"torch.optim.{module}")
        if (owner, name) not in rows and ("every scheduler", name) not in rows
    }
    assert missing == set()


def test_no_row_is_of_an_option_that_no_release_has() -> None:
    known = parameters("torch.optim.lr_scheduler") | parameters("torch.optim.swa_utils")
    assert {(row.scheduler, row.name) for row in ARGUMENTS} - known == set()


def test_every_number_of_an_optimizer_is_known() -> None:
    assert {name for _, name in parameters("torch.optim")} == OF_OPTIMIZERS


@pytest.mark.parametrize("name", AROUND_STEPS)
def test_every_number_around_a_step_is_known(name: str) -> None:
    owner = getattr(torch.amp if name == "GradScaler" else utils, name, None)
    if owner is None:
        pytest.skip(f"{name} is of later releases")
    taken = {*inspect.signature(owner).parameters} - NOT_AROUND_STEPS
    assert taken == AROUND_STEPS[name]


def test_every_edge_is_refused_or_has_a_meaning() -> None:
    for row in ARGUMENTS:
        edges = {*row.without_a_meaning()} | {*row.with_a_meaning()} - {"usual"}
        assert edges == {*row.edges()}, row
        assert row.kind in WITHOUT_A_MEANING


def test_what_is_asked_elsewhere_is_a_claim() -> None:
    register = read_register(ROOT / "docs" / "spec")
    assert [claim for claim in arguments.ELSEWHERE.values() if claim not in register] == []
