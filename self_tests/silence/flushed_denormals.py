"""A plugin that has the processor take numbers below the smallest normal one for zero, as some always do."""

import pytest
import torch


def pytest_configure() -> None:
    """Switch it on for the whole run, and stop where the processor cannot."""
    if not torch.set_flush_denormal(True):
        raise pytest.UsageError("this processor cannot flush denormals")
