"""Reports that are whole and that no run wrote, with the claims and cases that a test needs."""

import base64
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fixtures.report import schema
from fixtures.report.storage import counts, layout, short_digest

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
    made: Entry = {
        "schema": schema.published()["properties"]["schema"]["const"],
        "schema_version": schema.version(),
        "header": {
            "specification": {"version": "0", "digest": "the same", "claims": len(claims)},
            "torch": {"version": torch, "git": None, "cuda": None},
            "python": "3.11.7",
            "platform": "Linux-6.1-x86_64",
            "cpu_capability": "AVX2",
            "threads": 1,
            "packages": {"hypothesis": "6"},
            "options": {
                "claim": [],
                "markers": "",
                "keyword": "",
                "paths": [],
                "hypothesis_profile": "specification",
            },
            "devices": [_device("cpu")],
        },
        "claims": list(claims),
        "layouts": [[[way, dtype, [], 1] for way, dtype, _ in leaves] for leaves in results],
        "results": [_packed(number, leaves) for number, leaves in enumerate(results)],
        "surface": {},
        "unclaimed": [],
        "warnings": [],
        "complaints": [],
        "courses": {},
        "times": {"started": "2026-01-01T00:00:00+00:00", "seconds": 1.0, "cases": {}},
        **fields,
    }
    footer = {"counts": counts(made), "exit_status": 0, "ended": "completely"}
    return {**made, "footer": fields.get("footer", footer)}


def report_on(*devices: str) -> Entry:
    """Return a report of one claim that holds in a case on each of some devices."""
    kept = {"ulps": 1.0, "tolerance": 8.0, "results": 0}
    cases = [{**case("holds", name, **kept), "case": "", "device": name} for name in devices]
    made = report("2.13.0", claim("demo.holds", *cases), results=[[("0", "float32", 1.0)]])
    made["header"]["devices"] = [_device(name) for name in devices]
    return made


def _device(name: str) -> Entry:
    return {"name": name, "description": name, "missing": None}


def write(path: Path, made: Entry) -> Path:
    """Write a report to a file; the folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(layout(made), encoding="utf-8")
    return path


def _packed(number: int, leaves: Sequence[Leaf]) -> Mapping[str, Any]:
    values = b"".join(struct.pack(f"<{_CODES[dtype]}", value) for _, dtype, value in leaves)
    return {
        "layout": number,
        "digest": short_digest(str(leaves)),
        "values": base64.b64encode(values).decode(),
    }
