"""A report with as many claims and cases as one of everything on the CPU, which no run wrote."""

import random
from itertools import islice, product
from pathlib import Path
from typing import Any

from fixtures.catalogue.implementations import IMPLEMENTATIONS
from fixtures.catalogue.optimizers import OPTIMIZERS
from fixtures.catalogue.schedulers import SCHEDULES
from fixtures.specification.register import read_register
from fixtures.specification.verdicts import Verdict, combine
from self_tests.support.made_up_reports import report

CLAIMS, CASES, NAMES = 1000, 18_000, 5_900
_TOLERANCES = (0.0, 16.0, 72.0, 8388610.0)
_SPECIFICATION = Path(__file__).parents[2] / "docs" / "spec"
_FINDINGS = Path(__file__).parents[2] / "docs" / "findings"


def whole_report(courses: dict[str, Any]) -> dict[str, Any]:
    """Return the report: the claims of the specification, each with cases of the catalogue.

    Args:
        courses: What torch does in the examples that a page draws.
    """
    draw = random.Random(0)  # noqa: S311 - nothing is kept secret
    names = [*islice(_names(), NAMES)]
    findings = [path.stem for path in sorted(_FINDINGS.glob("*.toml"))]
    claims = []
    for number, claim in enumerate(read_register(_SPECIFICATION)):
        own = draw.sample(names, 19 + 150 * (number % 97 == 0))
        cases = [_case(claim.chapter, number, one, draw, findings) for one in sorted(own, key=str)]
        claims.append({
            "id": claim.id, "chapter": claim.chapter, "sentence": claim.sentence,
            "source": claim.source, "level": claim.level, "torch": str(claim.torch),
            "devices": claim.devices, "documents": list(claim.documents),
            "erratum": list(claim.erratum), "api": list(claim.api), "see": list(claim.see),
            "verdict": str(combine(Verdict(case["verdict"]) for case in cases)), "cases": cases,
        })  # fmt: skip
    made = report("2.13.0", *claims, courses=courses)
    times = {claim["id"]: [0.01] * len(claim["cases"]) for claim in claims}
    return {**made, "times": {**made["times"], "cases": times}}


def _names() -> Any:
    """Yield names of cases with what they ask of, as tests of optimizers and of schedulers have them."""
    for entry, implementation in product(OPTIMIZERS, IMPLEMENTATIONS):
        for preset, problem in product(entry.all_presets, ("matrix", "vector", "a-0", "f-102")):
            yield {
                "case": f"{entry.name.lower()}.{preset.name}-{implementation}-{problem}",
                "optimizer": entry.name, "preset": preset.name, "implementation": implementation,
            }  # fmt: skip
    for schedule, steps in product(SCHEDULES, range(200)):
        yield {"case": f"{schedule.id}-{steps}"}


def _case(
    chapter: str, number: int, name: dict[str, str], draw: random.Random, findings: list[str]
) -> dict[str, Any]:
    test = f"spec_tests/{chapter}/test_{chapter}.py::test_that_the_claim_{number}_is_kept"
    tolerance = draw.choice(_TOLERANCES)
    case: dict[str, Any] = {
        "node": f"{test}[{name['case']}-cpu]", **name, "device": "cpu", "verdict": "holds",
        "ulps": round(tolerance * draw.random(), 3), "tolerance": tolerance,
    }  # fmt: skip
    if number % 12 == 0 and draw.random() < 0.2:
        finding = findings[number % len(findings)]
        case |= {
            "verdict": "deviates",
            "reason": f"step() does what {finding} says (docs/findings/{finding}.md)",
        }
    return case
