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

# MKL's paths: of any processor, of older ones of Intel, and of each width of its vectors.
_MKL = ("COMPATIBLE", "SSE4_2", "AVX", "AVX2", "AVX2,STRICT", "AVX512")
_ONEDNN = ("SSE41", "AVX", "AVX2", "AVX512_CORE", "AVX512_CORE_BF16")
_WITHOUT_FMA = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F"}
_FILLED = {"MALLOC_PERTURB_": "165", "PYTHONMALLOC": "debug"}
ROUNDINGS = range(1, 11)

# A part of the conditions, by the name that ``--row`` takes.
ROWS = {
    # Six that differ most, for every change.
    "short": (
        "MKL for COMPATIBLE, kernels for default",
        "MKL for AVX2,STRICT, kernels for avx2",
        "libm without FMA",
        "filled memory",
        "random rounding 1",
        "random rounding 2",
    ),
    # Twelve for each release that is looked at.
    "releases": (
        "MKL for COMPATIBLE, kernels for default",
        "MKL for SSE4_2, kernels for avx512",
        "MKL for AVX, kernels for default",
        "MKL for AVX2, kernels for avx2",
        "MKL for AVX2,STRICT, kernels for avx2",
        "MKL for AVX512, kernels for avx512",
        "libm without FMA",
        "oneDNN up to SSE41",
        "filled memory",
        "denormals are flushed",
        "random rounding 1",
        "random rounding 2",
    ),
}


def machines(widest: str) -> Iterator[Condition]:
    """Yield the played machines: what another processor, or another library, does to a number.

    Args:
        widest: What the processor's vector instructions are to torch: DEFAULT, AVX2 or AVX512.
            Asking torch for wider ones would end the process.
    """
    for path in _MKL:
        for kernels in _kernels(widest):
            yield Condition(
                f"MKL for {path}, kernels for {kernels}",
                environment={"MKL_CBWR": path, "ATEN_CPU_CAPABILITY": kernels},
            )
    yield Condition("libm without FMA", environment=_WITHOUT_FMA)
    for level in _ONEDNN:
        yield Condition(f"oneDNN up to {level}", environment={"ONEDNN_MAX_CPU_ISA": level})
    yield Condition("without oneDNN", ("-p", "self_tests.silence.without_onednn"))
    yield Condition("filled memory", environment=_FILLED)
    yield Condition("denormals are flushed", ("-p", "self_tests.silence.flushed_denormals"))
    for threads in ("1", "2", "8"):
        yield Condition(
            f"{threads} threads of torch",
            environment={"OMP_NUM_THREADS": threads, "MKL_DYNAMIC": "FALSE"},
        )
    for seed in ROUNDINGS:
        yield Condition(f"random rounding {seed}", ("--random-rounding", f"{seed}"))


def _kernels(widest: str) -> tuple[str, ...]:
    known = widest.lower()
    return _CAPABILITIES[: _CAPABILITIES.index(known) + 1] if known in _CAPABILITIES else ()


def all_conditions(widest: str) -> Iterator[Condition]:
    """Yield every condition: other orders, workers and surroundings, and then the played machines."""
    for seed in SEEDS:
        order = ("--random-order", "--random-order-bucket=global", f"--random-order-seed={seed}")
        yield Condition(f"order {seed}", order)
    for workers in (1, 2, 4):
        for distribution in ("load", "worksteal", "loadscope"):
            yield Condition(
                f"{workers} workers, {distribution}", ("-n", f"{workers}", "--dist", distribution)
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
    yield from machines(widest)
