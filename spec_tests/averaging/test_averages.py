"""What the parameters and buffers of an AveragedModel are after every update."""

import pytest
import torch
from torch import nn

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import averagings
from fixtures.catalogue.averagings import (
    EXACT,
    OF_EACH_KIND,
    OVER_LISTS,
    OVER_PARAMETERS,
    Averaging,
    Net,
    entries,
    filled,
)
from fixtures.claims import claim
from fixtures.oracles.averages import after_each, truncated

TIMES = (3, 1, 4, 6, 5, 2)
COARSE = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
COMPLEX = {"complex64": torch.complex64}
FINE = {"float64": torch.float64, "complex128": torch.complex128}
RULE = "fixtures/oracles/averages.py"


def each_dtype(dtypes):
    return pytest.mark.parametrize("dtype", dtypes.values(), ids=dtypes)


def course(averaging, net, *, parts, use_buffers=False):
    """Return copies of parts of the averaged module after each update; it is built at time 0."""
    averaged, seen = averaging.of(net.at(0), use_buffers=use_buffers), []
    for time in TIMES:
        averaged.update_parameters(net.at(time))
        seen.append([t.detach().clone() for t in parts(averaged.module)])
    return seen


def by_rule(rule, net, parts):
    """Return what parts of the averaged module are after each update, by a rule in plain Python."""
    everything = [*net.parameters(), *net.buffers()]
    chosen = {id(tensor) for tensor in parts(net)}
    columns = [
        in_plain_python(rule, tensor, index)
        for index, tensor in enumerate(everything)
        if id(tensor) in chosen
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def in_plain_python(rule, tensor, index):
    """Return the average of one tensor of a net after each update."""
    models = zip(*(entries(tensor, index, time) for time in TIMES), strict=True)
    courses = [after_each(rule, list(model)) for model in models]
    return [filled(tensor, [c[update] for c in courses]) for update in range(len(TIMES))]


def parameters(module):
    return list(module.parameters())


def float_buffers(module):
    return [module.mean, module.scratch]


def check_rule(averaging, net, tolerance=STEPS):
    __tracebackhide__ = True
    check.close(
        seen=course(averaging, net, parts=parameters),
        expected=by_rule(averaging.rule, net, parameters),
        source=RULE,
        tolerance=tolerance,
    )


@claim("averages.follow-their-rule")
@each_dtype({**COARSE, **COMPLEX})
@averagings.each()
def test_parameters_are_what_the_rule_says_after_every_update(averaging, dtype, device):
    check_rule(averaging, Net(device, dtype))


@claim("averages.float64-is-kept-throughout")
@each_dtype(FINE)
@averagings.each()
def test_fine_parameters_are_averaged_finely(averaging, dtype, device):
    check_rule(averaging, Net(device, dtype))


@claim("buffers.are-averaged-if-asked")
@each_dtype({"float32": torch.float32, **COMPLEX})
@averagings.each()
def test_buffers_are_what_the_rule_says(averaging, dtype, device):
    net = Net(device, dtype)
    del net.count
    check.close(
        seen=course(averaging, net, parts=float_buffers, use_buffers=True),
        expected=by_rule(averaging.rule, net, float_buffers),
        source=RULE,
        tolerance=STEPS,
    )


@claim("buffers.are-averaged-if-asked")
@averagings.each()
def test_parameters_are_averaged_with_the_buffers(averaging, device):
    net = Net(device)
    del net.count
    check.same(
        seen=course(averaging, net, parts=parameters, use_buffers=True),
        expected=course(averaging, net, parts=parameters),
        source="the averages without the buffers",
    )


@claim("averages.integers-round-towards-zero")
@averagings.each(only=EXACT)
def test_integer_buffers_are_averaged_and_truncated(averaging, device):
    net = Net(device)
    check.same(
        seen=course(averaging, net, parts=lambda m: [m.count], use_buffers=True),
        expected=by_rule(truncated(averaging.rule), net, lambda m: [m.count]),
        source=RULE,
    )


@claim("averages.integers-round-towards-zero")
@averagings.each(only=EXACT)
def test_integer_parameters_are_averaged_and_truncated(averaging, device):
    net = Net(device)
    net.frozen = nn.Parameter(torch.empty(2, dtype=torch.int32, device=device), requires_grad=False)
    check.same(
        seen=course(averaging, net, parts=lambda m: [m.frozen]),
        expected=by_rule(truncated(averaging.rule), net, lambda m: [m.frozen]),
        source=RULE,
    )


@claim("averages.constant-integers-stay")
# Which of a hundred integers an average falls short of, rounding decides; that it does of some, it does not.
@pytest.mark.parametrize("counts", [range(1, 101), [2**24 + 1]], ids=["small", "large"])
@averagings.each(only=("default", "swa", "ema_0.9", "ema_0.9_multi"))
def test_counts_that_stand_still_stand_still_in_the_average(averaging, counts, device):
    net = nn.Module()
    net.register_buffer("counts", torch.tensor(list(counts), device=device))
    net.weight = nn.Parameter(torch.ones(1, device=device))
    averaged = averaging.of(net, use_buffers=True)
    for _ in range(4):
        averaged.update_parameters(net)
    check.same(seen=averaged.module.counts, expected=net.counts, source="the counts in every model")


class Mixed(nn.Module):
    """A parameter of each dtype, with entries that change with time."""

    def __init__(self, dtypes, device):
        super().__init__()
        for name, dtype in dtypes.items():
            self.register_parameter(
                f"of_{name}", nn.Parameter(torch.empty(3, dtype=dtype, device=device))
            )

    def at(self, time):
        for parameter in self.parameters():
            parameter.detach().copy_(filled(parameter, entries(parameter, 0, time)))
        return self


@claim("averages.dtypes-are-independent")
@averagings.each(only=OF_EACH_KIND)
def test_parameters_of_several_dtypes_are_averaged_as_if_each_were_alone(averaging, device):
    dtypes = {**COARSE, **COMPLEX, **FINE}
    seen = course(averaging, Mixed(dtypes, device), parts=parameters)
    alone = {
        name: course(averaging, Mixed({name: dtype}, device), parts=parameters)
        for name, dtype in dtypes.items()
    }
    check.same(
        seen=[dict(zip(dtypes, row, strict=True)) for row in seen],
        expected=[{name: alone[name][i][0] for name in dtypes} for i in range(len(TIMES))],
        source="a model with that parameter alone",
    )


@claim("averages.may-have-another-dtype")
@averagings.each(only=OF_EACH_KIND)
def test_an_average_in_float64_of_a_model_in_float32_follows_the_rule(averaging, device):
    net, fine = Net(device), Net(device, torch.float64)
    averaged, seen = averaging.of(net).to(torch.float64), []
    for time in TIMES:
        averaged.update_parameters(net.at(time))
        seen.append([p.detach().clone() for p in averaged.module.parameters()])
    check.close(
        seen=seen, expected=by_rule(averaging.rule, fine, parameters), source=RULE, tolerance=STEPS
    )


@claim("averages.first-update-copies")
@averagings.each()
def test_the_first_update_copies_bit_for_bit(averaging, device):
    net = Net(device)
    averaged = averaging.of(net, use_buffers=True)
    net.at(1).matrix.detach()[0] = torch.tensor([torch.nan, torch.inf, -0.0], device=device)
    averaged.update_parameters(net)
    check.same(
        seen=[*averaged.module.parameters(), *averaged.module.buffers()],
        expected=[*net.parameters(), *net.buffers()],
        source="the parameters and buffers of the model",
    )


@claim("averages.work-without-parameters")
@averagings.each(only=OF_EACH_KIND)
def test_a_model_without_parameters_is_followed(averaging, device):
    net = nn.Module()
    net.register_buffer("mean", torch.zeros(2, device=device))
    averaged = averaging.of(net)
    for value in (1.0, 2.0):
        net.mean.fill_(value)
        averaged.update_parameters(net)
    check.same(seen=averaged.module.mean, expected=net.mean, source="the model's buffer")


@claim("averages.count-the-models")
@averagings.each(only=OF_EACH_KIND)
def test_n_averaged_counts_the_updates(averaging, device):
    net = Net(device)
    averaged = averaging.of(net)
    seen = [averaged.n_averaged.clone()]
    for _ in range(3):
        averaged.update_parameters(net)
        seen.append(averaged.n_averaged.clone())
    check.same(
        seen=seen,
        expected=[torch.tensor(n) for n in range(4)],
        source="the number of updates so far",
    )


@claim("averages.continue-from-n-averaged")
@averagings.each()
def test_a_count_that_is_set_by_hand_is_how_many_models_count(averaging, device):
    net = Net(device)
    averaged = averaging.of(net)
    averaged.n_averaged.fill_(5)
    averaged.update_parameters(net.at(1))
    old, new = (entries(net.matrix, 0, time) for time in (0, 1))
    expected = [averaging.rule(a, m, 5) for a, m in zip(old, new, strict=True)]
    check.close(
        seen=averaged.module.matrix,
        expected=filled(net.matrix, expected),
        source=RULE,
        tolerance=STEPS,
    )


def recording(calls):
    """Return an averaging function over single parameters that notes what it is called with."""

    def average(averaged, model, count):
        calls.append([averaged.clone(), model.clone(), int(count), torch.is_tensor(count)])
        return averaged + 1

    return average


@claim("averaging-functions.avg-fn-calls")
def test_an_averaging_function_is_called_with_both_values_and_the_count(device):
    net, calls = Net(device), []
    averaged = Averaging("own", max, option="avg_fn", own=recording(calls)).of(net)
    averaged.update_parameters(net.at(1))
    averaged.update_parameters(net.at(2))
    averaged.update_parameters(net.at(3))
    first, later = list(Net(device).at(1).parameters()), (2, 3)
    check.same(
        seen=calls,
        expected=[
            [a.detach() + count, m.detach(), count + 1, True]
            for count, time in enumerate(later)
            for a, m in zip(first, Net(device).at(time).parameters(), strict=True)
        ],
        source="the average before, the model, and how many are averaged",
    )


@claim("averaging-functions.multi-avg-fn-calls")
def test_a_function_over_lists_is_called_once_for_each_dtype(device):
    dtypes, calls = {"a": torch.float32, "b": torch.float64}, []
    net = Mixed({**dtypes, "c": torch.float32}, device)

    def average(averaged, models, count):
        calls.append([[*map(torch.clone, averaged)], [*map(torch.clone, models)], int(count)])

    averaged = Averaging("own", max, option="multi_avg_fn", own=average).of(net.at(0))
    averaged.update_parameters(net.at(1))
    averaged.update_parameters(net.at(2))
    old, new = Mixed({**dtypes, "c": torch.float32}, device).at(1), net
    check.same(
        seen=sorted(calls, key=lambda call: str(call[0][0].dtype)),
        expected=[[[old.of_a, old.of_c], [new.of_a, new.of_c], 1], [[old.of_b], [new.of_b], 1]],
        source="the averages before, the models, and how many are averaged",
    )


@claim("averaging-functions.multi-result-ignored")
def test_what_a_function_over_lists_returns_is_ignored(device):
    net = Net(device)
    averaged = Averaging("own", max, option="multi_avg_fn", own=lambda a, m, n: list(m)).of(net)
    averaged.update_parameters(net.at(1))
    averaged.update_parameters(net.at(2))
    check.same(
        seen=list(averaged.module.parameters()),
        expected=list(net.at(1).parameters()),
        source="the first model: the function writes nothing",
    )


@claim("averaging-functions.work-on-tensors")
@pytest.mark.parametrize("count", [int, torch.tensor], ids=["number", "tensor"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64], ids=["float64", "int64"])
@averagings.each(only=OVER_PARAMETERS)
def test_a_function_over_a_parameter_returns_the_new_average(averaging, dtype, count, device):
    average, model = given(dtype, device)
    seen = averaging.options()["avg_fn"](average, model, count(1)).to(dtype)
    check_new_average(averaging, dtype, device, seen)


@claim("averaging-functions.work-on-tensors")
@pytest.mark.parametrize("kind", [list, tuple], ids=["list", "tuple"])
@pytest.mark.parametrize("count", [int, torch.tensor], ids=["number", "tensor"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64], ids=["float64", "int64"])
@averagings.each(only=OVER_LISTS)
def test_a_function_over_lists_changes_the_average(averaging, dtype, count, kind, device):
    average, model = given(dtype, device)
    averaging.options()["multi_avg_fn"](kind([average]), kind([model]), count(1))
    check_new_average(averaging, dtype, device, average)


@claim("averaging-functions.no-float16-overflow")
@pytest.mark.parametrize("count", [1, 40], ids=["second", "forty_first"])
@averagings.each(only=(*OVER_PARAMETERS, *OVER_LISTS))
def test_an_average_of_large_numbers_is_as_large_as_they_are(averaging, count, device):
    average = torch.full((2,), 40000.0, dtype=torch.float16, device=device)
    options = averaging.options()
    if "avg_fn" in options:
        average = options["avg_fn"](average, average.clone(), count)
    else:
        options["multi_avg_fn"]([average], [average.clone()], count)
    check.same(seen=average.tolist(), expected=[40000.0] * 2, source="the average of equal numbers")


def given(dtype, device):
    """Return an average and a model."""
    return tuple(torch.tensor(row, dtype=dtype, device=device) for row in ([8, -3], [4, 6]))


def check_new_average(averaging, dtype, device, seen):
    __tracebackhide__ = True
    expected = [averaging.rule(8, 4, 1), averaging.rule(-3, 6, 1)]
    check.close(
        seen=seen,
        expected=torch.tensor(expected, dtype=torch.float64, device=device).to(dtype),
        source=RULE,
        tolerance=STEPS,
    )


@claim("averaging-functions.unequal-lists-raise")
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64], ids=["float64", "int64"])
@averagings.each(only=OVER_LISTS)
def test_a_list_of_models_that_is_longer_is_an_error(averaging, dtype, device):
    average, model = given(dtype, device)
    with pytest.raises((RuntimeError, ValueError), match=r"same number|shorter|longer"):
        averaging.options()["multi_avg_fn"]([average], [model, model], 1)
