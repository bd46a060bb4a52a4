"""swap_in_optimizer_params_and_state() with names, with frozen parameters, and while a step is traced."""

from copy import deepcopy

import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.saved_training import everything, trained
from fixtures.runs.training import Training

# Optimizers whose steps read no number from their state.
TRACED = [
    *(
        Case(optimizers.by_name(name), Preset("default", {}))
        for name in ("Adadelta", "RMSprop", "Rprop")
    ),
    Case(optimizers.by_name("SGD"), Preset("momentum", {"momentum": 0.5})),
]
OF_EACH_WITH_STATE = optimizers.each(which="keeps_state", but="keeps_a_parameter_list")


def swap_in(optimizer, parameters, state_dict):
    """Have an optimizer work on these parameters and this state, as numbered or named in a dict."""
    return torch.optim.swap_in_optimizer_params_and_state(optimizer, parameters, state_dict)


def named(case, device, names, steps):
    """Return a training over named parameters, after so many steps."""
    training = Training(case, device)
    training.optimizer = case.build([*zip(names, training.parameters, strict=True)])
    training.run(steps)
    return training


@claim("swapping-in.brings-names-along")
@OF_EACH_WITH_STATE
def test_the_names_are_those_of_the_guest_for_a_while(case, device):
    training, guest = (named(case, device, n, 1) for n in (["a", "b"], ["c", "d"]))
    group = training.optimizer.param_groups[0]
    parameters = dict(zip(["c", "d"], guest.parameters, strict=True))
    with swap_in(training.optimizer, parameters, guest.optimizer.state_dict()):
        during = group["param_names"]
    check.same(
        seen=[during, group["param_names"]],
        expected=[["c", "d"], ["a", "b"]],
        source="the names in the state_dict of the guest, and its own",
    )


def half_frozen(case, device, steps):
    """Return a training of which the second parameter is frozen from the start."""
    training = Training(case, device)
    training.parameters[1].requires_grad_(requires_grad=False)
    training.run(steps)
    return training


@claim("swapping-in.leaves-frozen-ones-without-state")
@optimizers.each(
    which="keeps_state", but=("keeps_a_parameter_list", "keeps_state_from_construction")
)
def test_a_state_without_frozen_parameters_stays_without(case, device):
    training, guest, alone = (half_frozen(case, device, steps) for steps in (1, 2, 3))
    before, state_dict = everything(training), guest.optimizer.state_dict()
    own, guest.optimizer = guest.optimizer, training.optimizer
    with swap_in(training.optimizer, dict(enumerate(guest.parameters)), state_dict):
        guest.run(1)
    guest.optimizer = own
    check.same(
        seen=[guest.values(), sorted(state_dict["state"]), everything(training)],
        expected=[alone.values(), [0], before],
        source="a step of the guest's own; the state of one parameter; the optimizer before",
    )


def stepped(optimizer):
    """Return a function that takes a step with gradients of one, as make_fx() traces it."""

    def step(parameters, state_dict):
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        with swap_in(optimizer, dict(enumerate(parameters)), state_dict):
            optimizer.step()
        return parameters, state_dict["state"]

    return step


def copies(training):
    """Return parameters and a state_dict equal to those of a training, for a step of their own."""
    parameters = [p.detach().clone().requires_grad_() for p in training.parameters]
    return parameters, deepcopy(training.optimizer.state_dict())


@claim("swapping-in.can-be-traced")
@optimizers.each_of(TRACED)
def test_a_traced_step_is_replayed(case):
    from torch.fx.experimental.proxy_tensor import make_fx

    training, guest = trained(case, steps=1), trained(case, steps=2)
    before, step = everything(training), stepped(training.optimizer)
    traced = make_fx(step)(*copies(guest))
    guest.run(1)
    with torch.no_grad():
        replayed = traced(*copies(guest))
    check.same(seen=everything(training), expected=before, source="the optimizer before")
    check.close(
        seen=[*replayed],
        expected=[*step(*copies(guest))],
        source="a step from that state that is not traced",
        tolerance=STEPS,
    )
