"""The reach that is stored can be read, is not stale, and leads to every case that reaches a line."""

import random
from pathlib import Path

import pytest
import torch

from fixtures.command import InputError
from fixtures.plugins.chosen_cases import case_of
from fixtures.report.storage import read_report
from fixtures.selection import reach as stored_reach
from fixtures.selection.affected import affected_by
from fixtures.selection.changes import changes_of
from fixtures.selection.reach import Reach
from self_tests.selection.__main__ import measured
from self_tests.support.forked_cases import Specification, in_specification
from self_tests.support.small_project import ProjectMaker, claims

OPTIM = Path(torch.optim.__file__).parent


@pytest.fixture(scope="module")
def reach() -> Reach:
    return stored_reach.read()


def skip_on_another_release(reach: Reach) -> None:
    if torch.__version__.partition("+")[0] != reach.torch.partition("+")[0]:
        pytest.skip(f"the lines are those of torch {reach.torch}")


def test_what_is_written_is_read(reach: Reach, tmp_path: Path) -> None:
    path = tmp_path / "reach.json.gz"
    stored_reach.write(reach, path)
    assert stored_reach.read(path) == reach
    assert path.read_bytes() == stored_reach.STORED.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no gzip"], ids=["empty", "garbage"])
def test_a_file_that_is_cut_off_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reach.json.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read .* restore it"):
        stored_reach.read(path)


def test_the_stored_reach_is_what_the_cases_of_a_chapter_reach(reach: Reach) -> None:
    found: list[Reach] = []
    unknown: list[str] = []

    def work(specification: Specification) -> None:
        unknown.extend(
            node for node, item in specification.items.items() if case_of(item) not in reach.cases
        )
        found.append(measured(specification))

    in_specification(work, "-m", "cpu", paths=["spec_tests/zero-grad"])
    assert not unknown, "python -m self_tests.selection makes the stored reach anew"
    skip_on_another_release(reach)
    for case, profile in found[0].cases.items():
        lines = _lines(found[0], profile)
        assert lines == _lines(reach, reach.cases[case]), case


def _lines(reach: Reach, profile: int) -> set[tuple[str, int]]:
    groups = (reach.groups[number] for number in reach.profiles[profile])
    return {(file, line) for file, own in groups for line in own}


def test_a_change_of_a_line_asks_every_case_that_reaches_it(reach: Reach, tmp_path: Path) -> None:
    skip_on_another_release(reach)
    places = [(file, line) for file, own in reach.groups for line in sorted(own)]
    for file, line in random.Random(0).sample(places, 60):  # noqa: S311 - a sample
        lines = (OPTIM / file).read_text("utf-8").splitlines()
        if lines[line - 1].endswith("\\"):
            continue
        lines[line - 1] += "  # changed"
        changed = tmp_path / "torch" / "optim" / file
        changed.parent.mkdir(parents=True, exist_ok=True)
        changed.write_text("\n".join(lines) + "\n")
        asked = affected_by(changes_of(str(changed), OPTIM), reach).profiles
        assert reach.reaching({file: [line]}) <= asked, (file, line)


TESTS = """
    @claim("demo.holds")
    def test_it(device):
        pass
"""


def test_a_case_that_the_reach_does_not_know_is_asked(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), TESTS).run("-m", "cpu", "--affected-by", "torch.optim.adam")
    assert end.code == 0, end.text
    assert end.verdicts == {"test_it[cpu]": "holds"}
    assert "affected by adam.py: all of it" in end.text


def test_what_names_no_change_is_refused_in_one_line(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), TESTS).run("--affected-by", "torch.optim.Adamm")
    assert end.errors == [
        "--affected-by torch.optim.Adamm: the installed torch has no such name; write a file such as "
        "torch/optim/adam.py, a patch, a checkout of torch with two revisions such as "
        "../pytorch@v2.12.0..v2.13.0, or a name such as torch.optim.adam or torch.optim.Adam.step"
    ]


@pytest.mark.parametrize("option", ["--require-device=cpu", "--min-cases=1"])
def test_a_lane_does_not_take_it_for_a_whole_run(project: ProjectMaker, option: str) -> None:
    small = project(claims("demo.holds"), TESTS)
    end = small.run("--affected-by", "torch.optim.adam", option)
    assert end.errors == [
        f"{option.partition('=')[0]} asks for a whole run, and --affected-by leaves cases out: "
        "use only one of them"
    ]


def test_a_report_names_the_change(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), TESTS)
    small.run("-m", "cpu", "--affected-by", "torch.optim.adam", "--report=out")
    options = read_report(small.path / "out")["header"]["options"]
    assert options["left_out"] == ["--affected-by torch.optim.adam"]
