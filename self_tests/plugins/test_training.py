"""``--for`` on a run: the cases that concern a training, and what is said of it."""

import pytest

from fixtures.report.storage import read_report
from self_tests.support.small_project import ProjectMaker, SmallProject

USAGE_ERROR = 4
CHAPTER = """# Demo

### demo.steps
Every optimizer does it.

torch: >=2.0 · devices: cpu · implementations: loop, foreach

### demo.rates
Every scheduler does it.

torch: >=2.0 · devices: cpu

### demo.sgd
SGD does it.

torch: >=2.0 · devices: cpu
"""
CASES = """
    from fixtures.catalogue import optimizers

    @claim("demo.steps")
    @optimizers.each(only=("AdamW", "SGD"), every_preset=True)
    def test_steps(case):
        pass

    @claim("demo.rates")
    @pytest.mark.parametrize("name", ["steplr.default", "onecyclelr.default"])
    def test_rates(name):
        pass

    @claim("demo.sgd")
    def test_sgd():
        assert torch.optim.SGD is not None
"""
TRAINING = """
import torch
from torch.optim.lr_scheduler import OneCycleLR

optimizer = torch.optim.AdamW(parameters, foreach=False, maximize=True)
scheduler = OneCycleLR(optimizer, **options)
"""


@pytest.fixture
def small(project: ProjectMaker) -> SmallProject:
    """A project with claims on optimizers and schedulers, and with a training."""
    made = project(CHAPTER, CASES)
    made.write("train.py", TRAINING)
    return made


def test_only_the_cases_that_concern_the_training_run(small: SmallProject) -> None:
    end = small.run("--for=train.py")
    assert end.code == 0
    assert set(end.verdicts) == {
        f"test_steps[adamw.{preset}-loop]" for preset in ("default", "decay", "maximize", "betas",
                                                         "maximize-decay", "betas-decay")
    } | {"test_rates[onecyclelr.default]"}  # fmt: skip


def test_the_header_says_what_was_understood_and_what_not(small: SmallProject) -> None:
    lines = small.run("--for=train.py").text.splitlines()
    assert "for AdamW(foreach=False, maximize=True), OneCycleLR" in lines
    assert (
        "not told: train.py:6: OneCycleLR takes options from elsewhere: all of them count" in lines
    )


def test_the_same_with_several_processes(small: SmallProject) -> None:
    end = small.run_in_new_process("--for=train.py", "-n2", "-p", "xdist")
    assert "7 passed" in end.text
    assert "nothing is broken. Of 2 claims, 2 hold." in end.text


@pytest.mark.parametrize(
    "asked, words",
    [
        pytest.param("AdmW", "did you mean 'AdamW'?", id="name"),
        pytest.param("nope.py", "nope.py: no such file or folder", id="file"),
        pytest.param("test.txt", "is no Python", id="no_python"),
    ],
)
def test_bad_input_ends_the_run_with_a_line(small: SmallProject, asked: str, words: str) -> None:
    small.write("test.txt", "no program")
    end = small.run(f"--for={asked}")
    assert (end.code, end.results) == (USAGE_ERROR, {})
    assert len([error for error in end.errors if words in error]) == 1


def test_a_selection_that_leaves_nothing_names_the_training(small: SmallProject) -> None:
    end = small.run("--for=AdamW", "--claim", "demo.sgd")
    assert end.code != 0
    assert [error for error in end.errors if "--for AdamW" in error]


def test_a_report_says_for_which_training_it_is(small: SmallProject) -> None:
    small.run("--for=OneCycleLR", "--report=new")
    assert read_report(small.path / "new")["header"]["options"]["for"] == "OneCycleLR"
    assert "Only what concerns `OneCycleLR` was asked." in small.read("new/report.md")
    assert "Only what concerns OneCycleLR was asked." in small.read("new/report.html")


def test_a_run_is_compared_with_what_concerns_the_training_in_its_baseline(
    small: SmallProject,
) -> None:
    small.run("--report=old")
    small.write_test(CASES.replace("SGD is not None", "SGD is None"))
    assert "nothing that held is broken" in small.run("--for=AdamW", "--baseline=old").text
    assert "1 claim is newly broken: demo.sgd" in small.run("--for=SGD", "--baseline=old").text
