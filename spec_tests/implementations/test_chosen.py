"""Which implementation a step takes."""

import pytest
import torch

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.dispatched_operators import kernels_of_a_step
from fixtures.runs.training import Training

ONE_BY_ONE, FOREACH, FUSED = "one by one", "foreach", "fused"


def check_kernels(case, device, expected, **options):
    __tracebackhide__ = True
    training = Training(case, device, **options)
    training.run(1)
    seen = kernels_of_a_step(training.optimizer)
    assert seen == expected, f"the kernels of a step are {seen}, not {expected}"


@claim("chosen.loop-on-the-cpu")
@optimizers.each(but="needs_closure")
def test_parameters_on_the_cpu_are_stepped_one_by_one(case, device):
    check_kernels(case, device, ONE_BY_ONE)


@claim("chosen-on-the-host.foreach")
@optimizers.each(which="takes_lists_by_default")
def test_parameters_on_the_host_as_an_accelerator_are_stepped_by_lists(
    case, the_cpu_as_accelerator
):
    check_kernels(case, the_cpu_as_accelerator, FOREACH)


@claim("chosen-on-the-host.loop-for-tensor-lr-of-adam")
@optimizers.each(only=("Adam", "AdamW"))
def test_a_tensor_for_adam_s_rate_declines_lists(case, the_cpu_as_accelerator):
    check_kernels(case, the_cpu_as_accelerator, ONE_BY_ONE, lr=torch.tensor(0.01))


@claim("chosen-on-the-host.loop-if-differentiable")
@optimizers.each(adding={"differentiable": True})
def test_steps_on_the_host_as_an_accelerator_that_are_differentiated_are_taken_one_by_one(
    case, the_cpu_as_accelerator
):
    check_differentiable(case, the_cpu_as_accelerator)


@claim("chosen.loop-if-differentiable")
@optimizers.each(adding={"differentiable": True})
def test_steps_that_are_differentiated_are_taken_one_by_one(case, device):
    check_differentiable(case, device)


def check_differentiable(case, device):
    __tracebackhide__ = True
    parameter = torch.ones(2, device=device, requires_grad=True).clone()
    parameter.retain_grad()
    optimizer = case.build([parameter])
    parameter.grad = torch.ones(2, device=device)
    seen = kernels_of_a_step(optimizer)
    assert seen == ONE_BY_ONE, f"the kernels of a step are {seen}"


class OwnTensor(torch.Tensor):
    """A class of tensors that torch does not know."""


@claim("chosen.loop-for-subclasses")
@optimizers.each(which="takes_lists_by_default")
def test_parameters_of_a_class_of_their_own_are_stepped_one_by_one(case, device):
    check_own_class(case, device)


@claim("chosen-on-the-host.loop-for-subclasses")
@optimizers.each(which="takes_lists_by_default")
def test_parameters_of_a_class_of_their_own_on_the_host_are_stepped_one_by_one(
    case, the_cpu_as_accelerator
):
    check_own_class(case, the_cpu_as_accelerator)


def check_own_class(case, device):
    __tracebackhide__ = True
    plain = torch.ones(2, device=device)
    parameter = plain.as_subclass(OwnTensor).requires_grad_()
    parameter.grad = torch.ones(2, device=device)
    seen = kernels_of_a_step(case.build([parameter]))
    assert seen == ONE_BY_ONE, f"the kernels of a step are {seen}"


@claim("chosen.loop-if-foreach-is-false")
@optimizers.each(adding={"foreach": False})
def test_foreach_can_be_declined(case, device):
    check_kernels(case, device, ONE_BY_ONE)


@claim("chosen.loop-if-fused-is-false")
@optimizers.each(adding={"fused": False})
def test_declining_fused_declines_foreach_too(case, device):
    check_kernels(case, device, ONE_BY_ONE)


@claim("chosen.foreach-if-asked-for")
@optimizers.each(adding={"foreach": True})
def test_foreach_is_taken_if_asked_for(case, device):
    check_kernels(case, device, FOREACH)


@claim("chosen.fused-if-asked-for")
@optimizers.each(taking=("fused",))
def test_fused_is_taken_if_asked_for(case, device):
    check_kernels(case, device, FUSED)


# The table of the page on torch.optim.
BY_LISTS = ("Adadelta", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop")
BY_LISTS_AND_FUSED = ("Adagrad", "Adam", "AdamW", "SGD")
BY_NEITHER = ("SparseAdam", "LBFGS", "Muon")


@claim("chosen.from-those-the-page-lists")
@optimizers.each(only=BY_LISTS + BY_LISTS_AND_FUSED)
def test_an_optimizer_steps_by_lists_where_the_table_says_so(case, device):
    check_kernels(case, device, FOREACH, foreach=True)


@claim("chosen.from-those-the-page-lists")
@optimizers.each(only=BY_LISTS_AND_FUSED)
def test_an_optimizer_is_fused_where_the_table_says_so(case, device):
    check_kernels(case, device, FUSED, fused=True)


@claim("chosen.from-those-the-page-lists")
@optimizers.each(only=BY_LISTS + BY_NEITHER)
def test_an_optimizer_is_not_fused_where_the_table_says_so(case, device):
    check_has_no(case, device, "fused")


@claim("chosen.from-those-the-page-lists")
@optimizers.each(only=BY_NEITHER)
def test_an_optimizer_has_no_foreach_where_the_table_says_so(case, device):
    check_has_no(case, device, "foreach")


def check_has_no(case, device, option):
    __tracebackhide__ = True
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{option}'"):
        Training(case, device, **{option: True})


@claim("chosen.adafactor-has-foreach")
@optimizers.each(only=("Adafactor",))
def test_adafactor_steps_by_lists_too(case, device):
    check_kernels(case, device, FOREACH, foreach=True)


@claim("chosen.adagrad-fused-on-cuda")
@optimizers.each(only=("Adagrad",))
def test_adagrad_is_fused_on_cuda_too(case, device):
    check_kernels(case, device, FUSED, fused=True)
