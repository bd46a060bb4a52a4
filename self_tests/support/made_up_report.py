"""A small report that is whole and that no run has written, for tests of what reads reports."""

from pathlib import Path
from typing import Any

from fixtures.report import schema
from fixtures.report.storage import counts, layout

# Of one tensor: [path, dtype, shape, entries kept], and its entries 1.0 and 2.0.
_LAYOUT = [["0", "float32", [2], 2]]
_VALUES = "AACAPwAAAEA="


def made_up_report(*devices: str) -> dict[str, Any]:
    """Return a report of one claim that holds, with a case on each of some devices: cpu unless given."""
    names = devices or ("cpu",)
    node = "spec_tests/demo/test_demo.py::test_it"
    claim = {
        "id": "demo.holds", "chapter": "demo", "sentence": "torch does what it says.",
        "source": "docs/spec/demo.md:3", "level": "documented", "torch": ">=2.0", "devices": "any",
        "documents": [], "erratum": [], "api": [], "see": [], "verdict": "holds",
        "cases": [
            {"node": f"{node}[{name}]", "case": "", "device": name, "verdict": "holds", "ulps": 1.0,
             "tolerance": 8.0, "results": 0}
            for name in names
        ],
    }  # fmt: skip
    report: dict[str, Any] = {
        "schema": schema.published()["properties"]["schema"]["const"],
        "schema_version": schema.version(),
        "header": _header(names),
        "claims": [claim],
        "layouts": [_LAYOUT],
        "results": [{"layout": 0, "digest": "0", "values": _VALUES}],
        "surface": {},
        "unclaimed": [],
        "warnings": [],
        "complaints": [],
        "courses": {},
        "times": {"started": "2026-01-01T00:00:00+00:00", "seconds": 1.0, "cases": {}},
    }
    report["footer"] = {"counts": counts(report), "exit_status": 0, "ended": "completely"}
    return report


def _header(devices: tuple[str, ...]) -> dict[str, Any]:
    return {
        "specification": {"version": "0.1.0", "digest": "0", "claims": 1},
        "torch": {"version": "2.13.0", "git": None, "cuda": None},
        "devices": [{"name": n, "description": n, "missing": None} for n in devices],
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "cpu_capability": "AVX2",
        "threads": 1,
        "packages": {"hypothesis": "6.100"},
        "options": {
            "claim": [],
            "markers": "",
            "keyword": "",
            "paths": [],
            "hypothesis_profile": "specification",
        },
    }


def write(path: Path, report: dict[str, Any]) -> Path:
    """Write a report to a file; the folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(layout(report), encoding="utf-8")
    return path
