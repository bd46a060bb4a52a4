"""Devices: which cases there are, and that a lane which checked nothing is not green."""

import pytest

from self_tests.support.small_project import ProjectMaker, claims

PASSES = """
    @claim("demo.holds")
    def test_it(device):
        pass

    @claim("demo.holds")
    @pytest.mark.parametrize("case", ["a-b", "c"])
    def test_cases(device, case):
        pass
"""


@pytest.fixture(autouse=True)
def _without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have these runs find no CUDA device, also where there is one."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def test_a_test_has_one_entry_for_a_missing_device_which_is_not_run(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES).run()
    assert end.code == 0
    assert end.verdicts == {
        "test_it[cpu]": "holds",
        "test_it[cuda]": "not run",
        "test_cases[a-b-cpu]": "holds",
        "test_cases[c-cpu]": "holds",
        "test_cases[cuda]": "not run",
    }
    assert "cases on cpu: 3 holds; on cuda, which is missing: 2 not run" in end.text


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-k", "cuda"], id="by a word"),
        pytest.param(["-m", "cuda and not fused"], id="by a marker of an implementation"),
        pytest.param(["spec_tests/demo/test_demo.py::test_cases[a-b-cuda]"], id="by the id"),
    ],
)
def test_who_chooses_among_the_cases_of_a_missing_device_finds_each(
    project: ProjectMaker, arguments: list[str]
) -> None:
    end = project(claims("demo.holds"), PASSES).run(*arguments, "--allow-missing-device")
    assert end.code == 0
    assert end.verdicts["test_cases[a-b-cuda]"] == "not run"
    assert "test_cases[cuda]" not in end.verdicts


def test_a_test_in_a_class_has_an_entry_for_a_missing_device_too(project: ProjectMaker) -> None:
    test = """
        class TestOfAClass:
            @claim("demo.holds")
            def test_it(self, device):
                pass
    """
    assert project(claims("demo.holds"), test).run().verdicts == {
        "TestOfAClass::test_it[cpu]": "holds",
        "TestOfAClass::test_it[cuda]": "not run",
    }


def test_a_marker_selects_a_device(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES).run("-m", "cpu")
    assert {name.rpartition("-")[2] for name in end.verdicts} <= {"cpu]", "test_it[cpu]"}


def test_a_lane_without_its_device_is_red(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES).run("-m", "cuda")
    assert end.code == 1
    assert len(end.errors) == 1
    assert end.errors[0].startswith("nothing was checked: no cuda device here")


OF_ANOTHER_TORCH = claims("demo.holds", fields="torch: >=9.0")
TWO_RANGES = claims("demo.holds") + OF_ANOTHER_TORCH.replace("demo.holds", "demo.later")
LATER = (
    PASSES
    + """
    @claim("demo.later")
    def test_later(device):
        pass
"""
)


def test_cases_of_another_torch_do_not_make_a_lane_green(project: ProjectMaker) -> None:
    end = project(TWO_RANGES, LATER).run("-m", "cuda")
    assert end.verdicts["test_later[cuda]"] == "not applicable"
    assert end.code == 1
    assert end.errors[0].startswith("nothing was checked: no cuda device here")


def test_a_lane_may_be_allowed_to_miss_its_device(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES).run("-m", "cuda", "--allow-missing-device")
    assert (end.code, end.errors) == (0, [])


def test_a_required_device_must_have_been_asked(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), PASSES).run("-k", "cuda", "--require-device", "cpu",
                                                    "--allow-missing-device")  # fmt: skip
    assert end.code == 1
    assert end.errors == ["nothing was checked on cpu, which --require-device names"]


@pytest.mark.parametrize(
    "devices, cases",
    [
        pytest.param("any", {"cpu", "cuda"}, id="any"),
        pytest.param("cpu", {"cpu"}, id="cpu"),
        pytest.param("cuda", {"cuda"}, id="cuda"),
        pytest.param("accelerator", {"cuda"}, id="accelerator"),
    ],
)
def test_a_claim_says_which_devices_it_is_about(
    project: ProjectMaker, devices: str, cases: set[str]
) -> None:
    specification = claims("demo.holds", fields=f"torch: >=2.0 · devices: {devices}")
    test = '@claim("demo.holds")\ndef test_it(device): pass\n'
    end = project(specification, test).run("--allow-missing-device")
    assert set(end.verdicts) == {f"test_it[{case}]" for case in cases}


def test_a_test_that_takes_no_device_is_the_cpu_s(project: ProjectMaker) -> None:
    test = '@claim("demo.holds")\ndef test_it(): pass\n'
    assert project(claims("demo.holds"), test).run("-m", "cpu").verdicts == {"test_it": "holds"}


def test_the_same_verdicts_in_several_processes(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES)
    summary = [line for line in small.run().text.splitlines() if line.startswith("demo ")]
    assert summary
    parallel = small.run_in_new_process("-n", "2")
    assert [line for line in parallel.text.splitlines() if line.startswith("demo ")] == summary
