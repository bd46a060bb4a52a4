"""What torch.save writes and torch.load gives back."""

import pickle
import warnings
from fractions import Fraction

import pytest
import torch

from fixtures import check
from fixtures.catalogue.problems import Bowl
from fixtures.claims import claim


def bowl_checkpoint(device):
    w = Bowl.start(device)
    optimizer = torch.optim.Adam([w], lr=0.01)
    loss = Bowl.loss(w)
    loss.backward()
    optimizer.step()
    return {"w": w.detach(), "optimizer": optimizer.state_dict(), "epoch": 1, "loss": loss}


@claim("checkpoints.a-loss-comes-back-requiring-grad")
def test_the_loss_is_a_leaf_that_requires_grad(device, tmp_path):
    torch.save({"loss": Bowl.loss(Bowl.start(device))}, tmp_path / "loss.pt")
    loss = torch.load(tmp_path / "loss.pt", weights_only=True)["loss"]
    check.same(
        seen=[loss.detach(), loss.requires_grad, loss.is_leaf],
        expected=[torch.tensor(0.75), True, True],
        source="0.5² + 2·0.5²",
    )


@claim("checkpoints.map-location-places-tensors")
def test_a_checkpoint_of_the_cpu_is_loaded_onto_the_device(device, tmp_path):
    torch.save(bowl_checkpoint(torch.device("cpu")), tmp_path / "bowl.pt")
    loaded = torch.load(tmp_path / "bowl.pt", map_location=device, weights_only=True)
    state = loaded["optimizer"]["state"][0]
    placed = [loaded["w"], loaded["loss"], state["exp_avg"], state["exp_avg_sq"], state["step"]]
    assert [tensor.device.type for tensor in placed] == [device.type] * len(placed)


@claim("checkpoints.load-refuses-other-objects")
def test_a_fraction_is_refused(tmp_path):
    torch.save(Fraction(1, 3), tmp_path / "fraction.pt")
    with pytest.raises(pickle.UnpicklingError, match="weights_only"):
        torch.load(tmp_path / "fraction.pt")


@claim("checkpoints.load-took-any-object")
def test_a_fraction_is_loaded(tmp_path):
    torch.save(Fraction(1, 3), tmp_path / "fraction.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 2.4 and 2.5 announce the change
        loaded = torch.load(tmp_path / "fraction.pt")
    check.same(seen=loaded, expected=Fraction(1, 3), source="what was saved")


@claim("checkpoints.load-without-being-asked")
def test_a_checkpoint_loads_under_the_default(tmp_path):
    saved = bowl_checkpoint(torch.device("cpu"))
    torch.save(saved, tmp_path / "bowl.pt")
    loaded = torch.load(tmp_path / "bowl.pt")
    check.same(
        seen=[loaded["w"], loaded["optimizer"]["state"][0], loaded["epoch"]],
        expected=[saved["w"], saved["optimizer"]["state"][0], 1],
        source="what was saved",
    )
