"""Checkpoints of other releases: files that those releases wrote, and where they went from there."""

from copy import deepcopy
from dataclasses import dataclass
from functools import cache

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import BFLOAT16_DIRECTION, LOOP
from fixtures.assertions.tolerances import STEPS as FEW_STEPS
from fixtures.catalogue.optimizers import by_name
from fixtures.checkpoints.make import FOLDER, STEPS, TRAINED, parameters, train
from fixtures.claims import claim
from fixtures.specification.torch_range import TorchRange

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

RELEASES = ("2.0.1", "2.5.1", "2.9.1", "2.13.0")
RUNS = "the run of the release, in fixtures/checkpoints"


@cache
def file_of(release):
    """Return what the file of a release holds."""
    return torch.load(FOLDER / f"torch-{release}.pt", weights_only=True, map_location="cpu")


def releases_with(name):
    """Return the releases whose file has the optimizer of a case."""
    since = by_name(TRAINED[name][0]).since
    return [release for release in RELEASES if release in TorchRange(f">={since}")]


@dataclass(frozen=True)
class Checkpoint:
    """What one optimizer had saved, by each release up to the installed torch, or by each later one."""

    name: str
    later: bool

    @property
    def optimizer(self):
        """The class in torch.optim."""
        return TRAINED[self.name][0]

    @property
    def needs(self):
        """What a device has to offer for its steps."""
        return ("sparse",) if self.optimizer == "SparseAdam" else ()

    @property
    def releases(self):
        """The releases whose files the installed torch is given."""
        return [
            release
            for release in releases_with(self.name)
            if (torch.__version__ in TorchRange(f">={release}")) is not self.later
        ]

    def why_not_applicable(self):
        """Return why the installed torch is not asked, or None."""
        if torch.__version__ not in TorchRange(f">={by_name(self.optimizer).since}"):
            return f"torch {torch.__version__} has no {self.optimizer}"
        if not self.releases:
            return f"no file is {'newer' if self.later else 'as old'} as torch {torch.__version__}"
        return None


def each(*, later=False, only=(), but=()):
    """Parametrize a test with the checkpoints of these optimizers."""
    checkpoints = [
        Checkpoint(name, later)
        for name, (optimizer, _) in TRAINED.items()
        if (not only or optimizer in only) and optimizer not in but
    ]
    ids = [checkpoint.name for checkpoint in checkpoints]
    return pytest.mark.parametrize("checkpoint", checkpoints, ids=ids)


def go_on(checkpoint, device):
    """Return the parameters that further steps lead to, in optimizers of other options, by release."""
    led_to = {}
    for release in checkpoint.releases:
        saved = deepcopy(file_of(release)[checkpoint.name])
        leaves = parameters(saved["parameters"], device)
        optimizer = by_name(saved["optimizer"]).constructor()(leaves, lr=0.5)
        optimizer.load_state_dict(saved["state_dict"])
        train(optimizer, leaves, STEPS)
        led_to[release] = [leaf.detach() for leaf in leaves]
    return led_to


def as_saved(checkpoint, what):
    """Return the parameters that were saved, or those that the release went to, by release."""
    return {
        release: [torch.tensor(values) for values in file_of(release)[checkpoint.name][what]]
        for release in checkpoint.releases
    }


@claim("older-releases.checkpoints-continue")
@each(but=("LBFGS", "Muon"))
def test_a_checkpoint_goes_on_to_where_its_release_went(checkpoint, device):
    check.close(
        seen=go_on(checkpoint, device),
        expected=as_saved(checkpoint, "went_to"),
        source=RUNS,
        tolerance=FEW_STEPS,
    )


@claim("older-releases.checkpoints-continue")
@each(only=("LBFGS",))
def test_a_checkpoint_of_lbfgs_goes_on_to_where_its_release_went(checkpoint, device):
    check.close(
        seen=go_on(checkpoint, device),
        expected=as_saved(checkpoint, "went_to"),
        source=RUNS,
        tolerance=LOOP,
    )


@claim("older-releases.checkpoints-continue")
@each(only=("Muon",))
def test_a_checkpoint_of_muon_goes_on_in_the_direction_of_its_release(checkpoint, device):
    # Of a direction, Muon has only as much as bfloat16 tells apart.
    starts = as_saved(checkpoint, "parameters")
    check.close(
        seen=moved(starts, go_on(checkpoint, device)),
        expected=moved(starts, as_saved(checkpoint, "went_to")),
        source=RUNS,
        tolerance=BFLOAT16_DIRECTION,
    )


def moved(starts, ends):
    """Return how far each parameter has moved, in bfloat16, by release."""
    return {
        release: [
            (b.cpu() - a).to(torch.bfloat16) for a, b in zip(starts[release], end, strict=True)
        ]
        for release, end in ends.items()
    }


@claim("older-releases.load-later-checkpoints")
@each(later=True, but=("LBFGS", "Muon"))
def test_an_older_release_goes_on_to_where_a_later_one_went(checkpoint, device):
    check.close(
        seen=go_on(checkpoint, device),
        expected=as_saved(checkpoint, "went_to"),
        source=RUNS,
        tolerance=FEW_STEPS,
    )
