"""The benchmark: how it reads what a run wrote, and that it can ask the tests of others."""

from pathlib import Path

import pytest

from self_tests.benchmark import earlier
from self_tests.benchmark.commands import ends_of
from self_tests.benchmark.growth import by_implementations, by_optimizers
from self_tests.support.forked_cases import Specification, in_session
from self_tests.support.pytorch_tests import to_collect

RESULTS = """<testsuites><testsuite>
<testcase name="test_it[sgd.default-loop-cpu]" time="0.5" />
<testcase name="test_it[sgd.momentum-foreach-cpu]" time="1.0" />
<testcase name="test_it[adam.default-loop-cpu]" time="2.0" />
<testcase name="test_it[adam.default-cpu]" time="4.0" />
<testcase name="test_it[adam.default-fused-cpu]" time="8.0"><skipped /></testcase>
<testcase name="test_it[cpu]" time="16.0" />
<testcase name="test_it" time="32.0" />
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What a run of a few cases wrote."""
    path = tmp_path / "results.xml"
    path.write_text(RESULTS, encoding="utf-8")
    return path


def test_cases_are_counted_up_to_each_optimizer(results: Path) -> None:
    found = {row.last: (row.cases, row.seconds) for row in by_optimizers(results)}
    assert found["Adam"] == (2, 6.0)
    assert found["SGD"] == (4, 7.5)


def test_cases_are_counted_up_to_each_implementation(results: Path) -> None:
    found = {row.last: (row.cases, row.seconds) for row in by_implementations(results)}
    assert (found["loop"], found["foreach"], found["fused"]) == ((2, 2.5), (3, 3.5), (3, 3.5))


PRINTED = """
==== 1 failed, 16837 passed, 3747 skipped, 666 xfailed in 131.91s (0:02:11) ====
torch 2.13.0+cpu: 1 claim is broken: demo.holds. Of 3 claims, 2 hold.
"""


def test_cases_are_counted_by_what_pytest_prints_and_not_by_the_headline() -> None:
    assert ends_of(PRINTED) == {"failed": 1, "passed": 16837, "xfailed": 666}


PEER = """
import unittest
from optim.test_other import TestOther

class TestOptim(unittest.TestCase):
    def test_it(self):
        pass
"""


def test_the_tests_of_a_checkout_are_collected_with_what_lies_beside_them(tmp_path: Path) -> None:
    tests = tmp_path / "test"
    (tests / "optim").mkdir(parents=True)
    (tests / "test_optim.py").write_text(PEER, encoding="utf-8")
    other = PEER.replace("from optim.test_other import TestOther", "").replace("Optim", "Other")
    (tests / "optim" / "test_other.py").write_text(other, encoding="utf-8")
    (tests / "conftest.py").write_text("raise RuntimeError('not to be read')\n", encoding="utf-8")
    found: list[str] = []

    def work(specification: Specification) -> None:
        found.extend(specification.items)

    assert in_session(work, *to_collect(tmp_path)) == 0
    assert found == ["test_optim.py::TestOther::test_it", "test_optim.py::TestOptim::test_it"]


def test_two_checkouts_are_run_and_set_against_each_other(tmp_path: Path) -> None:
    checkouts = {"earlier": tmp_path / "earlier", "now": tmp_path / "now"}
    for cases, folder in enumerate(checkouts.values(), start=1):
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\nmarkers = cpu\n", encoding="utf-8")
        test = f"import pytest\n@pytest.mark.cpu\n@pytest.mark.parametrize('n', range({cases}))\n"
        (folder / "test_it.py").write_text(f"{test}def test_it(n): pass\n", encoding="utf-8")
    found = earlier.measure(checkouts, times=1)
    before, now = found["suites"]
    assert (before["name"], before["cases"], now["name"], now["cases"]) == ("earlier", 1, "now", 2)
    assert found["ratio"] == now["seconds"] / before["seconds"]
    assert found["ratio of a case"] == found["ratio"] / 2
