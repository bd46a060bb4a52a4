"""A plugin that switches oneDNN off, as it is where torch was built without it."""

import torch


def pytest_configure() -> None:
    """Switch it off for the whole run."""
    torch.backends.mkldnn.set_flags(_enabled=False)  # type: ignore[no-untyped-call]
