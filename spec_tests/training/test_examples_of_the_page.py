"""The examples of the documentation page of torch.optim, run as they are printed."""

import re
import warnings
from copy import deepcopy

import pytest
import torch
from torch import nn, optim
from torch.optim import lr_scheduler, swa_utils

from fixtures.assertions import check
from fixtures.catalogue.examples import examples
from fixtures.claims import claim

PAGE = examples("optim_page")
# What some releases say of every file that they write and read, of every profile, and of a missing package.
OF_OTHERS = re.compile("weights_only|TypedStorage|Profiler clears events|NumPy")
WRONG = "hook_for_a_new_layer"
# What the hooks on named parameters load is what this example saves.
SAVED_FIRST = {"hook_for_two_layers": ("saving_by_name",), "hook_by_name": ("saving_by_name",)}


class Layers(nn.Module):
    """The layers that the page speaks of, with a normalisation of which an average needs statistics."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.base, self.classifier = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.classifier(self.base(self.norm(x)))


def train(*_):
    """Fill the state of the optimizer that is given second: a step on gradients that differ."""
    optimizer = [*_, None][1]
    for group in getattr(optimizer, "param_groups", ()):
        for number, parameter in enumerate(group["params"]):
            parameter.grad = torch.full_like(parameter, 1.0 + number)
        optimizer.step()


def of_the_reader(path):
    """Return what the page takes for given: modules, a model, data, and two parameters."""
    torch.manual_seed(0)
    model = Layers()
    batch = (torch.rand(4, 3), torch.rand(4, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    return {
        **vars(lr_scheduler), **vars(swa_utils),
        "torch": torch, "optim": optim, "nn": nn, "deepcopy": deepcopy, "PATH": path,
        "model": model, "self": model, "swa_model": swa_utils.AveragedModel(model),
        "dataset": [batch], "loader": [batch], "loss_fn": nn.MSELoss(), "test_input": batch[0],
        "var1": nn.Parameter(torch.ones(1)), "var2": nn.Parameter(torch.ones(1)),
        "optimizer": optimizer, "scheduler": lr_scheduler.StepLR(optimizer, 30),
        "train": train, "validate": lambda *_: optimizer.step(),
    }  # fmt: skip


@pytest.fixture
def run(tmp_path, not_applicable):
    """Run examples of the page one after another, and return the names and warnings that they leave."""

    def run_each(*names):
        given = of_the_reader(tmp_path / "optimizer.pt")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for name in names:
                if why := PAGE[name].why_not_applicable(torch.__version__):
                    not_applicable(why)
                given.update(PAGE[name].run(given))
        return {
            **given,
            "warned": [text for w in caught if not OF_OTHERS.search(text := str(w.message))],
        }

    return run_each


@claim("examples.page-runs-without-a-warning")
@pytest.mark.parametrize("name", [name for name in PAGE if name not in (WRONG, "swa", "ema")])
def test_an_example_runs_to_its_end_without_a_warning(name, run):
    seen = run(*SAVED_FIRST.get(name, ()), name)["warned"]
    check.same(seen=seen, expected=[], source="nothing in the example is said to be wrong")


def options_of(optimizer, *names):
    """Return options of each group, with the number of its parameters."""
    groups = optimizer.param_groups
    return [[len(group["params"]), *(group[name] for name in names)] for group in groups]


@claim("examples.page-groups")
@pytest.mark.parametrize("name", ["rates_by_layer", "rates_by_named_layer"])
def test_each_layer_has_the_rate_that_the_page_says(name, run):
    check.same(
        seen=options_of(run(name)["optimizer"], "lr", "momentum"),
        expected=[[2, 1e-2, 0.9], [2, 1e-3, 0.9]],
        source="005-6",
    )


@claim("examples.page-groups")
def test_biases_are_not_decayed(run):
    check.same(
        seen=options_of(run("decay_without_biases")["optimizer"], "lr", "weight_decay"),
        expected=[[3, 1e-2, 1e-2], [3, 1e-2, 0]],
        source="005-7",
    )


@claim("examples.page-profile-has-its-range")
def test_the_range_of_the_hooks_stands_in_the_profile(run, capsys):
    names = run("profile_of_a_step")
    ranges = {row.key: row.count for row in names["profile"].key_averages()}
    check.same(
        seen=[ranges["optimizer.step"], "optimizer.step" in capsys.readouterr().out],
        expected=[1, True],
        source="one step, in one range, in the printed table",
    )
    names["optimizer"].step()
    check.same(seen=len(names["active_ranges"]), expected=0, source="the hooks were removed")


def momenta(names, optimizer, model):
    """Return the momentum of each parameter of a model, by name; None without one."""
    state = names[optimizer].state
    of = names[model].named_parameters()
    return {name: state[p].get("momentum_buffer") if p in state else None for name, p in of}


@claim("examples.page-copies-state-to-two-layers")
def test_both_layers_have_the_state_of_the_one_that_was_saved(run):
    names = run("saving_by_name", "hook_for_two_layers")
    saved = momenta(names, "optimizer", "model")
    check.same(
        seen=momenta(names, "optimizer2", "model2"),
        expected={f"fc{n}.{of}": saved[f"fc.{of}"] for n in (1, 2) for of in ("weight", "bias")},
        source="the state of the layer fc",
    )


@claim("examples.page-registers-another-hook")
def test_the_hook_of_the_example_before_knows_no_such_layer(run):
    with pytest.raises(KeyError, match=r"fc\.weight"):
        run("saving_by_name", "hook_for_two_layers", WRONG)


@claim("examples.page-hook-for-a-new-layer")
def test_the_hook_of_the_example_itself_gives_a_new_layer_no_state(run, tmp_path):
    hooks = {"adapt_state_dict_ids": "adapt_state_dict_missing_param"}
    (wrong, right), code = next(iter(hooks.items())), PAGE[WRONG].code
    given = of_the_reader(tmp_path / "optimizer.pt")
    run("saving_by_name")
    exec(code.replace(f"hook({wrong})", f"hook({right})"), given)  # noqa: S102 - torch's own page
    saved = momenta(given, "optimizer", "model")
    check.same(
        seen=momenta(given, "optimizer2", "model2"),
        expected={**saved, "bypass.weight": None},
        source="the state of the layer fc, and none for the new one",
    )


@claim("examples.page-hook-matches-names")
def test_state_goes_to_the_parameter_of_the_same_name(run):
    names = run("saving_by_name", "hook_by_name")
    model2 = names["OneLayerModel"]()
    reordered = optim.SGD(reversed([*model2.named_parameters()]), lr=0.5, momentum=0.5)
    reordered.register_load_state_dict_pre_hook(names["names_matching"])
    reordered.load_state_dict(torch.load(names["PATH"], weights_only=True))
    names.update(reordered=reordered, model2=model2)
    check.same(
        seen=[momenta(names, "reordered", "model2"), options_of(reordered, "lr", "momentum")],
        expected=[momenta(names, "optimizer", "model"), [[2, 0.01, 0.9]]],
        source="the state by name, and the options of the checkpoint",
    )


@claim("examples.page-averages-from-161")
def test_the_first_average_is_taken_after_epoch_161(run):
    names = run("swa")
    seen = [int(names["swa_model"].n_averaged), names["warned"]]
    check.same(seen=seen, expected=[300 - 161, []], source="epoch > 160, of the epochs 0 to 299")


@claim("examples.page-averages-every-step")
def test_every_step_is_averaged(run):
    names = run("ema")
    seen = [int(names["ema_model"].n_averaged), names["warned"]]
    check.same(seen=seen, expected=[300, []], source="one batch in each of 300 epochs")
