"""PyTorch's own tests of torch.optim, in a checkout of PyTorch: none of them is in this project."""

import os
from pathlib import Path

from fixtures.command import InputError

# The tests of the optimizers; it imports those of the schedulers and of averaging, which lie beside it.
_TESTS = Path("test", "test_optim.py")


def to_collect(checkout: Path) -> list[str]:
    """Return the arguments with which pytest collects these tests.

    Args:
        checkout: The top folder of a checkout of PyTorch, best at the tag of the torch that is installed.

    Raises:
        InputError: If the tests are not there.
    """
    tests = checkout / _TESTS
    if not tests.is_file():
        raise InputError(f"{checkout}: no checkout of PyTorch: it has no {_TESTS}")
    folder = tests.parent.resolve()
    return [f"--rootdir={folder}", "-c", os.devnull, "--noconftest", str(folder / tests.name)]
