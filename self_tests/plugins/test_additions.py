"""An optimizer and an implementation that are not torch's own, added by the plugins that the guide shows."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from self_tests.support.forked_cases import ROOT

GUIDE = ROOT / "docs" / "guides" / "adding-an-optimizer.md"


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugins of the guide."""
    folder = tmp_path_factory.mktemp("plugins")
    text = GUIDE.read_text(encoding="utf-8")
    for name, code in re.findall(r"```python\n# (\w+\.py)[^\n]*\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(code, encoding="utf-8")
    return folder


def report_of(plugins: Path, to: Path, *arguments: str) -> dict[str, Any]:
    """Ask the specification with a plugin, and return the report of a run in which nothing is broken."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--report={to}"]
    environment = {"PYTHONPATH": str(plugins), "PATH": ""}
    end = subprocess.run(
        [*command, *arguments],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert end.returncode == 0, end.stdout + end.stderr
    found: dict[str, Any] = json.loads((to / "report.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def of_the_optimizer(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a run over the cases of the optimizer."""
    selection = ("-k", "signdescent", "-m", "cpu")
    return report_of(plugins, tmp_path_factory.mktemp("a"), "-p", "my_optimizer", *selection)


@pytest.fixture(scope="module")
def of_the_implementation(
    plugins: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The report of a run over the cases of the implementation, of a chapter and of one claim of another."""
    asked = ("-p", "my_steps", "--implementation", "traced", "-m", "traced and cpu")
    return report_of(plugins, tmp_path_factory.mktemp("b"), *asked, "-k", "sgd or adam or muon")


def holding(report: dict[str, Any]) -> set[str]:
    """Return the claims of which a case was asked, and that hold."""
    return {claim["id"] for claim in report["claims"] if claim["verdict"] == "holds"}


@pytest.mark.parametrize(
    "claim",
    [
        "implementations.follow-the-update-rule",
        "update-rules.hold-for-any-options",
        "weight-decay.stays-out-of-grad",
        "step.moves-every-parameter",
        "sizes.large-parameters",
        "zero-grad.sets-none",
        "invariants.gradients-stay",
        "param-groups.act-as-separate-optimizers",
        "checkpoints.resume-bit-for-bit",
        "scaler.matches-unscaled-training",
    ],
)
def test_what_holds_of_any_optimizer_is_asked_of_one_that_is_added(
    of_the_optimizer: dict[str, Any], claim: str
) -> None:
    assert claim in holding(of_the_optimizer)


def test_a_hundred_claims_and_more_are_asked_of_an_optimizer_that_is_added(
    of_the_optimizer: dict[str, Any],
) -> None:
    assert len(holding(of_the_optimizer)) > 100


def test_a_report_names_the_optimizer_that_is_added(of_the_optimizer: dict[str, Any]) -> None:
    cases = [case for claim in of_the_optimizer["claims"] for case in claim["cases"]]
    assert {case["optimizer"] for case in cases if "optimizer" in case} == {"SignDescent"}


def test_what_an_optimizer_that_is_added_does_not_offer_is_not_applicable(
    of_the_optimizer: dict[str, Any],
) -> None:
    reasons = {
        case["reason"]
        for claim in of_the_optimizer["claims"]
        for case in claim["cases"]
        if case["verdict"] == "not applicable"
    }
    assert "SignDescent has no fused steps" in reasons


def test_claims_about_any_step_are_asked_of_an_implementation_that_is_added(
    of_the_implementation: dict[str, Any],
) -> None:
    asked = holding(of_the_implementation)
    assert {"implementations.follow-the-update-rule", "step.leaves-grad-alone"} <= asked


def test_its_cases_carry_its_name(of_the_implementation: dict[str, Any]) -> None:
    cases = [case for claim in of_the_implementation["claims"] for case in claim["cases"]]
    assert {case["implementation"] for case in cases} == {"traced"}
    assert all("-traced" in case["node"] or "traced-" in case["node"] for case in cases)
