"""Faults of placement and parity."""

from torch.optim import nadam

from self_tests.loaded_code import edit
from self_tests.sabotage.fault import Patch, breaks


@breaks("devices.same-steps-everywhere")
def nadam_looks_less_far_ahead(patch: Patch) -> None:
    edit(nadam, "0.96", "0.95")
