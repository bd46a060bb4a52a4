"""Snapshots: recorded by an update alone, compared within a tolerance, left over nowhere."""

import json

import pytest

from self_tests.support.small_project import SNAPSHOTS, ProjectMaker, SmallProject, claims

USAGE_ERROR = 4
RECORDS = """
    @claim("demo.holds")
    @pytest.mark.parametrize("case", ["a-b", "c"])
    def test_it(case, device, recorded):
        recorded({"w": torch.tensor([1.0, 1e-9], device=device), "rate": 0.1})
"""


@pytest.fixture
def recorded(project: ProjectMaker) -> SmallProject:
    """A project whose snapshots are recorded."""
    small = project(claims("demo.holds"), RECORDS)
    assert small.run("--snapshot-update").code == 0
    return small


def change(small: SmallProject, old: str, new: str) -> None:
    text = small.read(SNAPSHOTS)
    assert old in text
    small.write(SNAPSHOTS, text.replace(old, new))


def test_nothing_is_recorded_without_being_asked(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), RECORDS)
    end = small.run()
    assert (end.code, end.results) == (USAGE_ERROR, {})
    told = "cases of test_demo.py are compared with it; restore it"
    assert [
        line
        for line in end.text.splitlines()
        if "no such file" in line and told in line and "--snapshot-update" in line
    ]
    assert not (small.path / SNAPSHOTS).exists()


def test_a_case_without_its_snapshot_is_broken(recorded: SmallProject) -> None:
    recorded.write_test(RECORDS.replace('"c"', '"d"'))
    end = recorded.run("-m", "cpu")
    assert end.verdicts == {"test_it[a-b-cpu]": "holds", "test_it[d-cpu]": "broken"}
    assert "--snapshot-update records it" in end.text


def test_a_parameter_of_that_name_needs_no_file(project: ProjectMaker) -> None:
    test = """
        @claim("demo.holds")
        @pytest.mark.parametrize("recorded", [True, False])
        def test_it(recorded):
            pass
    """
    assert project(claims("demo.holds"), test).run().code == 0


def test_a_deviating_case_needs_no_file(project: ProjectMaker) -> None:
    deviation = "[[deviation]]\nclaim='demo.holds'\ntorch='>=2.0'\nreason='r'\nissue='i'\n"
    end = project(claims("demo.holds"), RECORDS, deviation).run("-m", "cpu")
    assert set(end.verdicts.values()) == {"deviates"}


def test_an_update_names_cases_without_their_device(recorded: SmallProject) -> None:
    assert set(json.loads(recorded.read(SNAPSHOTS))["snapshots"]) == {"test_it[a-b]", "test_it[c]"}


@pytest.mark.parametrize("arguments", [(), ("-m", "cpu"), ("-k", "c"), ("-n", "2")],
                         ids=["all", "cpu", "keyword", "parallel"])  # fmt: skip
def test_recorded_results_are_found_again(
    recorded: SmallProject, arguments: tuple[str, ...]
) -> None:
    before = recorded.read(SNAPSHOTS)
    run = recorded.run_in_new_process if "-n" in arguments else recorded.run
    end = run(*arguments)
    assert (end.code, recorded.read(SNAPSHOTS)) == (0, before), end.text


def test_differences_are_judged_on_the_scale_of_the_tensor(recorded: SmallProject) -> None:
    # The small entry may be off by a part of the large one: that is what rounding does.
    tensor = json.loads(recorded.read(SNAPSHOTS))["snapshots"]["test_it[c]"]["w"]
    change(recorded, json.dumps(tensor["values"][1]), "2e-9")
    assert recorded.run("-m", "cpu").code == 0


def test_a_change_is_red_and_says_from_what(recorded: SmallProject) -> None:
    change(recorded, '"rate": 0.1', '"rate": 0.2')
    end = recorded.run("-m", "cpu", "-v")
    assert end.code == 1
    assert "[snapshot test_it[c]]" in end.text
    assert "at rate: 0.1 instead of 0.2" in end.text


def test_a_full_run_complains_of_a_snapshot_of_no_case(recorded: SmallProject) -> None:
    recorded.write_test(RECORDS.replace('"a-b", ', ""))
    end = recorded.run()
    assert end.code == 1
    assert [e for e in end.errors if "no case uses the snapshots test_it[a-b]" in e]
    assert recorded.run("-m", "cpu").code == 0


def test_a_full_update_removes_it(recorded: SmallProject) -> None:
    recorded.write_test(RECORDS.replace('"a-b", ', ""))
    recorded.run("-k", "test_it", "--snapshot-update")
    assert "a-b" in recorded.read(SNAPSHOTS)
    recorded.run("--snapshot-update")
    assert "a-b" not in recorded.read(SNAPSHOTS)


def test_snapshots_of_cases_that_do_not_apply_are_kept(recorded: SmallProject) -> None:
    before = recorded.read(SNAPSHOTS)
    recorded.write("docs/spec/demo.md", claims("demo.holds", fields="torch: <2.0"))
    assert recorded.run("--snapshot-update").code == 0
    assert recorded.read(SNAPSHOTS) == before


def test_an_update_never_records_what_a_deviating_case_does(recorded: SmallProject) -> None:
    before = recorded.read(SNAPSHOTS)
    recorded.write_test(RECORDS.replace("[1.0, 1e-9]", "[3.0, 1e-9]"))
    deviation = "[[deviation]]\nclaim='demo.holds'\ntorch='>=2.0'\nreason='r'\nissue='i'\n"
    recorded.write("deviations.toml", deviation)
    end = recorded.run("--snapshot-update", "-m", "cpu")
    assert set(end.verdicts.values()) == {"deviates"}
    assert recorded.read(SNAPSHOTS) == before


def test_a_key_that_is_no_text_is_an_error(recorded: SmallProject) -> None:
    recorded.write_test(RECORDS.replace('"rate": 0.1', "0: 0.1"))
    assert "the key 0 is not a text" in recorded.run().text
