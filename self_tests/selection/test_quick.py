"""``--quick``: how its cases are chosen, that they are still there, and what such a run says of itself."""

from pathlib import Path

import pytest

from fixtures.command import InputError
from fixtures.plugins.chosen_cases import case_of
from fixtures.selection import quick
from fixtures.selection.quick import Chosen
from self_tests.selection.quick import Gain, cover, measured
from self_tests.selection.share import share
from self_tests.support.forked_cases import Specification, in_specification
from self_tests.support.small_project import ProjectMaker, claims

ONE, OTHER, LATE = ("a.py::test", "one"), ("a.py::test", "other"), ("b.py::test", "late")
CHOSEN = Chosen("2.13.0", (400, 1), 4.0, [(ONE, 0.5), (OTHER, 1.0), (LATE, 2.0)])
POOL = {"cheap": 0.25, "dear": 2.0, "rare": 1.0, "useless": 0.1}
NOTICED = {
    "cheap": ["a", "b"], "dear": ["a", "b", "c"], "rare": ["c", "d"], "useless": [], "gone": ["e"],
}  # fmt: skip


@pytest.mark.parametrize(
    "seconds, cases",
    [(4.0, []), (4.6, [ONE]), (6.0, [ONE, OTHER]), (60.0, [ONE, OTHER, LATE])],
)
def test_a_run_asks_what_it_has_time_for_in_the_order_of_the_choice(
    seconds: float, cases: list[tuple[str, str]]
) -> None:
    assert CHOSEN.within(seconds) == cases


ONCE, TWICE, LITTLE = Gain(1.0, 0.5, 1), Gain(1.0, 0.5, 2), Gain(0.1, 0.5, 1)


@pytest.mark.parametrize(
    "gain, order", [(ONCE, ["cheap", "rare"]), (TWICE, ["cheap", "rare", "dear"])]
)
def test_what_adds_most_in_a_second_is_chosen_until_nothing_is_added(
    gain: Gain, order: list[str]
) -> None:
    assert cover(POOL, [(gain, NOTICED)]) == order


def test_a_choice_that_fills_no_run_tells_nothing_of_what_a_run_takes() -> None:
    with pytest.raises(InputError, match=r"the chosen cases \(1\) do not fill a run of 10 s"):
        measured(Chosen("2.13.0", (1, 1), 8.0, [(ONE, 0.5)]))


def test_what_is_noticed_again_adds_less() -> None:
    pool = {"again": 1.0, "new": 1.5, "both": 1.0}
    noticed = {"both": ["a", "b"], "again": ["a"], "new": ["c"]}
    assert cover(pool, [(TWICE, noticed)]) == ["both", "new", "again"]


def test_what_is_added_in_several_ways_is_added_up() -> None:
    pool = {"a mutant": 1.0, "a mutant and a line": 1.0}
    mutants = {"a mutant": ["a"], "a mutant and a line": ["b"]}
    assert cover(pool, [(ONCE, mutants), (LITTLE, {"a mutant and a line": ["line"]})]) == [
        "a mutant and a line", "a mutant",
    ]  # fmt: skip


def test_a_choice_begins_as_asked_and_counts_what_that_notices() -> None:
    assert cover(POOL, [(ONCE, NOTICED)], first=["rare"]) == ["rare", "cheap"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "quick.json"
    quick.write(CHOSEN, path)
    assert quick.read(path) == CHOSEN


def test_a_file_that_is_cut_off_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "quick.json"
    path.write_text('{"torch": ')
    with pytest.raises(InputError, match=r"quick\.json: cannot be read .* restore it"):
        quick.read(path)


def test_every_case_of_the_choice_is_there() -> None:
    there: set[tuple[str, str]] = set()

    def work(specification: Specification) -> None:
        there.update(map(case_of, specification.items.values()))

    in_specification(work, "-m", "cpu")
    gone = [case for case, _ in quick.read().cases if case not in there]
    assert not gone, "python -m self_tests.selection.quick chooses anew"


NOTICED_BY = {
    "chosen for 20 s": "spec_tests/b.py::test[late-cpu]",
    "chosen for 5 s": "spec_tests/a.py::test[one-cpu]",
    "chosen for 10 s, without a device": "spec_tests/a.py::test[other]",
    "not chosen": "spec_tests/a.py::test[third-cpu]",
    "endless": "time",
}


def test_the_share_is_that_of_the_mutants_which_were_not_used_for_the_choice() -> None:
    rows = [
        {"module": "sgd.py", "index": index, "fate": "detected", "by": by}
        for index, by in enumerate(NOTICED_BY.values())
    ]
    rows += [
        {"module": "sgd.py", "index": 5, "fate": "survived", "by": ""},
        {"module": "adam.py", "index": 5, "fate": "detected", "by": NOTICED_BY["not chosen"]},
    ]
    chosen = Chosen("2.13.0", (400, 1), 4.0, [(ONE, 0.5), (OTHER, 5.0), (LATE, 9.0)])
    found = share(chosen, {"torch": "2.13.0", "seed": 0, "mutants": rows}, {("adam.py", 5)})
    assert (found["mutants"], found["noticed"]) == (6, 5)
    assert [(run["cases"], run["noticed"]) for run in found["runs"]] == [(1, 2), (2, 3), (3, 4)]


TESTS = """
    @claim("demo.holds")
    def test_it(device):
        pass
"""


def test_what_was_not_chosen_is_not_asked(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), TESTS).run("--quick")
    assert end.verdicts == {}
    assert end.code != 0


@pytest.mark.parametrize("option", ["--require-device=cpu", "--min-cases=1"])
def test_a_lane_does_not_take_it_for_a_whole_run(project: ProjectMaker, option: str) -> None:
    end = project(claims("demo.holds"), TESTS).run("--quick", option)
    assert end.errors == [
        f"{option.partition('=')[0]} asks for a whole run, and --quick leaves cases out: "
        "use only one of them"
    ]
