"""States of an AveragedModel from an unusual moment or from something else."""

from copy import deepcopy

import pytest
import torch

from fixtures.assertions import check
from fixtures.catalogue import averagings
from fixtures.catalogue.averagings import OF_EACH_KIND, Net
from fixtures.claims import claim


def copies(averaged):
    """Return copies of all that an average holds."""
    return {key: entry.clone() for key, entry in averaged.state_dict().items()}


@claim("averaged-model.state-from-before-updates")
@averagings.each(only=OF_EACH_KIND)
def test_a_state_from_before_the_first_update_begins_anew(averaging, device):
    late, plain = (averaging.of(Net(device)) for _ in range(2))
    state = deepcopy(plain.state_dict())
    late.update_parameters(Net(device).at(1))
    late.update_parameters(Net(device).at(2))
    late.load_state_dict(state)
    for time in (3, 4):
        late.update_parameters(Net(device).at(time))
        plain.update_parameters(Net(device).at(time))
    check.same(seen=copies(late), expected=copies(plain), source="an average that loaded nothing")


@claim("averaged-model.state-of-another-rule")
@averagings.each(only=OF_EACH_KIND)
def test_a_state_of_another_rule_is_continued_by_the_own_one(averaging, device):
    seen, expected = {}, {}
    for other in averagings.AVERAGINGS:
        if other.name in OF_EACH_KIND and other.why_not_applicable() is None:
            saved = other.of(Net(device))
            saved.update_parameters(Net(device).at(1))
            by_loading, by_hand = averaging.of(Net(device)), averaging.of(Net(device).at(1))
            by_loading.load_state_dict(deepcopy(saved.state_dict()))
            by_hand.n_averaged.fill_(1)
            for averaged in (by_loading, by_hand):
                averaged.update_parameters(Net(device).at(2))
            seen[other.name], expected[other.name] = copies(by_loading), copies(by_hand)
    check.same(seen=seen, expected=expected, source="an average that began at the saved values")


@claim("averaged-model.refuses-states-of-others")
def test_the_state_of_something_else_is_refused_by_the_names_of_what_is_missing(device):
    net, parameter = Net(device), torch.ones(1, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    states = {
        "module": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 2).state_dict(),
        "scaler": {"scale": 2.0, "growth_factor": 2.0},
    }
    averaged, seen = torch.optim.swa_utils.AveragedModel(net), {}
    before = copies(averaged)
    for name, state in states.items():
        with pytest.raises(RuntimeError, match=r"Missing key.*n_averaged.*module.matrix") as caught:
            averaged.load_state_dict(state)
        seen[name] = [caught.type.__name__, copies(averaged)]
    expected = {name: ["RuntimeError", before] for name in states}
    check.same(seen=seen, expected=expected, source="the average before")


@claim("averaged-model.is-refused-by-the-model")
def test_the_model_refuses_the_state_of_its_average_and_takes_that_of_its_module(device):
    net = Net(device).at(1)
    averaged = torch.optim.swa_utils.AveragedModel(net)
    net.at(2)
    with pytest.raises(RuntimeError, match=r"Missing key.*matrix"):
        net.load_state_dict(averaged.state_dict())
    with pytest.raises(RuntimeError, match=r"Unexpected key.*n_averaged"):
        net.load_state_dict(averaged.state_dict())
    net.load_state_dict(averaged.module.state_dict())
    check.same(
        seen=dict(net.state_dict()),
        expected=dict(Net(device).at(1).state_dict()),
        source="the model when the average was made",
    )
