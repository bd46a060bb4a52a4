"""The played processor: what it moves, what it leaves, and that it finds a claim about a processor."""

from collections.abc import Callable, Iterator

import pytest
import torch

from fixtures.devices.random_rounding import RandomRounding
from self_tests.support.small_project import ProjectMaker, claims

SEEDS = range(1, 6)
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
ANGLES = torch.arange(1, 101, dtype=torch.float64) / 7


@pytest.fixture(params=SEEDS, ids="seed{}".format)
def played(request: pytest.FixtureRequest) -> Iterator[RandomRounding]:
    with RandomRounding(request.param) as mode:
        yield mode


on_each_processor = pytest.mark.usefixtures("played")


def numbers(dtype: torch.dtype) -> torch.Tensor:
    return ANGLES.to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_rounded_result_is_moved_by_an_ulp_at_most(seed: int, dtype: torch.dtype) -> None:
    plain = numbers(dtype) * 1.7
    with RandomRounding(seed):
        seen = numbers(dtype) * 1.7
    moves = (seen.double() - plain.double()).abs()
    ulps = torch.finfo(dtype).eps * 2.0 ** plain.double().abs().log2().floor()
    assert bool((moves <= ulps).all())
    assert 20 < int((moves > 0).sum()) < 80, "about half of them are moved"


def test_another_seed_is_another_processor() -> None:
    results = []
    for seed in SEEDS:
        with RandomRounding(seed):
            results.append(tuple((ANGLES * 1.7).tolist()))
    assert len(set(results)) == len(SEEDS)


@pytest.mark.parametrize(
    "exact",
    [
        pytest.param(lambda x: x * 4.0, id="a power of two"),
        pytest.param(lambda x: x + 0.0, id="nothing is added"),
        pytest.param(lambda x: x / torch.tensor(1.0, dtype=x.dtype), id="divided by one"),
        pytest.param(lambda x: -x.clone(), id="a copy with the other sign"),
        pytest.param(lambda x: x.round() * 3.0, id="whole numbers"),
        pytest.param(lambda x: torch.stack([x[:1].sum(), x[1:2].mean()]), id="a sum of one term"),
        pytest.param(lambda x: torch.zeros_like(x).add_(1.0, alpha=0.1), id="0 + 1 times 0.1"),
    ],
)
@on_each_processor
def test_what_is_not_rounded_is_not_moved(exact: Callable[[torch.Tensor], torch.Tensor]) -> None:
    seen = exact(ANGLES)
    with torch.utils._python_dispatch._disable_current_modes():
        assert torch.equal(seen, exact(ANGLES))


@on_each_processor
def test_the_same_numbers_are_moved_alike_wherever_they_lie() -> None:
    together = ANGLES * 1.7
    apart = torch.stack([angle * 1.7 for angle in ANGLES])
    over_lists = torch.stack(list(torch._foreach_mul(list(ANGLES), 1.7)))
    in_place = ANGLES.clone().mul_(1.7)
    for other in (apart, over_lists, in_place):
        assert torch.equal(other, together)


@on_each_processor
def test_signs_and_powers_of_two_are_moved_alike() -> None:
    plain = ANGLES * 1.7
    assert torch.equal(ANGLES * -1.7, -plain)
    assert torch.equal((ANGLES * 1024.0) * 1.7, plain * 1024.0)


def test_a_sum_that_cancels_is_moved_by_many_ulps_of_it() -> None:
    terms = torch.cat([ANGLES * 1.7, -ANGLES * 1.7 + 1e-9])
    plain, moved = float(terms.sum()), []
    for seed in SEEDS:
        with RandomRounding(seed):
            moved.append(abs(float(terms.sum()) - plain) / (2.0**-52 * plain))
    assert max(moved) > 1000


@on_each_processor
def test_infinities_stay_and_so_does_zero() -> None:
    edges = torch.tensor([float("inf"), float("nan"), 0.0], dtype=torch.float64)
    assert str((edges * 3.0).tolist()) == "[inf, nan, 0.0]"


@pytest.mark.parametrize("how", ["loop", "foreach", "fused"])
@pytest.mark.parametrize("kind", ["Adagrad", "Adam", "AdamW", "SGD"])
@on_each_processor
def test_a_step_at_a_rate_of_zero_leaves_the_parameter(kind: str, how: str) -> None:
    parameter = torch.nn.Parameter(ANGLES * 1.7)
    parameter.grad = ANGLES * 0.3
    before = parameter.detach().clone()
    implementation = {} if how == "loop" else {how: True}
    getattr(torch.optim, kind)([parameter], lr=0.0, **implementation).step()
    assert torch.equal(parameter, before)


def stepped_by_fused_sgd() -> torch.Tensor:
    parameter = torch.nn.Parameter(ANGLES.sin())
    parameter.grad = ANGLES.cos()
    torch.optim.SGD([parameter], lr=0.1, fused=True).step()
    return parameter.detach()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fused_step_is_moved(seed: int) -> None:
    plain = stepped_by_fused_sgd()
    with RandomRounding(seed):
        moved = (stepped_by_fused_sgd() - plain).abs()
    assert 20 < int((moved > 0).sum()) < 80, "about half of them are moved"


def first_momentum_in(memory: torch.Tensor) -> torch.Tensor:
    """Return the momentum that a first fused step begins, in memory that holds something else."""
    torch._fused_sgd_(
        [ANGLES.sin()], [ANGLES.cos()], [memory], lr=0.1, momentum=0.9, dampening=0.0,
        weight_decay=0.1, nesterov=False, maximize=False, is_first_step=True,
    )  # fmt: skip
    return memory


@on_each_processor
def test_what_momentum_is_first_written_over_counts_for_nothing() -> None:
    written = first_momentum_in(torch.zeros_like(ANGLES))
    with torch.utils._python_dispatch._disable_current_modes():
        unmoved = first_momentum_in(torch.zeros_like(ANGLES))
    assert not torch.equal(written, unmoved)
    assert torch.equal(first_momentum_in(unmoved), written)


@on_each_processor
def test_a_step_over_lists_still_counts_the_versions_up() -> None:
    parameter = torch.ones(2, requires_grad=True)
    parameter.grad = torch.tensor([0.1, 0.2])
    before = parameter._version
    torch.optim.Adam([parameter], foreach=True).step()
    assert parameter._version > before


def test_a_claim_about_one_processor_is_broken_on_another(project: ProjectMaker) -> None:
    test = """
        @claim("demo.digits")
        def test_it(device):
            total = torch.full((), 0.0, device=device)
            for _ in range(1000):
                total += 0.1
            check.same(seen=total, expected=torch.tensor(99.9990463256836), source="this processor")
    """
    small = project(claims("demo.digits"), test)
    plain, played = small.run("-m", "cpu"), small.run("-m", "cpu", "--random-rounding", "1")
    assert (plain.code, played.code) == (0, 1), played.text
    assert "played: results moved by an ulp, seed 1" in played.text


def test_a_seed_below_zero_is_refused(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), "").run("--random-rounding", "-1")
    assert end.errors == ["--random-rounding -1: the seed must be 0 or more"]


def test_a_run_without_the_cpu_is_refused(project: ProjectMaker) -> None:
    end = project(claims("demo.holds"), "").run_in_new_process(
        "--random-rounding", "1", "--device", "emulated"
    )
    assert end.errors == [
        "--random-rounding needs the CPU, which --device emulated leaves out: use only one of them"
    ]
