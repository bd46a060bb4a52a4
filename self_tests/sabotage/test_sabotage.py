"""Each realistic fault of torch is noticed by the claim that it breaks, with a message that names it."""

import pytest
import torch

from fixtures.devices.emulated import NAME, SINCE
from fixtures.specification.register import read_register
from fixtures.specification.torch_range import release_of
from self_tests.sabotage.fault import Fault
from self_tests.sabotage.runner import all_faults, commit
from self_tests.support.forked_cases import ROOT, Outcome


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """What became of every fault that this run asks about, all committed in one session."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    asked = {call.params["fault"].name for call in calls if call and "fault" in call.params}
    return commit(fault for fault in all_faults() if fault.name in asked)


def needing(fault: Fault) -> list[pytest.MarkDecorator]:
    """Return the mark of a fault that this torch cannot be asked to notice."""
    too_old = release_of(torch.__version__) < release_of(SINCE)
    return [pytest.mark.skipif(fault.device == NAME and too_old, reason=f"needs torch {SINCE}")]


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=fault.name, marks=needing(fault)) for fault in all_faults()]
)
def test_the_named_claim_notices_the_fault(fault: Fault, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[fault.name]
    assert outcome.noticed_by, outcome.message or f"no case of {fault.claim} failed"
    assert outcome.message.startswith(fault.claim)


def test_every_chapter_of_the_specification_is_sabotaged() -> None:
    register = read_register(ROOT / "docs" / "spec")
    sabotaged = {register[fault.claim].chapter for fault in all_faults()}
    assert sorted(set(register.chapters) - sabotaged) == []


def test_fault_names_are_unique() -> None:
    names = [fault.name for fault in all_faults()]
    assert sorted(names) == sorted(set(names))
