"""The emulated accelerator: that it is one to torch, and that the lane over it can be red."""

from textwrap import dedent

import pytest
import torch

from fixtures.devices.emulated import SINCE
from fixtures.specification.torch_range import release_of
from self_tests.support.small_project import End, ProjectMaker, claims

NEW_ENOUGH = release_of(torch.__version__) >= release_of(SINCE)
needs_it = pytest.mark.skipif(not NEW_ENOUGH, reason=f"torch {SINCE} can emulate an accelerator")
FOUR_CLAIMS = "\n".join(
    claims(f"demo.{field}", fields=f"torch: >=2.0 · devices: {field}")
    for field in ("any", "cpu", "cuda", "accelerator")
)
ONE_TEST_EACH = "".join(
    f'@claim("demo.{field}")\ndef test_{field}(device): assert device.type == "emulated"\n'
    for field in ("any", "cpu", "cuda", "accelerator")
)
WITHOUT_A_DEVICE = '@claim("demo.any")\ndef test_host(): pass\n'
ON_THE_CPU = """
    @claim("demo.holds")
    def test_it(device):
        (torch.ones(2, device=device) + torch.ones(2)).sum()
"""


def emulated(end: End) -> str:
    """Return what the summary says of the cases on the emulated device."""
    return next(line for line in end.text.splitlines() if "cases on" in line)


@needs_it
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one_process", "two_workers"])
def test_the_claims_about_accelerators_are_asked_and_no_others(
    project: ProjectMaker, workers: tuple[str, ...]
) -> None:
    small = project(FOUR_CLAIMS, ONE_TEST_EACH + WITHOUT_A_DEVICE)
    end = small.run_in_new_process("--device", "emulated", *workers)
    assert end.code == 0, end.text
    assert emulated(end).endswith("cases on emulated: 2 holds")


@needs_it
def test_a_marker_selects_it(project: ProjectMaker) -> None:
    end = project(FOUR_CLAIMS, ONE_TEST_EACH).run_in_new_process(
        "--device", "emulated", "-m", "emulated"
    )
    assert emulated(end).endswith("cases on emulated: 2 holds")


@needs_it
def test_the_header_says_what_it_is_not(project: ProjectMaker) -> None:
    end = project(FOUR_CLAIMS, ONE_TEST_EACH).run_in_new_process("--device", "emulated")
    assert "no streams and no graphs" in end.text


@needs_it
def test_a_test_that_slips_in_a_tensor_on_the_cpu_is_red(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), ON_THE_CPU).run_in_new_process("--device", "emulated")
    assert end.code == 1
    assert "found at least two devices" in end.text


@needs_it
@pytest.mark.parametrize(
    "arguments, said",
    [
        pytest.param(("emulated:3",), "no device emulated:3 here: torch sees 1", id="index"),
        pytest.param(("emulated", "--require-device", "emulated:3"), "emulated:3", id="required"),
    ],
)
def test_an_index_that_is_not_there(
    project: ProjectMaker, arguments: tuple[str, ...], said: str
) -> None:
    end = project(FOUR_CLAIMS, ONE_TEST_EACH).run_in_new_process("--device", *arguments)
    assert end.code == 4
    assert said in end.text


A_BACKEND = """
    from fixtures.devices import emulated

    emulated.NAME = "abacus"
    from fixtures.devices.emulated import registration

    registration.register()
    emulated.NAME = "emulated"
"""


@needs_it
def test_a_backend_of_one_s_own_is_asked_by_its_name(project: ProjectMaker) -> None:
    small = project(FOUR_CLAIMS, ONE_TEST_EACH.replace("emulated", "abacus"))
    small.write("my_backend.py", dedent(A_BACKEND))
    end = small.run_in_new_process("-p", "my_backend", "--device", "abacus", "-m", "abacus")
    assert end.code == 0, end.text
    assert emulated(end).endswith("cases on abacus: 2 holds")


LACKING = {
    "float64": '@pytest.mark.parametrize("dtype", [torch.float64], ids=["wide"])\n'
    '@claim("demo.holds")\ndef test_it(dtype, device): torch.ones(1, dtype=dtype, device=device)\n',
    "complex": '@pytest.mark.needs(torch.complex64)\n@claim("demo.holds")\n'
    "def test_it(device): torch.ones(1, dtype=torch.complex64, device=device)\n",
    "sparse": 'from fixtures.catalogue import optimizers\n@claim("demo.holds")\n'
    '@optimizers.each(only=("SparseAdam",))\ndef test_it(case, device): '
    "torch.ones(2, device=device).to_sparse()\n",
    "fused": 'from fixtures.catalogue import optimizers\n@claim("demo.holds")\n'
    '@optimizers.each(only=("Adam",), adding={"fused": True})\n'
    "def test_it(case, device): assert False\n",
}


@needs_it
@pytest.mark.parametrize("what", LACKING)
def test_what_a_device_lacks_is_not_asked_of_it(project: ProjectMaker, what: str) -> None:
    small = project(claims("demo.holds"), LACKING[what])
    end = small.run_in_new_process("--device", "emulated", "--emulated-without", what, "-rs")
    assert emulated(end).endswith("cases on emulated: 1 not applicable")
    assert f"the emulated device is to have no {what}" in end.text


MADE_ON_THE_WAY = """
    @claim("demo.holds")
    def test_it(device):
        assert torch.ones(2, dtype=torch.float64, device=device).sum() == 2
"""
MADE_BY_A_STEP = """
    class Careless(torch.optim.SGD):
        def step(self):
            torch.ones(2, dtype=torch.float64, device=self.param_groups[0]["params"][0].device)

    Careless.__module__ = Careless.step.__module__ = "torch.optim.careless"
    Careless.step = type(Careless.step)(
        Careless.step.__code__, {"torch": torch, "__name__": "torch.optim.careless"}
    )

    @claim("demo.holds")
    def test_it(device):
        Careless([torch.ones(2, device=device, requires_grad=True)]).step()
"""


@pytest.mark.parametrize(
    "test, verdict",
    [
        pytest.param(MADE_ON_THE_WAY, "1 not applicable", id="by_the_test"),
        pytest.param(MADE_BY_A_STEP, "1 broken", id="by_a_step"),
    ],
)
@needs_it
def test_what_is_lacking_is_told_from_what_is_wrong(
    project: ProjectMaker, test: str, verdict: str
) -> None:
    small = project(claims("demo.holds"), test)
    end = small.run_in_new_process("--device", "emulated", "--emulated-without", "float64")
    assert emulated(end).endswith(f"cases on emulated: {verdict}"), end.text


@pytest.mark.skipif(NEW_ENOUGH, reason="this torch can emulate an accelerator")
def test_an_older_torch_is_said_in_a_line(project: ProjectMaker) -> None:
    end = project(FOUR_CLAIMS, ONE_TEST_EACH).run("--device", "emulated")
    assert end.code == 4
    assert f"--device emulated needs torch {SINCE}" in end.text


def test_it_stands_alone(project: ProjectMaker) -> None:
    end = project(FOUR_CLAIMS, ONE_TEST_EACH).run("--device", "emulated", "--device", "cuda")
    assert end.code == 4
    assert "--device emulated allows no other device: test cuda in another run" in end.text
