"""What torch.save writes and torch.load gives back."""

import pickle
import warnings
import zipfile
from fractions import Fraction

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.document_problems import Bowl
from fixtures.claims import claim
from fixtures.runs.saved_training import OF_EACH_KIND, fresh, trained

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

# Four times 1.5 in float32, of which the second has lost a bit and is 1.0.
FLIPPED = b"\x00\x00\xc0\x3f\x00\x00\x80\x3f" + b"\x00\x00\xc0\x3f" * 2


def bowl_checkpoint(device):
    w = Bowl.start(device)
    optimizer = torch.optim.Adam([w], lr=0.01)
    loss = Bowl.loss(w)
    loss.backward()
    optimizer.step()
    return {"w": w.detach(), "optimizer": optimizer.state_dict(), "epoch": 1, "loss": loss}


@claim("checkpoints.loss-comes-back-as-a-leaf")
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
    check.same(seen=loaded, expected=Fraction(1, 3), source="the object that was saved")


@claim("checkpoints.load-accepts-state-dicts")
def test_a_checkpoint_loads_under_the_default(tmp_path):
    saved = bowl_checkpoint(torch.device("cpu"))
    torch.save(saved, tmp_path / "bowl.pt")
    loaded = torch.load(tmp_path / "bowl.pt")
    check.same(
        seen=[loaded["w"], loaded["optimizer"]["state"][0], loaded["epoch"]],
        expected=[saved["w"], saved["optimizer"]["state"][0], 1],
        source="the checkpoint that was saved",
    )


@claim("files.a-tensor-rate-comes-back")
@optimizers.each(only=("Adam", "AdamW"))
def test_a_rate_that_is_a_tensor_comes_back_from_a_file(case, tmp_path):
    rate = torch.tensor(0.125)
    torch.save(fresh(case, lr=rate, foreach=False).optimizer.state_dict(), tmp_path / "a.pt")
    optimizer = fresh(case).optimizer
    optimizer.load_state_dict(torch.load(tmp_path / "a.pt", weights_only=True))
    loaded = optimizer.param_groups[0]["lr"]
    check.same(
        seen=[loaded, loaded is rate], expected=[rate, False], source="the rate that was saved"
    )


@claim("files.truncated-ones-are-refused")
@OF_EACH_KIND
def test_a_file_that_was_cut_short_is_refused(case, tmp_path):
    path = tmp_path / "state.pt"
    torch.save(trained(case).optimizer.state_dict(), path)
    content = path.read_bytes()
    lengths = (0, 1, 100, len(content) // 2, len(content) - 1, len(content))
    check.same(
        seen=[is_refused(content[:length], path) for length in lengths],
        expected=[True, True, True, True, True, False],
        source="the file is whole in the last case alone",
    )


def is_refused(content, path):
    """Whether torch.load() raises for a file of this content."""
    path.write_bytes(content)
    try:
        torch.load(path, weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError):
        return True
    return False


@claim("files.a-flipped-bit-goes-unnoticed")
def test_a_flipped_bit_is_another_number_to_torch_and_an_error_to_zipfile(tmp_path):
    path, saved = tmp_path / "state.pt", torch.full((4,), 1.5)
    torch.save({"exp_avg": saved}, path)
    path.write_bytes(path.read_bytes().replace(b"\x00\x00\xc0\x3f" * 4, FLIPPED))
    loaded = torch.load(path, weights_only=True)["exp_avg"]
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    check.same(
        seen=[loaded, str(damaged).rpartition("/")[2]],
        expected=[torch.tensor([1.5, 1.0, 1.5, 1.5]), "0"],
        source="the bit that was flipped, in the record of the first tensor",
    )
