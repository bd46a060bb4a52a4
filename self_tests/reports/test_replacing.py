"""A report is never lost to another: what may replace it, what may not, and in what runs differ."""

from copy import deepcopy
from typing import Any

import pytest

from fixtures.report.circumstances import differences, selection, why_not_the_same
from self_tests.support.made_up_reports import report_on
from self_tests.support.small_project import ProjectMaker, SmallProject, claims

USAGE_ERROR = 4
CASES = """
    @claim("demo.holds")
    def test_it(device):
        pass

    @claim("demo.other")
    def test_other(device):
        pass
"""


@pytest.fixture
def small(project: ProjectMaker, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A project with a report on the CPU in ``there``."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    made = project(claims("demo.holds", "demo.other"), CASES)
    assert made.run("-m", "cpu", "--report=there").code == 0
    return made


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "of another selection (-m cpu, and not everything)"),
        (("-m", "cpu", "--claim", "demo.holds"), "and not --claim demo.holds -m cpu"),
        (("-m", "cpu", "-k", "other"), "and not -m cpu -k other"),
        (("-m", "cpu", "spec_tests/demo/test_demo.py"), "and not spec_tests/demo/test_demo.py -m cpu"),
        (("-m", "cpu", "--deselect", "x"), "and not -m cpu --deselect x"),
    ],
    ids=["everything", "claim", "keyword", "path", "deselected"],
)  # fmt: skip
def test_a_report_of_something_else_is_not_replaced(
    small: SmallProject, arguments: tuple[str, ...], words: str
) -> None:
    before = small.read("there/report.json")
    end = small.run("--report=there", *arguments)
    assert (end.code, end.results) == (USAGE_ERROR, {})
    lines = [line for line in end.text.splitlines() if words in line]
    assert len(lines) == 1, end.text
    assert lines[0].startswith("ERROR: --report there would replace a report of")
    assert lines[0].endswith("name another folder, or add --overwrite")
    assert small.read("there/report.json") == before


def test_what_is_no_report_is_not_replaced(small: SmallProject) -> None:
    small.write("there/report.json", '{"coverage": 91}')
    end = small.run("-m", "cpu", "--report=there")
    assert (end.code, end.results) == (USAGE_ERROR, {})
    assert "would replace a file: " in end.text
    assert small.read("there/report.json") == '{"coverage": 91}'


def test_a_report_of_the_same_is_replaced(small: SmallProject) -> None:
    small.write_test(CASES.replace("pass", "assert False", 1))
    assert small.run("-m", "cpu", "--report=there", "spec_tests/").code == 1
    assert '"verdict":"broken"' in small.read("there/report.json")


def test_it_may_be_said_that_a_report_is_to_be_replaced(small: SmallProject) -> None:
    before = small.read("there/report.json")
    end = small.run("--report=there", "--overwrite", "--baseline=there")
    assert end.code == 0
    assert small.read("there/report.json") != before
    # The baseline was read before it was replaced.
    told = "The runs differ in more than torch: selection: -m cpu became everything."
    assert end.section("changes since the baseline").splitlines()[0] == told


def test_a_run_without_a_case_replaces_no_report(small: SmallProject) -> None:
    before = small.read("there/report.json")
    small.write_test("def broken(:")
    end = small.run("-m", "cpu", "--report=there")
    assert end.code == 2
    assert "no report was written: no case came to run" in end.errors
    assert small.read("there/report.json") == before


def test_a_run_of_which_a_module_could_not_be_collected_ended_early(small: SmallProject) -> None:
    small.write_test("import nowhere", "spec_tests/demo/test_more.py")
    small.run("-m", "cpu", "--report=there", "--continue-on-collection-errors")
    assert '"ended":"early"' in small.read("there/report.json").replace(": ", ":")


def changed(*changes: tuple[str, Any], devices: tuple[str, ...] = ("cpu",)) -> dict[str, Any]:
    """Return a report with other entries of its header, each named as ``options.markers``."""
    report = deepcopy(report_on(*devices))
    for name, value in changes:
        where = report["header"]
        *path, last = name.split(".")
        for key in path:
            where = where[key]
        where[last] = value
    return report


CUDA = {"name": "cuda", "description": "cuda (A100)", "missing": None}
NO_CUDA = {"name": "cuda", "description": "cuda", "missing": "no cuda device here"}
CPU = {"name": "cpu", "description": "cpu (Xeon)", "missing": None}


@pytest.mark.parametrize(
    "old, new, told",
    [
        (("markers", "cpu"), ("markers", "cpu"), None),
        (("paths", ["spec_tests"]), ("paths", ["./spec_tests/"]), None),
        (("paths", ["."]), ("paths", []), None),
        (("claim", ["a.*"]), ("claim", ["b.*"]), "of another selection (--claim 'a.*', and not"),
        (("keyword", "a"), ("keyword", "b"), "of another selection (-k a, and not -k b)"),
        (("outside_bounds", "yes"), ("keyword", ""), "(--outside-bounds, and not everything)"),
        (("implementation", ["a"]), ("keyword", ""), "(--implementation a, and not everything)"),
    ],
)  # fmt: skip
def test_what_is_another_selection(
    old: tuple[str, Any], new: tuple[str, Any], told: str | None
) -> None:
    one, other = (changed((f"options.{name}", value)) for name, value in (old, new))
    why = why_not_the_same(one["header"], other["header"])
    assert why is None if told is None else told in str(why)


@pytest.mark.parametrize(
    "old, new, markers, told",
    [
        ([CPU, NO_CUDA], [CPU, CUDA], "", "of other devices (cpu, and not cpu, cuda)"),
        ([CPU, NO_CUDA], [CPU, CUDA], "cpu", None),
        ([CPU, CUDA], [CPU, {**CUDA, "description": "cuda (H200)"}], "cuda", "of another device"),
        ([CPU, CUDA], [{**CPU, "description": "cpu (EPYC)"}, CUDA], "", None),
    ],
    ids=["appeared", "not_asked", "model", "processor"],
)
def test_what_is_another_device(
    old: list[dict[str, Any]], new: list[dict[str, Any]], markers: str, told: str | None
) -> None:
    one, other = (changed(("devices", d), ("options.markers", markers)) for d in (old, new))
    why = why_not_the_same(one["header"], other["header"])
    assert why is None if told is None else told in str(why)


@pytest.mark.parametrize(
    "old, new, told",
    [
        (changed(), changed(), []),
        (changed(), changed(devices=("cpu", "cuda")), ["devices: cpu became cpu, cuda"]),
        (changed(("devices", [CPU, CUDA]), devices=("cpu", "cuda")),
         changed(("devices", [CPU, {**CUDA, "description": "cuda (H200)"}]), devices=("cpu", "cuda")),
         ["device: cuda (A100) became cuda (H200)"]),
        (changed(), changed(("python", "3.12.1")), ["Python: 3.11.7 became 3.12.1"]),
        (changed(), changed(("cpu_capability", "AVX512")),
         ["processor: kernels for AVX2 became kernels for AVX512"]),
        (changed(), changed(("platform", "Linux-6.1-aarch64")), ["processor: x86_64 became aarch64"]),
        (changed(), changed(("platform", "Linux-6.2-x86_64")), []),
        (changed(("devices", [CPU])), changed(("devices", [{**CPU, "description": "cpu (EPYC)"}])),
         ["processor: Xeon became EPYC"]),
        (changed(), changed(("devices", [CPU])), []),
        (changed(), changed(("options.random_rounding", "3")),
         ["processor: not played became played with seed 3"]),
    ],
    ids=["none", "devices", "model", "python", "kernels", "machine", "kernel_of_linux", "name",
         "unknown_name", "played"],
)  # fmt: skip
def test_in_what_the_circumstances_differ(
    old: dict[str, Any], new: dict[str, Any], told: list[str]
) -> None:
    assert list(differences(old, new)) == told


def test_a_device_alone_leaves_nothing_else_out() -> None:
    header = changed(("options.markers", "cpu"))["header"]
    assert selection(header) == "-m cpu"
    assert selection(header, but_devices=True) == "everything"
