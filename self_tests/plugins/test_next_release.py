"""A torch newer than the newest that is known: the run says so, and says what is new, gone and changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.releases.supported import RELEASES
from fixtures.specification.deviations import read_deviations
from fixtures.specification.register import read_register
from self_tests.support.forked_cases import ROOT

# Makes of the installed torch the release after it: the list of releases ends with the installed one.
NEXT_RELEASE = """
import inspect
import re
import torch
from torch.optim import swa_utils
from fixtures.releases import supported
from fixtures.specification.torch_range import release_of

installed = release_of(torch.__version__)
supported.RELEASES = tuple(r for r in supported.RELEASES if release_of(r.torch) <= installed)
torch.__version__ = f"{installed.major}.{installed.minor}.99"


def change(cls, edit):
    signature = inspect.signature(cls.__init__)
    parameters = {name: value for name, value in signature.parameters.items()}
    edit(parameters)
    cls.__init__.__signature__ = signature.replace(parameters=list(parameters.values()))


def add(parameters):
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters["turbo"] = inspect.Parameter("turbo", kind, default=False)


change(torch.optim.SGD, add)
change(torch.optim.Rprop, lambda parameters: parameters.pop("maximize"))
change(
    torch.optim.Adagrad,
    lambda parameters: parameters.update(eps=parameters["eps"].replace(default=1e-7)),
)
torch.optim.Adamax.__doc__ = re.sub(r"(?m)^( +)betas \\(", r"\\1beetas (", torch.optim.Adamax.__doc__)
swa_utils.update_batch_norm = swa_utils.update_bn
swa_utils.__all__ = [n if n != "update_bn" else "update_batch_norm" for n in swa_utils.__all__]
del swa_utils.update_bn
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """What a run over the next release printed, and the reasons of the broken claims in its report."""
    folder = tmp_path_factory.mktemp("next")
    (folder / "next_release.py").write_text(NEXT_RELEASE, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "next_release", "-p", "no:cacheprovider"),
            *("-m", "cpu", "spec_tests/api", "--tb=short", f"--report={folder / 'out'}"),
        ],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    report = json.loads(Path(folder / "out" / "report.json").read_text(encoding="utf-8"))
    broken = {
        claim["id"]: "\n".join(case.get("reason", "") for case in claim["cases"])
        for claim in report["claims"]
        if claim["verdict"] == "broken"
    }
    return done.stdout, broken


def test_the_header_says_that_it_is_newer(run: tuple[str, dict[str, str]]) -> None:
    assert "is newer than" in run[0]
    assert "the newest release that this specification was checked on" in run[0]


@pytest.mark.parametrize(
    "claim, names",
    [
        ("signatures.no-other-parameter", "turbo"),
        ("signatures.every-published-parameter", "maximize"),
        ("signatures.every-published-parameter", "eps"),
        ("names.every-published-one", "update_bn"),
        ("names.no-other", "update_batch_norm"),
    ],
    ids=["added parameter", "removed parameter", "changed default", "gone name", "new name"],
)
def test_a_change_of_the_surface_breaks_the_claim_about_it(
    run: tuple[str, dict[str, str]], claim: str, names: str
) -> None:
    assert names in run[1][claim]


def test_a_docstring_that_misnames_a_parameter_is_told(run: tuple[str, dict[str, str]]) -> None:
    assert "beetas" in run[1]["docstrings.list-only-parameters"]


def test_what_is_unchanged_still_holds(run: tuple[str, dict[str, str]]) -> None:
    assert {"names.optimizers-are-classes", "names.schedulers"}.isdisjoint(run[1])


def test_no_range_ends_at_a_release_that_does_not_exist() -> None:
    register = read_register(ROOT / "docs" / "spec")
    deviations = read_deviations(ROOT / "deviations.toml", register)
    after_the_newest = "9999.0"
    ranges = {claim.id: claim.torch for claim in register}
    ranges |= {str(deviation): deviation.torch for deviation in deviations}
    newest = RELEASES[-1].torch
    assert [
        of for of, where in ranges.items() if newest in where and after_the_newest not in where
    ] == []
