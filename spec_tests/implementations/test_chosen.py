"""Which implementation a step takes."""

from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.operators import kernels_of_a_step
from fixtures.training import Training

ONE_BY_ONE, FOREACH, FUSED = "one by one", "foreach", "fused"


def check_kernels(case, device, expected):
    __tracebackhide__ = True
    training = Training(case, device)
    training.run(1)
    seen = kernels_of_a_step(training.optimizer)
    assert seen == expected, f"the kernels of a step are {seen}, not {expected}"


@claim("chosen.a-loop-on-the-cpu")
@optimizers.each(but=("LBFGS",))
def test_parameters_on_the_cpu_are_stepped_one_by_one(case, device):
    check_kernels(case, device, ONE_BY_ONE)


@claim("chosen.a-loop-if-foreach-is-false")
@optimizers.each(adding={"foreach": False})
def test_foreach_can_be_declined(case, device):
    check_kernels(case, device, ONE_BY_ONE)


@claim("chosen.foreach-if-asked-for")
@optimizers.each(adding={"foreach": True}, but=("Muon",))
def test_foreach_is_taken_if_asked_for(case, device):
    check_kernels(case, device, FOREACH)


@claim("chosen.fused-if-asked-for")
@optimizers.each(adding={"fused": True})
def test_fused_is_taken_if_asked_for(case, device):
    check_kernels(case, device, FUSED)
