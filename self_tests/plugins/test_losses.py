"""What was recorded before survives a worker that is killed, a disk that is full, an update cut short."""

import json
import signal

import pytest

from self_tests.support.small_project import SNAPSHOTS, ProjectMaker, SmallProject, claims

BEFORE = """
    import os, resource, signal

    def interrupt():
        # What is started in the background of a shell ignores Ctrl-C unless it says otherwise.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.kill(os.getpid(), signal.SIGINT)

    @claim("demo.holds")
    @pytest.mark.parametrize("case", ["a", "b", "c", "d"])
    def test_it(case, device, recorded):
        {accident}
        recorded({{"w": [{value}] * 3000}})
"""
KILLED = 'case == "c" and os.kill(os.getpid(), signal.SIGKILL)'
# A file that grows beyond a limit fails as on a full disk, while what is printed finds room.
FULL = "resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))"


@pytest.fixture
def recorded(project: ProjectMaker) -> SmallProject:
    """A project whose snapshots are recorded, and whose test now gives other values."""
    small = project(claims("demo.holds"), BEFORE.format(accident="pass", value="1.0"))
    assert small.run("--snapshot-update").code == 0
    return small


def test_a_killed_update_leaves_the_snapshots_as_they_were(recorded: SmallProject) -> None:
    before = recorded.read(SNAPSHOTS)
    recorded.write_test(BEFORE.format(accident=KILLED, value="2.0"))
    end = recorded.run_in_new_process("--snapshot-update", "-m", "cpu")
    assert (end.code, recorded.read(SNAPSHOTS)) == (-signal.SIGKILL, before), end.text


def test_a_full_disk_is_said_in_a_line_and_costs_no_snapshot(recorded: SmallProject) -> None:
    before = recorded.read(SNAPSHOTS)
    recorded.write_test(BEFORE.format(accident=FULL, value="2.0"))
    end = recorded.run_in_new_process("--snapshot-update", "-m", "cpu")
    assert (end.code, recorded.read(SNAPSHOTS)) == (1, before), end.text
    assert [error for error in end.errors if "cannot be written" in error], end.text


def test_an_update_that_is_interrupted_keeps_every_snapshot(recorded: SmallProject) -> None:
    accident = 'case == "c" and interrupt()'
    recorded.write_test(BEFORE.format(accident=accident, value="2.0"))
    end = recorded.run_in_new_process("--snapshot-update", "-m", "cpu")
    names = set(json.loads(recorded.read(SNAPSHOTS))["snapshots"])
    assert (end.code, names) == (2, {f"test_it[{case}]" for case in "abcd"}), end.text


def test_a_killed_worker_makes_the_run_red_and_loses_no_other_case(recorded: SmallProject) -> None:
    recorded.write_test(BEFORE.format(accident=KILLED, value="1.0"))
    end = recorded.run_in_new_process("-n", "2", "-m", "cpu")
    assert end.code == 1
    assert "crashed" in end.text
    assert "3 passed" in end.text, end.text
