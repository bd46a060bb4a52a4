"""Devices that are not there, do not start, or cannot do everything: one clear line each."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fixtures.devices import availability, capabilities
from fixtures.plugins import workers
from self_tests.support.small_project import ProjectMaker, claims

PASSES = '@claim("demo.holds")\ndef test_it(device): pass\n'
USAGE_ERROR = 4


def fails() -> Any:
    """Fail as a driver does that does not suit the device."""
    raise RuntimeError("driver too old\nand more")


@pytest.fixture(autouse=True)
def _ask_anew() -> None:
    """Forget what devices have answered."""
    availability.why_it_does_not_start.cache_clear()
    capabilities.lacks.cache_clear()


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call it with functions of torch.cuda to have in the place of torch's."""

    def replace(**functions: Callable[[], object]) -> None:
        for name, function in functions.items():
            monkeypatch.setattr(f"torch.cuda.{name}", function)

    return replace


def test_an_index_that_is_not_there(project: ProjectMaker, cuda: Callable[..., None]) -> None:
    cuda(is_available=lambda: True, device_count=lambda: 1)
    end = project(claims("demo.holds"), PASSES).run("--device", "cuda:7")
    assert end.code == USAGE_ERROR
    assert "--device cuda:7: no device cuda:7 here: torch sees 1 of kind cuda" in end.text


def test_a_backend_that_fails_when_it_is_asked_whether_it_is_there(
    project: ProjectMaker, cuda: Callable[..., None]
) -> None:
    cuda(is_available=fails)
    end = project(claims("demo.holds"), PASSES).run("-m", "cuda")
    assert end.code == 1
    assert end.errors == [
        "nothing was checked: cuda fails at start: RuntimeError: driver too old; "
        "--allow-missing-device accepts such a run"
    ]


def test_a_backend_that_fails_when_it_is_used(
    project: ProjectMaker, cuda: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda(is_available=lambda: True, device_count=lambda: 1, get_device_name=lambda _: "a GPU")
    ones = torch.ones
    monkeypatch.setattr(
        torch, "ones", lambda *a, **k: fails() if "cuda" in str(k.get("device")) else ones(*a, **k)
    )
    small = project(claims("demo.holds"), PASSES)
    end = small.run("-m", "cuda")
    assert end.code == 1
    assert end.errors[0].startswith(
        "nothing was checked: cuda fails at start: RuntimeError: driver"
    )
    end = small.run("--require-device", "cuda")
    assert end.code == USAGE_ERROR
    assert "--require-device cuda: cuda fails at start: RuntimeError: driver too old" in end.text


def test_a_lane_that_has_shrunk_is_red(project: ProjectMaker) -> None:
    small = project(claims("demo.holds"), PASSES)
    assert small.run("-m", "cpu", "--min-cases", "1").code == 0
    end = small.run("-m", "cpu", "--min-cases", "2")
    assert end.code == 1
    assert end.errors == ["1 cases were checked, and --min-cases asks for 2"]


def lane(markexpr: str = "", device: tuple[str, ...] = ()) -> Any:
    """Return a configuration with these options, for what asks for no more."""
    options = {"--device": list(device), "--require-device": []}
    return SimpleNamespace(option=SimpleNamespace(markexpr=markexpr), getoption=options.get)


@pytest.mark.parametrize(
    "config, kind",
    [
        pytest.param(lane(), None, id="all"),
        pytest.param(lane("cpu"), None, id="cpu"),
        pytest.param(lane("cuda"), "cuda", id="cuda"),
        pytest.param(lane("not cuda"), None, id="not_cuda"),
        pytest.param(lane("cpu or cuda"), None, id="either"),
        pytest.param(lane(device=("xpu:1",)), "xpu", id="device"),
    ],
)
def test_a_lane_is_known_by_its_marker_or_its_device(config: Any, kind: str | None) -> None:
    assert workers.kind_of_the_lane(config) == kind


def test_there_is_a_worker_for_each_gpu(cuda: Callable[..., None]) -> None:
    cuda(device_count=lambda: 3)
    assert workers.pytest_xdist_auto_num_workers(lane("cuda")) == 3
    assert workers.pytest_xdist_auto_num_workers(lane()) is None


def test_more_workers_than_gpus_are_refused(
    project: ProjectMaker, cuda: Callable[..., None]
) -> None:
    cuda(device_count=lambda: 2)
    end = project(claims("demo.holds"), PASSES).run("-m", "cuda", "-n", "3")
    assert end.code == USAGE_ERROR
    assert "-n 3 asks for more workers than torch has devices of kind cuda (2)" in end.text


def test_a_worker_on_the_cpu_has_one_thread(project: ProjectMaker) -> None:
    test = '@claim("demo.holds")\ndef test_it(device): assert torch.get_num_threads() == 1\n'
    end = project(claims("demo.holds"), test).run_in_new_process("-m", "cpu", "-n", "2")
    assert end.code == 0, end.text
