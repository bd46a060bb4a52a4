"""Averages in dtypes with few digits or a narrow range, of truth values, and of what is no number."""

import math

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from fixtures.assertions import check
from fixtures.catalogue import averagings
from fixtures.claims import claim

COARSE = (torch.bfloat16, torch.float16, torch.float32)
STANDS, MOVES = "stands still", "moves"


def net_of(values, device, dtype=None):
    """Return a module with a parameter and a buffer of these values."""
    net = nn.Module()
    tensor = torch.tensor(values, dtype=dtype, device=device)
    net.weight = nn.Parameter(tensor.clone(), requires_grad=tensor.is_floating_point())
    net.register_buffer("running", tensor.clone())
    return net


def towards(averaging, dtype, gaps, device, *, averaged=1, updates=1):
    """Return what an average of numbers from 1 to 2 does below models that are so many gaps above it."""
    eps = torch.finfo(dtype).eps
    # No two end in the same digits: a processor that rounds one of them down does not round all.
    numbers = [1 + i / 8 + i * eps for i in range(8)]
    above = [number + gaps * eps for number in numbers]
    start = torch.tensor(numbers, dtype=dtype, device=device)
    average = averaging.of(net_of(numbers, device, dtype))
    average.n_averaged.fill_(averaged)
    net = net_of(above, device, dtype)
    for _ in range(updates):
        average.update_parameters(net)
    return STANDS if torch.equal(average.module.weight, start) else MOVES


@claim("averages.exponential-ones-stand-still")
@pytest.mark.parametrize(
    "name, decay", [("ema_multi", 0.75), ("ema_0.9_multi", 0.9), ("ema_0.999_multi", 0.999)]
)
def test_an_exponential_average_follows_no_model_that_is_near(name, decay, device):
    averaging = next(a for a in averagings.AVERAGINGS if a.name == name)
    # half of a gap, divided by what the model weighs
    limit = 0.5 / (1 - decay)
    seen = {
        str(dtype): [
            towards(averaging, dtype, gaps, device, updates=2)
            for gaps in (math.ceil(0.94 * limit) - 1, math.ceil(2 * limit))
        ]
        for dtype in COARSE
    }
    check.same(
        seen=seen,
        expected={str(dtype): [STANDS, MOVES] for dtype in COARSE},
        source="(1 - decay) times the distance, against half of the gap between numbers",
    )


@claim("averages.exponential-ones-stand-still")
@averagings.each(only=("ema_0.999", "ema_0.999_multi"))
def test_hundreds_of_updates_do_not_move_it(averaging, device):
    # the way from 1 to 2 is 128 gaps long in bfloat16, of which an update goes an eighth of a gap
    average = averaging.of(net := net_of([1.0], device, torch.bfloat16))
    average.update_parameters(net)
    nn.init.constant_(net.weight, 2.0)
    for _ in range(300):
        average.update_parameters(net)
    check.same(seen=average.module.weight.item(), expected=1.0, source="where it began")


@claim("averages.equal-ones-stand-still")
@averagings.each(only=("default", "swa", "swa_multi"))
def test_a_mean_over_many_models_does_not_move(averaging, device):
    # 1 / (n + 1) of a distance of 1, which is 1 / eps gaps
    seen = {
        str(dtype): [
            towards(averaging, dtype, 1 / eps, device, averaged=round(part * 2 / eps))
            for part in (1.1, 0.4)
        ]
        for dtype in COARSE
        for eps in (torch.finfo(dtype).eps,)
    }
    check.same(
        seen=seen,
        expected={str(dtype): [STANDS, MOVES] for dtype in COARSE},
        source="the distance divided by n + 1, against half of the gap between numbers",
    )


@claim("averages.count-beyond-float32")
@averagings.each(only=averagings.OF_EACH_KIND)
def test_the_count_goes_on_where_float32_ends(averaging, device):
    average = averaging.of(net := net_of([1.0], device))
    average.n_averaged.fill_(2**24)
    for _ in range(3):
        average.update_parameters(net)
    check.same(seen=average.n_averaged.item(), expected=2**24 + 3, source="three more models")


# Near the ends of each dtype: a difference of the two does not fit into it.
ENDS = {
    torch.uint8: (100, 200),
    torch.int8: (-100, 100),
    torch.int16: (-30_000, 30_000),
    torch.int32: (-2_000_000_000, 2_000_000_000),
}


@claim("averages.of-integers-stay-between")
@averagings.each(only=("default", "swa", "ema", "ema_multi"))
def test_an_average_of_two_integers_lies_between_them(averaging, device):
    seen = {}
    for dtype, (low, high) in ENDS.items():
        average = averaging.of(net := net_of([low, high], device, dtype), use_buffers=True)
        average.update_parameters(net)
        net.weight.copy_(net.weight.flip(0))
        net.running.copy_(net.running.flip(0))
        average.update_parameters(net)
        averaged = [*average.module.weight.tolist(), *average.module.running.tolist()]
        seen[str(dtype)] = [low <= number <= high for number in averaged]
    check.same(
        seen=seen,
        expected={str(dtype): [True] * 4 for dtype in ENDS},
        source="a mean lies between the least and the largest of its numbers",
    )


TORCH_S_OWN = ("default", "swa", "swa_multi", "ema", "ema_multi")


@claim("averages.constant-booleans-stay")
@averagings.each(only=TORCH_S_OWN)
def test_a_mask_that_is_the_same_in_every_model_is_that_in_the_average(averaging, device):
    average = averaging.of(net := net_of([True, False], device), use_buffers=True)
    for _ in range(3):
        average.update_parameters(net)
    check.same(
        seen=[average.module.weight.tolist(), average.module.running.tolist()],
        expected=[[True, False], [True, False]],
        source="the mask in every model",
    )


@claim("buffers.follow-the-model-unless-averaged")
@averagings.each(only=TORCH_S_OWN)
def test_a_mask_is_copied_from_the_model(averaging, device):
    net = net_of([1.0], device)
    net.register_buffer("mask", torch.tensor([True, False], device=device))
    average = averaging.of(net)
    average.update_parameters(net)
    net.mask.logical_not_()
    average.update_parameters(net)
    check.same(
        seen=average.module.mask.tolist(), expected=[False, True], source="the mask in the model"
    )


@claim("averages.keep-what-is-no-number")
@averagings.each(only=(*TORCH_S_OWN, "ema_0", "ema_0_multi"))
def test_a_number_that_is_none_stays_in_its_place(averaging, device):
    average = averaging.of(net := net_of([1.0] * 4, device), use_buffers=True)
    plain = averaging.of(finite := net_of([1.0] * 4, device), use_buffers=True)
    for spoilt in ([math.nan, math.inf, -math.inf], [2.0] * 3, [3.0] * 3):
        for tensor in (*net.parameters(), *net.buffers()):
            tensor.detach().copy_(torch.tensor([*spoilt, 4.0]))
        for tensor in (*finite.parameters(), *finite.buffers()):
            tensor.detach().copy_(torch.tensor([0.0, 0.0, 0.0, 4.0]))
        average.update_parameters(net)
        plain.update_parameters(finite)
    tensors = (average.module.weight, average.module.running)
    check.same(
        seen=[[t.isfinite().tolist(), t[3].item()] for t in tensors],
        expected=[[[False, False, False, True], plain.module.weight[3].item()]] * 2,
        source="the first update copies them; no finite number is nearer to an infinity than another",
    )


@claim("update-bn.keeps-nan-in-its-channel")
@pytest.mark.parametrize("value", [math.nan, math.inf], ids=["nan", "inf"])
def test_a_channel_without_numbers_leaves_the_others_alone(value, device):
    batches = [torch.tensor([[1.0, 2.0], [3.0, 5.0]], device=device) for _ in range(3)]
    sound, spoilt = (nn.BatchNorm1d(2, device=device) for _ in range(2))
    update_bn(batches, sound)
    batches[1][0, 0] = value
    update_bn(batches, spoilt)
    check.same(
        seen=[spoilt.running_mean[1].item(), spoilt.running_var[1].item()],
        expected=[sound.running_mean[1].item(), sound.running_var[1].item()],
        source="the statistics over batches of numbers",
    )


@claim("update-bn.forgets-nan")
def test_statistics_that_were_nan_are_computed_anew(device):
    batches = [torch.tensor([[1.0, 2.0], [3.0, 5.0]], device=device) for _ in range(3)]
    fresh, spoilt = (nn.BatchNorm1d(2, device=device) for _ in range(2))
    update_bn([torch.full((2, 2), math.nan, device=device)], spoilt)
    update_bn(batches, spoilt)
    update_bn(batches, fresh)
    check.same(
        seen=dict(spoilt.state_dict()),
        expected=dict(fresh.state_dict()),
        source="a layer that saw no NaN",
    )
