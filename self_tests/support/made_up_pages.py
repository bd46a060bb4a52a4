"""Two made-up runs whose pages have something of everything: every verdict, a finding, a missing device."""

from typing import Any

from self_tests.support.made_up_reports import case, claim, report

_NAN = "the element becomes NaN (docs/findings/adam-rate-zero-writes-nan.md)"
_BREAKS = (
    "rules.breaks: torch does <b>what</b> it should not\n    in case {}\n    run: python -m pytest"
)
_BROKEN = 25


def held_run() -> dict[str, Any]:
    """Return the report of an older torch, on which everything holds that is broken on the newer."""
    broken = [_case("holds", f"sgd.p{number}-loop", "SGD") for number in range(_BROKEN)]
    deviating = _case("holds", "adam.default-loop", "Adam", ulps=0.0, tolerance=8.0)
    return report("2.12.0", *_claims(broken, deviating))


def broken_run(courses: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a run in which a claim is broken, one deviates, and one device is missing.

    Args:
        courses: What torch does in the examples that a page draws.
    """
    broken = [
        _case("broken", f"sgd.p{number}-loop", "SGD", reason=_BREAKS.format(number))
        for number in range(_BROKEN)
    ]
    deviating = _case("deviates", "adam.default-loop", "Adam", ulps=5e6, tolerance=8.0, reason=_NAN)
    warnings = [{"category": "UserWarning", "text": "<b>rain</b>"}]
    made = report("2.13.0", *_claims(broken, deviating), courses=courses, warnings=warnings)
    made["header"]["devices"] = [
        {"name": "cpu", "description": "cpu", "missing": None},
        {"name": "cuda", "description": "cuda", "missing": "no cuda device here"},
    ]
    return made


def _claims(broken: list[dict[str, Any]], deviating: dict[str, Any]) -> list[dict[str, Any]]:
    on_cuda = {**case("not run", reason="no cuda device here"), "device": "cuda"}
    later = case("not applicable", "adam.default", reason="came with torch 2.99")
    return [
        _rule(
            "rules.breaks",
            *broken,
            _case("holds", "adam.default-loop", "Adam"),
            sentence="torch does <b>what</b> `rules.breaks` says.",
        ),
        _rule(
            "rules.deviates",
            deviating,
            _case("holds", "sgd.default-loop", "SGD", ulps=3.0, tolerance=8.0),
            _case("holds", "sgd.default-foreach", "SGD", ulps=0.0, tolerance=0.0),
            sentence="Adam and SGD at a rate of 0 leave `param` as it is.",
            api=["Adam(lr)"],
            see=["other.holds"],
        ),
        _rule("rules.elsewhere", on_cuda, devices="cuda"),
        _rule("rules.of-later", later),
        _rule("rules.not-asked"),
        _other(
            "other.holds",
            _case("holds", "adamw.decay-foreach", "AdamW"),
            documents=["003-6"],
            erratum=["003-7"],
            level="observed",
        ),
        _other(
            "other.of-schedules",
            _case("holds", "onecyclelr.two"),
            sentence="OneCycleLR writes a rate.",
            api=["OneCycleLR"],
        ),
    ]


def _rule(name: str, *cases: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return claim(name, *cases, chapter="rules", source="docs/spec/rules.md:3", **fields)


def _other(name: str, *cases: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return claim(name, *cases, chapter="other", source="docs/spec/other.md:3", **fields)


def _case(verdict: str, name: str, optimizer: str = "", **fields: Any) -> dict[str, Any]:
    own = {"optimizer": optimizer} if optimizer else {}
    return case(verdict, name, **own, **fields)
