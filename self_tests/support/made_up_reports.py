"""Reports that no run wrote, with the claims and cases that a test of the comparison needs."""

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

Entry = dict[str, Any]

# Of a leaf: its way, its dtype and its number.
Leaf = tuple[str, str, float]
_CODES = {"float64": "d", "float32": "f", "int64": "q"}


def case(verdict: str, name: str = "", **fields: Any) -> Entry:
    """Return a case with a verdict; its node id ends with its name in brackets."""
    node = f"spec_tests/demo/test_demo.py::test_it[{name}]"
    return {"node": node, "case": name, "device": "cpu", "verdict": verdict, **fields}


def claim(name: str, *cases: Entry, **fields: Any) -> Entry:
    """Return a claim with these cases; its verdict is that of the first unless one is given."""
    return {
        "id": name,
        "chapter": "demo",
        "sentence": f"torch does what {name} says.",
        "source": "docs/spec/demo.md:3",
        "level": "documented",
        "torch": ">=2.0",
        "devices": "any",
        "documents": [],
        "erratum": [],
        "api": [],
        "see": [],
        "verdict": cases[0]["verdict"] if cases else None,
        "cases": list(cases),
        **fields,
    }


def report(
    torch: str, *claims: Entry, results: Sequence[Sequence[Leaf]] = (), **fields: Any
) -> Entry:
    """Return the report of a run on a release.

    Args:
        torch: The version.
        *claims: What was asked.
        results: The leaves of each result, to which a case refers by its index.
        **fields: Other parts of the report, such as ``surface``.
    """
    return {
        "header": {
            "specification": {"version": "0", "digest": "the same", "claims": len(claims)},
            "torch": {"version": torch, "git": None, "cuda": None},
            "python": "3.11.7",
            "platform": "Linux",
            "cpu_capability": "AVX2",
            "threads": 1,
            "packages": {"hypothesis": "6"},
            "options": {"hypothesis_profile": "specification"},
            "devices": [],
        },
        "claims": list(claims),
        "layouts": [[[way, dtype, [], 1] for way, dtype, _ in leaves] for leaves in results],
        "results": [_packed(number, leaves) for number, leaves in enumerate(results)],
        "surface": {},
        "unclaimed": [],
        "warnings": [],
        "footer": {"ended": "completely"},
        **fields,
    }


def _packed(number: int, leaves: Sequence[Leaf]) -> Mapping[str, Any]:
    values = b"".join(struct.pack(f"<{_CODES[dtype]}", value) for _, dtype, value in leaves)
    return {
        "layout": number,
        "digest": str(leaves),
        "values": base64.b64encode(values).decode(),
    }
