"""What a device lacks is told from a device that does not work."""

import pytest
import torch

from fixtures.devices import capabilities


@pytest.mark.parametrize("what", [torch.float64, "sparse"], ids=str)
def test_a_device_that_cannot_do_the_plain_thing_either_is_asked_all_the_same(
    what: torch.dtype | str,
) -> None:
    # Nothing can be read back from a meta tensor, of whatever kind it is.
    assert capabilities.lacks(torch.device("meta"), what) is None


def test_the_processor_is_asked_everything() -> None:
    assert capabilities.lacks(torch.device("cpu"), "sparse") is None
