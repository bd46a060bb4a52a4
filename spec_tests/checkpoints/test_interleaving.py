"""Saving and copying at any time, in any order, between anything else that an optimizer does."""

import pickle
from copy import deepcopy
from io import BytesIO

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from torch.nn import Parameter

from fixtures import check
from fixtures.catalogue import optimizers
from fixtures.checkpoints.trainings import fresh
from fixtures.claims import claim
from fixtures.training import start

# torch 2.0 says so of the files that it writes and reads itself.
pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

EXAMPLES, LENGTH, MOST_GROUPS = 10, 6, 3
# LBFGS takes one group alone, and Adagrad could not step a later one until 2.12: each has a claim.
STEP_NO_MORE_GROUPS = ("LBFGS", "Adagrad")


class Interleaving(RuleBasedStateMachine):
    """Two trainings that do the same, of which one is saved and copied as it goes.

    Attributes:
        case: The optimizer and preset.
        device: Where both train.
    """

    case, device = None, None

    def __init__(self):
        super().__init__()
        self.saved, self.unsaved = (fresh(self.case, self.device) for _ in range(2))
        self.both = (self.saved, self.unsaved)
        # With state in two groups from the start, what is lost of it shows after fewer rules.
        if self.case.optimizer.name != "LBFGS":
            self.build_with_two_groups()
        self.train(steps=1)

    @rule(steps=st.integers(1, 2))
    def train(self, steps):
        for training in self.both:
            training.run(steps)

    @rule()
    def add_to_the_gradients(self):
        for training in self.both:
            training.backward()

    @rule()
    def step_on_the_gradients_as_they_are(self):
        for training in self.both:
            training.step()

    @rule(set_to_none=st.booleans())
    def clear_the_gradients(self, set_to_none):
        for training in self.both:
            training.optimizer.zero_grad(set_to_none=set_to_none)

    @rule(rate=st.sampled_from((0.5, 0.01, 0.001)), group=st.integers(0, MOST_GROUPS - 1))
    def change_a_rate(self, rate, group):
        for training in self.both:
            groups = training.optimizer.param_groups
            groups[group % len(groups)]["lr"] = rate

    @precondition(lambda self: self.takes_another_group())
    @rule(rate=st.sampled_from((0.25, 0.02)))
    def add_a_group(self, rate):
        for training in self.both:
            more = start(self.case, self.device)
            training.optimizer.add_param_group({"params": more, "lr": rate})
            training.parameters = [*training.parameters, *more]

    @rule(through_a_file=st.booleans())
    def load_into_a_fresh_optimizer(self, through_a_file):
        state_dict = self.saved.optimizer.state_dict()
        state_dict = from_a_file(state_dict) if through_a_file else deepcopy(state_dict)
        parameters = [Parameter(parameter.detach().clone()) for parameter in self.saved.parameters]
        numbers = [group["params"] for group in state_dict["param_groups"]]
        groups = [{"params": [parameters[number] for number in group]} for group in numbers]
        optimizer = self.case.build(groups, lr=0.75)
        optimizer.load_state_dict(state_dict)
        self.put_in_place(optimizer, parameters)

    @rule()
    def load_its_own_state_dict(self):
        self.saved.optimizer.load_state_dict(self.saved.optimizer.state_dict())

    @rule()
    def be_refused_a_checkpoint_of_more_groups(self):
        state_dict = deepcopy(self.saved.optimizer.state_dict())
        more = {
            **state_dict,
            "state": {},
            "param_groups": [*state_dict["param_groups"], {"params": []}],
        }
        with pytest.raises(ValueError, match="number of parameter groups"):
            self.saved.optimizer.load_state_dict(more)

    @precondition(lambda self: self.can_be_copied())
    @rule(copy=st.sampled_from((deepcopy, lambda pair: pickle.loads(pickle.dumps(pair)))))  # noqa: S301
    def copy_as_a_whole(self, copy):
        self.put_in_place(*copy((self.saved.optimizer, self.saved.parameters)))

    @invariant()
    def the_two_agree(self):
        check.same(
            seen=everything(self.saved),
            expected=everything(self.unsaved),
            source="the training that was never saved",
        )

    def build_with_two_groups(self):
        for training in self.both:
            first, second = training.parameters
            groups = [{"params": [first]}, {"params": [second], "lr": 0.25}]
            training.optimizer = self.case.build(groups)

    def takes_another_group(self):
        """Whether a group can be added and stepped."""
        return (
            self.case.optimizer.name not in STEP_NO_MORE_GROUPS and len(self.groups()) < MOST_GROUPS
        )

    def can_be_copied(self):
        """Whether a copy can step: that of LBFGS cannot, which has a claim of its own."""
        return self.case.optimizer.name != "LBFGS"

    def groups(self):
        return self.saved.optimizer.param_groups

    def put_in_place(self, optimizer, parameters):
        """Go on with another optimizer over other parameters, which get the gradients of the old."""
        for new, old in zip(parameters, self.saved.parameters, strict=True):
            new.grad = None if old.grad is None else old.grad.clone()
        self.saved.optimizer, self.saved.parameters = optimizer, parameters


def from_a_file(state_dict):
    """Save and load with the weights only."""
    file = BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def everything(training):
    """Return the parameters and what of the state_dict the steps depend on."""
    state_dict = training.optimizer.state_dict()
    options = [
        {
            key: group[key]
            for key in (*training.case.optimizer.options.keys() & group.keys(), "params")
        }
        for group in state_dict["param_groups"]
    ]
    return [training.values(), training.gradients(), state_dict["state"], options]


@claim("checkpoints.resume-at-any-time")
@optimizers.each()
def test_a_training_that_is_saved_at_any_time_goes_on_as_if_it_were_not(case, device):
    machine = type("Interleaving", (Interleaving,), {"case": case, "device": device})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=LENGTH),
    )
