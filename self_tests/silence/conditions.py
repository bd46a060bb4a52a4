"""Under which conditions the specification is run, as data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SEEDS = range(1, 31)
# In the order of their width; a processor that has one has those before it.
_CAPABILITIES = ("default", "avx2", "avx512")


class Place(StrEnum):
    """Where the checkout is that a run uses."""

    HERE = "here"
    READ_ONLY = "read-only copy"
    ODD_PATH = "copy in a folder with spaces and letters outside of ASCII"


@dataclass(frozen=True)
class Condition:
    """One run of the specification that has to give the verdicts of a plain one.

    Attributes:
        name: The kind of condition, and which of the kind: ``order 7``.
        arguments: What is given to pytest.
        environment: The variables of the environment that are set.
        place: Where the checkout is.
        hides: A module that cannot be imported, or "".
    """

    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    place: Place = Place.HERE
    hides: str = ""


PLAIN = Condition("plain")


def all_conditions(widest: str) -> Iterator[Condition]:
    """Yield every condition.

    Args:
        widest: What the processor's vector instructions are to torch: DEFAULT, AVX2 or AVX512.
            Asking torch for wider ones would end the process.
    """
    for seed in SEEDS:
        order = ("--random-order", "--random-order-bucket=global", f"--random-order-seed={seed}")
        yield Condition(f"order {seed}", order)
    for workers in (1, 2, 4):
        for distribution in ("load", "worksteal", "loadscope"):
            yield Condition(
                f"{workers} workers, {distribution}", ("-n", f"{workers}", "--dist", distribution)
            )
    for threads in ("1", "2", "8"):
        yield Condition(f"{threads} threads of torch", environment={"OMP_NUM_THREADS": threads})
    known = widest.lower()
    for capability in (
        _CAPABILITIES[: _CAPABILITIES.index(known) + 1] if known in _CAPABILITIES else ()
    ):
        yield Condition(
            f"kernels for {capability}", environment={"ATEN_CPU_CAPABILITY": capability}
        )
    for seed in (0, 1, 4242):
        yield Condition(f"hash seed {seed}", environment={"PYTHONHASHSEED": f"{seed}"})
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    yield Condition("locale of ASCII alone", environment=ascii_only)
    yield Condition("time zone of Kathmandu", environment={"TZ": "Asia/Kathmandu"})
    yield Condition("read-only checkout", place=Place.READ_ONLY)
    yield Condition("odd path", place=Place.ODD_PATH)
    yield Condition("neighbour in float64", ("-p", "self_tests.silence.neighbour"))
    yield Condition("without NumPy", hides="numpy")
    yield Condition("warnings are errors", ("-W", "error"))
