"""Which names torch.optim and its submodules offer, and since which release."""

import inspect

import pytest
import torch
from torch.optim import lr_scheduler, swa_utils

from fixtures.assertions import check
from fixtures.claims import claim
from fixtures.specification.torch_range import TorchRange

OPTIMIZERS_OF_2_0 = (
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "NAdam", "RAdam", "RMSprop",
    "Rprop", "SGD", "SparseAdam",
)  # fmt: skip
NAMES_OF_2_0 = (*OPTIMIZERS_OF_2_0, "Optimizer", "lr_scheduler", "swa_utils")

ADDED = (
    ("Adafactor", "2.5"),
    ("Muon", "2.9"),
    ("swap_in_optimizer_params_and_state", "2.13"),
    ("functional", "2.15"),
)

SCHEDULERS = (
    "LRScheduler", "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR",
    "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts", "ChainedScheduler", "SequentialLR", "ReduceLROnPlateau",
    "CyclicLR", "OneCycleLR",
)  # fmt: skip

AVERAGING = (
    ("AveragedModel", "2.0"),
    ("SWALR", "2.0"),
    ("update_bn", "2.0"),
    ("get_ema_avg_fn", "2.1"),
    ("get_ema_multi_avg_fn", "2.1"),
    ("get_swa_avg_fn", "2.1"),
    ("get_swa_multi_avg_fn", "2.1"),
)


def there_from(release):
    return torch.__version__ in TorchRange(f">={release}")


@claim("names.of-2-0")
@pytest.mark.parametrize("name", NAMES_OF_2_0, ids=str.lower)
def test_every_name_of_2_0_is_still_there(name):
    assert hasattr(torch.optim, name), f"torch.optim has no {name}"


@claim("names.optimizers-are-classes")
@pytest.mark.parametrize("name", OPTIMIZERS_OF_2_0, ids=str.lower)
def test_an_optimizer_is_a_class_below_optimizer(name):
    bases = inspect.getmro(getattr(torch.optim, name))
    assert torch.optim.Optimizer in bases[1:], f"{name} is built on {bases[1:]}"


@claim("names.added-since")
@pytest.mark.parametrize("name, release", ADDED, ids=[name.lower() for name, _ in ADDED])
def test_a_newer_name_is_there_from_its_release_on(name, release):
    check.same(
        seen=hasattr(torch.optim, name),
        expected=there_from(release),
        source=f"{name} came with torch {release}",
    )


@claim("names.all-lists-the-public-ones")
def test_all_lists_every_public_name():
    public = {*NAMES_OF_2_0, *(name for name, release in ADDED if there_from(release))}
    missing = sorted(public - set(torch.optim.__all__))
    assert not missing, f"torch.optim.__all__ lacks {missing}"


@claim("names.multi-tensor-is-gone")
def test_torch_no_longer_brings_the_private_multi_tensor():
    assert not hasattr(torch.optim, "_multi_tensor"), "torch.optim has _multi_tensor again"


@claim("names.multi-tensor-was-there")
def test_torch_brought_the_private_multi_tensor():
    assert hasattr(torch.optim, "_multi_tensor"), "torch.optim has no _multi_tensor"


@claim("names.schedulers")
@pytest.mark.parametrize("name", SCHEDULERS, ids=str.lower)
def test_a_scheduler_is_a_class_of_lr_scheduler(name):
    assert inspect.isclass(getattr(lr_scheduler, name, None)), f"lr_scheduler has no class {name}"


@claim("names.underscored-scheduler-stays")
def test_the_old_name_of_the_base_class_is_a_subclass_of_the_new_one():
    bases = inspect.getmro(lr_scheduler._LRScheduler)
    assert lr_scheduler.LRScheduler in bases[1:], f"_LRScheduler is built on {bases[1:]}"


@claim("names.averaging")
@pytest.mark.parametrize("name, release", AVERAGING, ids=[n.lower() for n, _ in AVERAGING])
def test_an_averaging_name_is_there_from_its_release_on(name, release):
    check.same(
        seen=hasattr(swa_utils, name),
        expected=there_from(release),
        source=f"swa_utils.{name} came with torch {release}",
    )
