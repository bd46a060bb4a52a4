"""The text of docs/detection.md."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fixtures.specification.register import read_register
from self_tests.mutation.mutants import shortened
from self_tests.mutation.tally import Fate
from self_tests.sabotage.runner import all_faults
from self_tests.support.forked_cases import ROOT


def page(figures: dict[str, Any]) -> str:
    """Return the page: what is detected, that all else is silent, and what a run costs."""
    parts = [
        _INTRODUCTION,
        _faults(),
        *(section(figures[kind]) for kind, section in _SECTIONS.items() if kind in figures),
    ]
    return "\n".join(parts)


_INTRODUCTION = """\
# What the specification detects

How far its verdicts can be trusted: what it notices when torch is broken, that it says nothing where nothing
is wrong, and what a run costs. Each figure stands below the command that measures it. This page is made
from them by `python -m self_tests.detection`.
"""


def _faults() -> str:
    register = read_register(ROOT / "docs" / "spec")
    counts = Counter(register[fault.claim].chapter for fault in all_faults())
    rows = [[chapter, f"{counts[chapter]}"] for chapter in register.chapters]
    text = """\
## Faults made by hand

```
python -m pytest self_tests/sabotage/test_sabotage.py
```

Each fault breaks torch in a few lines, for one run, in a way in which it might really break, and names the
claim that has to fail. The test fails if that claim holds all the same.

"""
    return text + _table(["chapter", "faults"], [*rows, ["all", f"{counts.total()}"]])


def _mutation(found: dict[str, Any]) -> str:
    total: Counter[str] = Counter()
    rows = []
    for name, counts in found["modules"].items():
        rows.append(_mutation_row(name, Counter(counts)))
        total.update(counts)
    text = f"""\
## Mutants

```
python -m self_tests.mutation --seed {found["seed"]} --json cpu.json
python -m self_tests.mutation --device emulated --after cpu.json --json both.json
```

A random sample of small changes to all of torch.optim, of torch {found["torch"]}: an operator, a constant,
a default, a comparison, a condition, a statement or an argument left out, a method in the place of another.
Each is made in memory, and the cases that reach its line are run until one fails: those on the CPU, and, for
what these do not notice, those on the emulated accelerator. The first share counts every mutant, also those
that only a GPU or a compiler would reach; the second leaves out those that change nothing that anyone could
observe.

"""
    text += _table(_MUTATION_HEAD, [*rows, _mutation_row("all", total)])
    for fate, title in (
        (Fate.SURVIVED, "Survived"),
        (Fate.NOT_REACHED, "Reached by no case"),
        (Fate.UNOBSERVABLE, "Unobservable"),
    ):
        text += f"\n### {title}\n\n"
        left = [row for row in found["left"] if row["fate"] == fate]
        text += "".join(_left(row) for row in left) or "None.\n"
    return text


_MUTATION_HEAD = (
    "module",
    "mutants",
    "detected",
    "survived",
    "not reached",
    "unobservable",
    "share",
    "of the observable",
)


def _mutation_row(name: str, counts: Counter[str]) -> list[str]:
    tried = counts.total() - counts[Fate.NO_CHANGE]
    detected, hidden = counts[Fate.DETECTED], counts[Fate.UNOBSERVABLE]
    return [
        name,
        f"{tried}",
        f"{detected}",
        f"{counts[Fate.SURVIVED]}",
        f"{counts[Fate.NOT_REACHED]}",
        f"{hidden}",
        _share(detected, tried),
        _share(detected, tried - hidden),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _left(row: dict[str, Any]) -> str:
    change = shortened(row["change"])
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"- {row['module']}:{row['line']} `{change.replace('`', chr(39))}`{reason}\n"


def _quick(found: dict[str, Any]) -> str:
    rows = [
        [
            f"{run['seconds']:.0f} s",
            f"{run['cases']}",
            f"{run['noticed']}",
            _share(run["noticed"], found["noticed"]),
        ]
        for run in found["runs"]
    ]
    return f"""\
## Quick runs

```
python -m self_tests.selection.quick
python -m self_tests.mutation --seed {found["seed"]} --json cpu.json
python -m self_tests.selection.share cpu.json
```

What quick runs notice of {found["mutants"]} mutants of torch {found["torch"]}, with which their
cases were not chosen. A whole run on the CPU notices {found["noticed"]} of them. `--quick` asks the
cases of ten seconds on one core, imports and collection counted in.

""" + _table(["a run of", "cases", "noticed", "share of what a whole run notices"], rows)


def _empty(found: dict[str, Any]) -> str:
    unproven = "".join(f"- {claim}\n" for claim in found["unproven"]) or "None.\n"
    return f"""\
## Claims that nothing breaks

```
python -m self_tests.documents.empty_claims
```

Of {found["claims"]} claims with cases on the CPU, {found["named"]} are broken by a fault that names them; for
the others, mutants of the lines that they run were tried until one was noticed.
Left over: {len(found["unproven"])}.

{unproven}"""


def _silence(found: dict[str, Any]) -> str:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in found["runs"]:
        kinds.setdefault(
            re.sub(r"\b\d+\b|\b(load|worksteal|loadscope)\b", "N", row["condition"]), []
        ).append(row)
    rows = [
        [
            runs[0]["condition"] if len(runs) == 1 else kind.replace(", N", ""),
            f"{len(runs)}",
            f"{sum(bool(run['alarms']) for run in runs)}",
        ]
        for kind, runs in kinds.items()
    ]
    text = f"""\
## Silence

```
python -m self_tests.silence
```

The specification, {found["cases"]} cases on torch {found["torch"]}, under each condition: an alarm is a case
that ends otherwise than in a plain run, or a run that is not green.

"""
    every = [f"{len(found['runs'])}", f"{sum(bool(run['alarms']) for run in found['runs'])}"]
    return text + _table(["condition", "runs", "runs with an alarm"], [*rows, ["all", *every]])


def _machines(matrices: list[dict[str, Any]]) -> str:
    names = dict.fromkeys(run["condition"] for matrix in matrices for run in matrix["runs"])
    alarms = [
        {run["condition"]: f"{len(run['alarms'])}" for run in matrix["runs"]} for matrix in matrices
    ]
    rows = [[name, *(column.get(name, "") for column in alarms)] for name in names]
    asked = "".join(
        f"{number}. torch {matrix['torch']}, {matrix['cases']} cases in {len(matrix['runs'])} runs: "
        f"`{' '.join(matrix['asked'])}`, on {matrix['processor']}\n"
        for number, matrix in enumerate(matrices, 1)
    )
    columns = [f"{n}: {matrix['torch']}" for n, matrix in enumerate(matrices, 1)]
    return f"""\
## Machines

```
python -m self_tests.silence --machines
python -m self_tests.silence --row releases
```

The specification on machines that are played: MKL's paths and torch's kernels for other processors, other
libraries, other memory, and processors that round at random. Of each the number of cases that end otherwise
than on the machine as it is, which should be none; an empty place was not asked.

{asked}
""" + _table(["machine", *columns], rows)


def _rounding(found: dict[str, Any]) -> str:
    paths = f" --paths {' '.join(found['paths'])}" if found["paths"] else ""
    rows = [
        [
            row["names"], f"{row['ulps']:g}", f"{row['cases']}", f"{row['plain']:.3g}",
            f"{row['played']:.3g}",
        ]
        for row in found["tolerances"]
    ]  # fmt: skip
    return f"""\
## Tolerances

```
python -m self_tests.silence.rounding --seeds {found["seeds"]}{paths}
```

How much of each tolerance is used up, in ulps on the scale of a tensor: by the case that uses up most, on
this machine as it is, and on {found["seeds"]} played processors that round at random.
`fixtures/assertions/tolerances.py` says why each is as wide as it is.

""" + _table(["tolerance", "ulps", "cases", "used here", "used by the played"], rows)


def _benchmark(found: dict[str, Any]) -> str:
    text = """\
## Cost

```
python -m self_tests.benchmark
```

On two cores. The share of torch is that of the time under a profiler, which slows small functions of
Python more than it slows torch.

"""
    rows = [
        [figure, f"{value:.0f}" if value >= 100 else f"{value:.1f}"]
        for figure, value in found.items()
        if not isinstance(value, list)
    ]
    text += _table(["figure", "value"], rows)
    text += """
The cost grows with the optimizers and with the implementations of a step, and no faster: what the first so
many of them take.
"""
    for kind, growth in found.items():
        if not isinstance(growth, list):
            continue
        rows = [
            [f"{number}: {last}", f"{cases}", f"{seconds:.1f}", f"{each:.2f}"]
            for number, (last, cases, seconds, each) in enumerate(growth, 1)
        ]
        text += "\n" + _table([kind, "cases", "seconds", "milliseconds a case"], rows)
    return text


def _earlier(found: dict[str, Any]) -> str:
    rows = [
        [
            row["name"], f"{row['cases']}", f"{row['seconds']:.1f}",
            f"{1000 * row['seconds'] / row['cases']:.2f}", f"{row['mebibytes']:.0f}",
        ]
        for row in found["suites"]
    ]  # fmt: skip
    return f"""\
## Beside an earlier state

```
python -m self_tests.benchmark.earlier {found["suites"][0]["name"]} --times {found["times"]}
```

This suite as it is and as it was at that revision, run in turn on the same machine, each in one process: the
median of {found["times"]} runs. A whole run takes {found["ratio"]:.2f} times as long now, and a
case {found["ratio of a case"]:.2f} times as long.

""" + _table(["suite", "cases", "seconds", "milliseconds a case", "MiB"], rows)


def _peer(found: dict[str, Any]) -> str:
    rows = [
        [
            side["name"], f"{side['cases']}", f"{side['failed']}", f"{side['seconds']:.1f}",
            f"{side['noticed']}", f"{side['noticed'] / side['seconds']:.2f}",
        ]
        for side in found["sides"]
    ]  # fmt: skip
    asked = f"--times {found['times']} --sample {found['mutants']} --seed {found['seed']}"
    return f"""\
## Beside PyTorch's own tests

```
python -m self_tests.benchmark.peer CHECKOUT {asked}
```

PyTorch's own tests of optimizers, schedulers and averaging, which a checkout of PyTorch contains, and this
suite, run in turn on the same machine, each in one process: the median of {found["times"]} runs. Both were
asked of the same {found["mutants"]} mutants of torch {found["torch"]}. A test that fails with nothing changed
notices no mutant.

""" + _table(
        ["tests", "cases", "failed", "seconds", "mutants noticed", "in a second of a run"], rows
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_SECTIONS: Mapping[str, Callable[[Any], str]] = {
    "mutation": _mutation,
    "quick": _quick,
    "empty": _empty,
    "silence": _silence,
    "machines": _machines,
    "rounding": _rounding,
    "benchmark": _benchmark,
    "earlier": _earlier,
    "peer": _peer,
}
