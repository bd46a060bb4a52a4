"""A plugin like a neighbour in the same process, that makes float64 the default and restores it."""

from collections.abc import Generator

import pytest
import torch


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Change the default dtype before each case, use it, draw random numbers, and restore it."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    weight = torch.rand(2, requires_grad=True)
    (weight * weight).sum().backward()  # type: ignore[no-untyped-call]
    torch.optim.Adam([weight]).step()
    torch.set_default_dtype(before)
    return (yield)
