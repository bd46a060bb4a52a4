"""What torch documents is cited by claims, and what claims cite is there."""

import pytest
import torch

from fixtures.specification.register import read_register
from fixtures.specification.torch_range import TorchRange
from fixtures.torch_api.citations import unknown
from self_tests.documents.coverage import Coverage, measure
from self_tests.support.forked_cases import ROOT

# How much of the documentation of these releases the claims cite; it only ever grows.
RECORDED = {"2.13": 100.0, "2.15": 100.0}


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """What is cited of the documentation of the installed torch."""
    return measure()


def test_no_less_is_covered_than_before(coverage: Coverage) -> None:
    release = ".".join(torch.__version__.split(".")[:2])
    print(f"{coverage.percentage:.1f} %; uncovered: {[i.name for i in coverage.uncovered]}")
    assert coverage.percentage >= RECORDED.get(release, 0)


def test_nothing_is_left_out_that_a_claim_cites(coverage: Coverage) -> None:
    assert coverage.stale == []


@pytest.mark.skipif(
    torch.__version__ not in TorchRange(">=2.13"),
    reason="the notes that claims cite are those of later releases",
)
def test_claims_cite_what_there_is() -> None:
    register = read_register(ROOT / "docs" / "spec")
    assert {c.id: found for c in register if (found := unknown(c))} == {}
