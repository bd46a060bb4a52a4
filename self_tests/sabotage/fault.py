"""What a fault is, and the register of all of them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Fault:
    """A few lines that break torch for one run.

    Attributes:
        name: What is broken, in words joined by underscores.
        claim: The id of the claim that must fail.
        chapter: The chapter file of self_tests/sabotage that it stands in.
        apply: Breaks torch through the given MonkeyPatch.
        device: Whose cases have to notice it: the CPU's, or those of the emulated accelerator.
    """

    name: str
    claim: str
    chapter: str
    apply: Callable[[Patch], None]
    device: str = "cpu"


FAULTS: list[Fault] = []


def breaks(
    claim: str, *, device: str = "cpu"
) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    """Enter a function as the fault that a claim must notice, asked of a device."""

    def enter(function: Callable[[Patch], None]) -> Callable[[Patch], None]:
        chapter = function.__module__.rpartition(".")[2]
        FAULTS.append(Fault(function.__name__, claim, chapter, function, device))
        return function

    return enter


def give_default(patch: Patch, function: Callable[..., Any], position: int, value: object) -> None:
    """Give a function another default, of those of its parameters that have one."""
    inmost: Any = inspect.unwrap(function)
    defaults = list(inmost.__defaults__)
    defaults[position] = value
    patch.setattr(inmost, "__defaults__", tuple(defaults))
