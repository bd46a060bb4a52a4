"""The examples on optimizers in torch's tutorials and recipes, run as they are printed."""

import math
import warnings

import pytest
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue.examples import examples
from fixtures.claims import claim

EXAMPLES = examples("tutorials")
# Of its 2000 rounds a hundred are run.
LONG = "polynomial"
RATES = ("0.0047", "0.0060", "0.0073", "0.0087", "0.0100")


class Net(nn.Sequential):
    """A small network in the place of the convolutional ones of the recipes."""

    def __init__(self):
        super().__init__(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def train(net, optimizer):
    """Take two steps, so that there is a state."""
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.ones(1, 3)).pow(2).sum().backward()
        optimizer.step()


def of_the_reader():
    """Return what the tutorials take for given: modules, networks, and data."""
    torch.manual_seed(0)
    net, one, other = Net(), Net(), Net()
    samples = TensorDataset(torch.rand(8, 3), torch.tensor([0, 1] * 4))
    loader = DataLoader(samples, batch_size=4)
    return {
        "torch": torch, "nn": nn, "optim": optim, "math": math, "Net": Net, "train": train,
        "net": net, "netA": one, "netB": other, "model": net, "fake_image": torch.rand(1, 3),
        "opt": optim.SGD(net.parameters(), lr=0.001),
        "optimizer": optim.SGD(net.parameters(), lr=0.001, momentum=0.9),
        "criterion": nn.CrossEntropyLoss(), "learning_rate": 1e-3, "batch_size": 4,
        "trainloader": loader, "train_dataloader": loader, "test_dataloader": loader,
    }  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch, not_applicable):
    """Run an example in a folder of its own, and return the names that it leaves."""
    monkeypatch.chdir(tmp_path)

    def run_one(name, **given):
        if why := EXAMPLES[name].why_not_applicable(torch.__version__):
            not_applicable(why)
        return EXAMPLES[name].run({**of_the_reader(), **given})

    return run_one


@claim("examples.tutorials-run-without-a-warning")
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != LONG])
def test_an_example_runs_to_its_end_without_a_warning(name, run):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(name)
    seen = [str(w.message) for w in caught if "NumPy" not in str(w.message)]
    seen = [text for text in seen if "weights_only" not in text and "TypedStorage" not in text]
    check.same(seen=seen, expected=[], source="nothing in the example is said to be wrong")


@claim("examples.step-in-backward")
def test_optimizers_in_hooks_train_as_one_after_backward(run):
    given = of_the_reader()
    model = run("step_in_backward")["model"]
    plain, adam = given["model"], optim.Adam(given["model"].parameters(), foreach=False)
    for _ in range(3):
        plain(given["fake_image"]).sum().backward()
        adam.step()
        adam.zero_grad()
    check.same(
        seen=[[p.detach(), p.grad] for p in model.parameters()],
        expected=[[p.detach(), None] for p in plain.parameters()],
        source="one Adam that steps after backward(), and no gradients",
    )


@claim("examples.rates-of-the-compiled-step")
def test_a_rate_in_a_tensor_follows_the_printed_line(run):
    names, seen = run("rates_of_the_compiled_step"), []
    for _ in range(5):
        names["fn"]()
        seen.append(float(names["opt"].param_groups[0]["lr"]))
    check.printed(
        seen=seen,
        exact=[0.01 * (1 / 3 + 2 / 3 * t / 5) for t in range(1, 6)],
        expected=RATES,
        source="008-3",
        tolerance=STEPS,
    )


@claim("examples.general-checkpoint-goes-on")
def test_the_loaded_model_goes_on_as_the_one_that_was_saved(run):
    given = of_the_reader()
    train(given["net"], given["optimizer"])
    names = run("general_checkpoint", net=given["net"], optimizer=given["optimizer"])
    loaded = [names["epoch"], names["loss"], names["model"].training]
    for net, optimizer in (
        (given["net"], given["optimizer"]),
        (names["model"], names["optimizer"]),
    ):
        train(net, optimizer)
    check.same(
        seen=[loaded, names["model"].state_dict()],
        expected=[[5, 0.4, True], given["net"].state_dict()],
        source="what was saved, and two more steps of the network that was saved",
    )


@claim("examples.several-models-lose-their-state")
def test_the_new_optimizers_of_several_models_have_no_state(run):
    names = run("several_models")
    new = [len(names[f"optimModel{x}"].state) for x in "AB"]
    old = [len(names[f"optimizer{x}"].state) for x in "AB"]
    moves = [names[f"optimizer{x}"].param_groups[0]["params"] for x in "AB"]
    own = [[*names[f"net{x}"].parameters()] for x in "AB"]
    same = [all(map(lambda a, b: a is b, *pair)) for pair in zip(moves, own, strict=True)]
    check.same(
        seen=[new, old, same],
        expected=[[0, 0], [4, 4], [True, True]],
        source="the states are loaded into the optimizers of the networks that were saved",
    )


@claim("examples.polynomial-nears-the-sine")
def test_the_polynomial_comes_nearer_to_the_sine():
    example, names = EXAMPLES[LONG], of_the_reader()
    exec(example.code.replace("t in range(2000)", "t in range(100)"), names)  # noqa: S102 - torch's
    with torch.no_grad():
        last = names["loss_fn"](names["model"](names["xx"]), names["y"])
    torch.manual_seed(0)
    before = of_the_reader() and nn.Linear(3, 1)
    first = names["loss_fn"](before(names["xx"]).flatten(), names["y"])
    assert last < first, f"the loss went from {float(first)} to {float(last)}"
