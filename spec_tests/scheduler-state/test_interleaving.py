"""A training with a scheduler that is saved and copied at any time, between anything else."""

from copy import deepcopy

import pytest
import torch
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fixtures.catalogue import optimizers
from fixtures.catalogue.compositions import COMPOSITIONS
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.catalogue.schedulers import SCHEDULES
from fixtures.claims import claim
from fixtures.runs import save_and_resume_machine
from fixtures.runs.save_and_resume_machine import Interleaving, from_a_file
from fixtures.runs.scheduler_state import (
    PLATEAU,
    can_be_copied,
    can_be_loaded_safely,
    standing,
    step,
)

pytestmark = [
    # torch 2.0 says so of the files that it writes and reads itself.
    pytest.mark.filterwarnings("ignore:TypedStorage is deprecated"),
    # A copy is warned of wrongly, which has a claim of its own.
    pytest.mark.filterwarnings("ignore:Seems like `optimizer.step"),
    pytest.mark.filterwarnings("ignore:The epoch parameter"),
]
SGD = Case(optimizers.by_name("SGD"), Preset("momentum", {"momentum": 0.9}))
ADAM = Case(optimizers.by_name("Adam"), Preset("default", {}))
ONE_OF_EACH = {s.scheduler: s for s in SCHEDULES if s.has("is_of_lr_scheduler")}.values()
CYCLES = [s for s in ONE_OF_EACH if s.has("cycles_the_momentum")]
COMPOSED = [c for c in COMPOSITIONS if c.preset in ("warm_up", "restarts", "of_a_sequence")]
CASES = [
    *(pytest.param(s, SGD, id=s.id) for s in (*ONE_OF_EACH, *COMPOSED, PLATEAU)),
    *(pytest.param(s, ADAM, id=f"{s.scheduler.lower()}.beta1") for s in CYCLES),
]


class Scheduled(Interleaving):
    """Each of the two trainings has a scheduler, which is saved, loaded and copied with the optimizer.

    Attributes:
        schedule: The schedule.
    """

    schedule = None

    def begin(self):
        for training in self.trainings:
            training.scheduler = self.schedule.build(training.optimizer)
            training.epochs = 0

    @precondition(lambda self: self.saved.epochs < self.schedule.steps)
    @rule(metric=st.sampled_from((0.5, 1.0, 2.0)))
    def step_the_scheduler(self, metric):
        for training in self.trainings:
            step(training.scheduler, metric)
            training.epochs += 1

    @rule()
    def load_its_own_scheduler_state(self):
        self.saved.scheduler.load_state_dict(deepcopy(self.saved.scheduler.state_dict()))

    def built_before_loading(self, optimizer, copy):
        state = self.saved.scheduler.state_dict()
        if copy is from_a_file and not can_be_loaded_safely(state):
            copy = deepcopy
        scheduler = self.schedule.build(optimizer)
        scheduler.load_state_dict(copy(state))
        return (scheduler,)

    def besides(self):
        return (self.saved.scheduler,)

    def put_in_place(self, optimizer, parameters, scheduler):
        super().put_in_place(optimizer, parameters)
        self.saved.scheduler = scheduler

    def can_be_copied(self):
        return can_be_copied(self.saved.scheduler)

    def takes_another_group(self):
        return self.schedule.has("multiplies_the_rate") and super().takes_another_group()

    def everything(self, training):
        return [super().everything(training), standing(training.optimizer, training.scheduler)]


@claim("scheduler-state.resume-at-any-time")
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # the rules are drawn
@pytest.mark.parametrize("schedule, case", CASES)
def test_a_scheduled_training_that_is_saved_at_any_time_goes_on_as_if_it_were_not(schedule, case):
    save_and_resume_machine.run(
        Scheduled, examples=10, length=8, case=case, device=torch.device("cpu"), schedule=schedule
    )
