"""Gradients and parameters that a rule has no meaning for, and what a refused step leaves behind."""

import re

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import SPARSE
from fixtures.claims import claim
from fixtures.runs.training import Training


def spoil(training):
    """Give the last parameter the kind of gradient that its optimizer refuses."""
    parameter = training.parameters[-1]
    kind = training.case.optimizer.parameters
    dense = torch.ones_like(parameter)
    parameter.grad = dense if kind == SPARSE else dense.to_sparse()


def trained(case, device, groups=1):
    """Return a training after two steps, with gradients of which the last is refused."""
    training = Training(case, device)
    if groups == 2:
        training.optimizer = case.build([{"params": [p]} for p in training.parameters])
    training.run(2)
    training.closure()
    spoil(training)
    return training


def left_behind(training):
    """Return copies of the parameters and of all that is kept for them."""
    state = [
        {k: v.clone() if torch.is_tensor(v) else v for k, v in training.optimizer.state[p].items()}
        for p in training.parameters
    ]
    return {"parameters": training.values(), "state": state}


@claim("refused.sparse-gradients")
@optimizers.each(which="refuses_a_kind_of_gradient", but="takes_sparse_gradients")
def test_sparse_gradients_are_refused(case, device):
    training = trained(case, device)
    with pytest.raises(RuntimeError, match="sparse gradients"):
        training.step()


@claim("refused.changes-nothing")
@optimizers.each(which="refuses_a_kind_of_gradient")
def test_a_refused_step_leaves_all_as_it_was(case, device):
    training = trained(case, device)
    before = left_behind(training)
    with pytest.raises(RuntimeError):
        training.step()
    check.same(seen=left_behind(training), expected=before, source="before the refused step")


@claim("refused.after-earlier-groups-moved")
@optimizers.each(which="refuses_a_kind_of_gradient")
def test_the_groups_before_the_refused_one_have_moved(case, device):
    refused, taken = trained(case, device, groups=2), trained(case, device, groups=2)
    with pytest.raises(RuntimeError):
        refused.step()
    taken.parameters[-1].grad = None
    taken.step()
    check.same(
        seen=refused.values(),
        expected=taken.values(),
        source="a step in which the last group has no gradient",
    )


@claim("refused.fused-on-sparse-gradients")
@optimizers.each(which="takes_sparse_gradients", adding={"fused": True})
def test_fused_steps_take_no_sparse_gradients(case, device):
    training = Training(case, device)
    training.backward()
    spoil(training)
    with pytest.raises(RuntimeError, match="sparse"):
        training.step()


@claim("refused.fused-on-complex-parameters")
@optimizers.each(adding={"fused": True})
def test_fused_steps_take_no_complex_parameters(case, device):
    with pytest.raises(RuntimeError, match="fused"):
        step_complex(case, device)


@claim("refused.fused-names-dtypes-and-devices")
@optimizers.each(adding={"fused": True})
def test_the_error_names_floating_point_and_the_devices(case, device):
    with pytest.raises(RuntimeError, match="floating point Tensors of supported") as refused:
        step_complex(case, device)
    named = set(re.findall(r"'(\w+)'", str(refused.value)))
    expected = {"cpu", "cuda", torch._C._get_privateuse1_backend_name()}
    assert expected <= named, f"the error names {sorted(named)}"


@claim("refused.complex-parameters")
@optimizers.each(only=("Adafactor", "Muon"))
@pytest.mark.needs(torch.complex64)
def test_complex_parameters_are_refused(case, device):
    with pytest.raises(RuntimeError, match="not support complex"):
        step_complex(case, device)


def step_complex(case, device):
    """Build the optimizer over a complex matrix and take a step."""
    parameter = torch.ones(2, 2, dtype=torch.complex64, device=device, requires_grad=True)
    optimizer = case.build([parameter])
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()


@claim("refused.complex-params-of-sparse-adam")
def test_sparse_adam_takes_no_complex_parameters(device):
    parameter = torch.ones(2, 2, dtype=torch.complex64, device=device, requires_grad=True)
    with pytest.raises(ValueError, match=r"[Cc]omplex params at indices \[\[0, 0\]\]"):
        torch.optim.SparseAdam([parameter])


@claim("refused.sparse-params-of-sparse-adam")
def test_sparse_adam_takes_no_sparse_parameters(device):
    dense = torch.ones(2, 2, device=device, requires_grad=True)
    sparse = torch.ones(2, 2, device=device).to_sparse().requires_grad_()
    with pytest.raises(ValueError, match=r"[Ss]parse params at indices \[\[?(0, )?1"):
        torch.optim.SparseAdam([dense, sparse])
