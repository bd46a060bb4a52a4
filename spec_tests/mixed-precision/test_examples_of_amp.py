"""The examples on mixed precision in torch's notes, run as they are printed."""

import pytest
import torch
from torch import nn, optim

from fixtures.assertions import check
from fixtures.catalogue.examples import examples
from fixtures.claims import claim

EXAMPLES = examples("amp_examples")
CHECKPOINT = "amp_checkpoint"
# Which of the three models an example trains.
ONE, TRAINS = [True, False, False], {"two_models": [False, True, True]}


def layer():
    """Return a layer, the same every time."""
    torch.manual_seed(0)
    return nn.Linear(3, 2)


class Net(nn.Linear):
    """A network that stays on the CPU where an example calls cuda()."""

    def __init__(self):
        super().__init__(3, 2)
        self.load_state_dict(layer().state_dict())

    def cuda(self):
        return self


def of_the_reader(*, enabled):
    """Return what the notes take for given; autocast and scaler are those of the CPU."""
    torch.manual_seed(1)
    models = [layer() for _ in range(3)]
    model, model0, model1 = models
    optimizer, optimizer0, optimizer1 = (optim.SGD(m.parameters(), lr=0.05) for m in models)
    return {
        "torch": torch, "optim": optim, "Net": Net,
        "autocast": lambda **_: torch.autocast("cpu", dtype=torch.bfloat16),
        "GradScaler": lambda: torch.amp.GradScaler(
            "cpu", init_scale=2.0**10, enabled=enabled
        ),
        "model": model, "model0": model0, "model1": model1,
        "optimizer": optimizer, "optimizer0": optimizer0, "optimizer1": optimizer1,
        "data": [(torch.rand(4, 3), torch.rand(4, 2)) for _ in range(4)],
        "epochs": range(2), "loss_fn": nn.MSELoss(), "max_norm": 0.125, "iters_to_accumulate": 2,
    }  # fmt: skip


def weights_after(name, *, enabled):
    """Run an example, and return the weights that it leaves."""
    names = EXAMPLES[name].run(of_the_reader(enabled=enabled))
    return [p.detach() for m in ("model", "model0", "model1") for p in names[m].parameters()]


@claim("amp-examples.train-as-without-a-scaler")
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != CHECKPOINT])
def test_an_example_trains_as_without_its_scaler(name):
    start, trained = layer().weight, weights_after(name, enabled=True)
    moved = [not torch.equal(weight, start) for weight in trained[::2]]
    check.same(
        seen=[moved, trained],
        expected=[TRAINS.get(name, ONE), weights_after(name, enabled=False)],
        source="the same lines with GradScaler(enabled=False)",
    )


@claim("amp-examples.checkpoint-goes-on")
def test_a_training_goes_on_from_the_checkpoint_bit_for_bit():
    names = EXAMPLES["typical"].run(of_the_reader(enabled=True))
    net, scaler = layer(), torch.amp.GradScaler("cpu", init_scale=4.0)
    opt = optim.SGD(net.parameters(), lr=1.0)
    saving, loading = EXAMPLES[CHECKPOINT].code.split("\n\n")
    exec(saving, names.update(net=names["model"], opt=names["optimizer"]) or names)  # noqa: S102
    resumed = {**names, "model": net, "net": net, "opt": opt, "optimizer": opt, "scaler": scaler}
    exec(loading, resumed)  # noqa: S102 - what the recipe prints
    loop = EXAMPLES["typical"].code.partition("scaler = GradScaler()\n")[2]
    for continued in (names, resumed):
        exec(loop, continued)  # noqa: S102 - what the notes print
    check.same(
        seen=[*net.parameters(), scaler.get_scale()],
        expected=[*names["model"].parameters(), names["scaler"].get_scale()],
        source="the training that was not interrupted",
    )
