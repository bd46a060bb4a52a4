"""What a training is read to use, without running it, and which claims and cases concern it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from fixtures.training_use import subjects
from fixtures.training_use.concerns import Concerns
from fixtures.training_use.names import kinds
from fixtures.training_use.reading import ForError, read_training
from fixtures.training_use.training import UNREAD, Training
from self_tests.support.forked_cases import ROOT

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Call it with a program to get its file."""

    def written(program: str) -> Path:
        path = tmp_path / "train.py"
        path.write_text(dedent(program), encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize(
    "program, understood",
    [
        pytest.param("import torch\ntorch.optim.AdamW(p, lr=0.1, fused=True)",
                     ["AdamW(lr=0.1, fused=True)"], id="full_name"),
        pytest.param("import torch.optim as optim\noptim.SGD(p, 0.1, 0.9, nesterov=True)",
                     ["SGD(lr=0.1, momentum=0.9, nesterov=True)"], id="by_place"),
        pytest.param("from torch import optim as o\no.lr_scheduler.StepLR(x, 5)",
                     ["StepLR(step_size=5)"], id="module_of_a_module"),
        pytest.param("from torch.optim import AdamW as A\nA(p, amsgrad=True)",
                     ["AdamW(amsgrad=True)"], id="alias"),
        pytest.param("from torch.optim.adamw import AdamW\nAdamW(p)", ["AdamW"], id="defining_module"),
        pytest.param("from torch.optim import *\nAdamW(p, fused=True)\nprint(p)",
                     ["AdamW(fused=True)"], id="star"),
        pytest.param("import torch\ngetattr(torch.optim, 'RAdam')(p, foreach=True)",
                     ["RAdam(foreach=True)"], id="getattr_of_a_literal"),
        pytest.param("from torch.cuda.amp import GradScaler\ns = GradScaler(enabled=False)",
                     ["GradScaler(enabled=False)"], id="older_module"),
        pytest.param("from torch import nn\nnn.utils.clip_grad_norm_(p, 1.0)",
                     ["clip_grad_norm_"], id="clipping"),
        pytest.param("import torch\ntorch.optim.swa_utils.AveragedModel(m, use_buffers=True)",
                     ["AveragedModel(use_buffers=True)"], id="averaging"),
        pytest.param("from torch.optim import AdamW", ["AdamW"], id="import_alone"),
        pytest.param("import torch\nAll = {'a': torch.optim.Adam}", ["Adam"], id="not_called"),
        pytest.param("import torch\nf = torch.optim.SGD([{'params': p, 'momentum': .9}], lr=1)",
                     ["SGD(lr=1, …)"], id="options_of_a_group"),
        pytest.param("import torch\ntorch.optim.AdamW(p, **{'fused': True})",
                     ["AdamW(fused=True)"], id="literal_keywords"),
        pytest.param("import torch\ntorch.optim.AdamW(p, fused=f)\ntorch.optim.AdamW(p, lr=1.0)",
                     ["AdamW", "AdamW(lr=1.0)"], id="twice"),
    ],
)  # fmt: skip
def test_a_use_is_read_with_its_options(write: Write, program: str, understood: list[str]) -> None:
    assert read_training(str(write(program))).understood() == understood


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("def f(opt: torch.optim.SGD) -> torch.optim.Adam:\n    x: torch.optim.ASGD = 1",
                     id="annotation"),
        pytest.param("isinstance(x, torch.optim.SGD)", id="isinstance"),
        pytest.param("class Mine(torch.optim.Optimizer): pass", id="base_class"),
        pytest.param("x.optim.SGD(p)", id="other_object"),
        pytest.param("from .optim import SGD\nSGD(p)", id="relative"),
        pytest.param("from apex.optimizers import FusedAdam\nFusedAdam(p)", id="other_package"),
    ],
)  # fmt: skip
def test_what_is_no_use_is_not_counted(write: Write, program: str) -> None:
    read = read_training(str(write(f"import torch\n{program}\ntorch.optim.Rprop(p)")))
    assert read.names == ("Rprop",)


@pytest.mark.parametrize(
    "program, untold",
    [
        pytest.param("getattr(torch.optim, name)(p)",
                     "train.py:2: getattr(torch.optim, …) chooses by a text: every optimizer counts",
                     id="text"),
        pytest.param("make(torch.optim.lr_scheduler)",
                     "train.py:2: torch.optim.lr_scheduler is passed on whole: every scheduler counts",
                     id="module"),
        pytest.param("torch.optim.SGD(p, **options)",
                     "train.py:2: SGD takes options from elsewhere: all of them count", id="keywords"),
        pytest.param("torch.optim.SGD(p, *options)",
                     "train.py:2: SGD takes options from elsewhere: all of them count", id="arguments"),
        pytest.param("torch.optim.AdmW(p); torch.optim.SGD(p)",
                     "did you mean 'AdamW'?", id="no_such_name"),
        pytest.param("torch.optim.AdamW(p, fusd=True)",
                     "train.py:2: AdamW takes no option fusd: did you mean 'fused'?", id="no_such_option"),
        pytest.param("torch.optim.SGD(p, colour=1)",
                     "train.py:2: SGD takes no option colour: it takes lr, momentum,", id="no_such_at_all"),
        pytest.param("torch.optim.lr_scheduler.StepLR(o, 1)", "no optimizer is seen to be built",
                     id="no_optimizer"),
        pytest.param("from torch.optim import *\nSGD(p)", "train.py: 'from torch.optim import *'", id="star"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said(write: Write, program: str, untold: str) -> None:
    read = read_training(str(write(f"import torch\n{program}")))
    assert [line for line in read.untold if untold in line]


def test_an_option_that_is_no_literal_has_any_value(write: Write) -> None:
    program = "import torch\ntorch.optim.AdamW(p, lr=args.lr, fused=True)"
    (use,) = read_training(str(write(program))).uses
    assert [use.option(name) for name in ("lr", "fused", "foreach")] == [UNREAD, True, None]


def test_an_option_that_torch_does_not_have_leaves_the_others_open(write: Write) -> None:
    (use,) = read_training(str(write("import torch\ntorch.optim.AdamW(p, fusd=True)"))).uses
    assert use.option("fused") is UNREAD


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(
            "torch.optim.lr_scheduler.StepLR(o, 1, verbose=True)", id="of_an_older_release"
        ),
        pytest.param("torch.optim.Muon(p, ns_steps=5)", id="of_a_newer_one"),
        pytest.param("torch.amp.GradScaler(device='cuda', colour=1)", id="not_of_torch_optim"),
        pytest.param("torch.optim.SGD([{'params': p, 'name': 'head'}])", id="key_of_a_group"),
    ],
)
def test_an_option_that_some_release_takes_is_known(write: Write, use: str) -> None:
    read = read_training(str(write(f"import torch\n{use}")))
    assert [line for line in read.untold if "takes no option" in line] == []


def test_a_folder_is_all_of_its_files(tmp_path: Path) -> None:
    for name, program in {
        "a.py": "import torch\ntorch.optim.SGD(p)",
        "deep/b.py": "from torch.optim.lr_scheduler import StepLR\nStepLR(o, 1)",
        "deep/c.py": "def (",
        ".venv/d.py": "import torch\ntorch.optim.Adam(p)",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(program, encoding="utf-8")
    read = read_training(str(tmp_path))
    assert read.names == ("SGD", "StepLR")
    assert [line for line in read.untold if "c.py:1: is no Python" in line]


def test_names_and_options_are_taken_from_the_command_line() -> None:
    read = read_training(
        "AdamW(fused=True), torch.optim.lr_scheduler.OneCycleLR,torch.amp.GradScaler"
    )
    assert read.understood() == ["AdamW(fused=True)", "OneCycleLR", "GradScaler"]
    assert [use.option("foreach") for use in read.uses] == [None, UNREAD, UNREAD]


@pytest.mark.parametrize(
    "asked, words",
    [
        pytest.param("AdmW", "did you mean 'AdamW'?", id="name"),
        pytest.param("adamw", "did you mean 'AdamW'?", id="case"),
        pytest.param("torch.optim.OneCycleLRs", "did you mean 'OneCycleLR'?", id="full_name"),
        pytest.param("Xyzzy", "there are", id="nothing_near"),
        pytest.param("AdamW(fusd=True)", "AdamW takes no option fusd: did you mean 'fused'?", id="option"),
        pytest.param("nope.py", "nope.py: no such file or folder", id="no_file"),
        pytest.param("AdamW(", "a parenthesis is not closed", id="parenthesis"),
        pytest.param("AdamW,,SGD", "something is missing beside a comma", id="comma"),
        pytest.param("", "something is missing beside a comma", id="nothing"),
        pytest.param("Adam W", "neither a name, nor a file or folder", id="words"),
        pytest.param("{tmp}/broken.py", "broken.py:1: is no Python", id="no_python"),
        pytest.param("{tmp}/book.ipynb", "a notebook is not read", id="notebook"),
        pytest.param("{tmp}/null.py", "is no Python", id="null"),
        pytest.param("{tmp}/other.py", "nothing of torch.optim, torch.amp or torch.nn.utils", id="no_use"),
        pytest.param("{tmp}/empty", "no Python file is in this folder", id="empty_folder"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(tmp_path: Path, asked: str, words: str) -> None:
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    (tmp_path / "book.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "null.py").write_bytes(b"x = '\0'")
    (tmp_path / "other.py").write_text("print(1)", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ForError) as caught:
        read_training(asked.format(tmp=tmp_path))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_training_is_never_run(write: Write, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    read_training(str(write(f"import torch\nopen({str(mark)!r}, 'w')\ntorch.optim.SGD(p)")))
    assert not mark.exists()


def test_reading_needs_no_torch(write: Write) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; from fixtures.training_use.reading import read_training; "
        "print(read_training(sys.argv[1]).named())"
    )
    path = write("import torch\ntorch.optim.SGD(p)")
    done = subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert (done.stdout, done.stderr) == ("SGD\n", "")


def test_every_kind_of_name_is_known() -> None:
    known = [kinds()[name] for name in ("AdamW", "SWALR", "ReduceLROnPlateau", "AveragedModel")]
    assert known == ["optimizer", "scheduler", "scheduler", "other"]


@pytest.mark.parametrize(
    "api, sentence, names",
    [
        pytest.param(["Adam(lr)", "AdamW(lr)"], "Both do it.", "Adam AdamW", id="cited"),
        pytest.param([], "SGD without `lr` does it.", "SGD", id="said"),
        pytest.param([], "An optimizer does it.", "Optimizer", id="an_optimizer"),
        pytest.param(["Optimizer.step"], "It does it.", "Optimizer", id="base_cited"),
        pytest.param(["Optimizer.state_dict"], "`step` of Adam and SGD is a tensor.", "Adam SGD",
                     id="these_are_meant"),
        pytest.param([], "Every optimizer except LBFGS does it.", "Optimizer", id="exception"),
        pytest.param(["LRScheduler.step"], "A scheduler does it.", "LRScheduler", id="scheduler"),
        pytest.param(["torch.amp.GradScaler.step"], "`GradScaler.step()` does it.", "GradScaler",
                     id="beside"),
        pytest.param(["torch.optim.adam.adam"], "The function `adam()` does it.", "adam", id="function"),
        pytest.param(["Tensor.grad"], "`backward()` adds.", "", id="nothing"),
    ],
)  # fmt: skip
def test_a_claim_speaks_of_what_it_cites_and_says(
    api: list[str], sentence: str, names: str
) -> None:
    found = subjects.of_claim(api, sentence)
    assert sorted(name for own in found.values() for name in own) == names.split()


def case(name: str, **fields: str) -> dict[str, str]:
    return {"case": name, **fields}


ADAMS = [
    case("adamw.default-loop", optimizer="AdamW", preset="default", implementation="loop"),
    case("adamw.default-foreach", optimizer="AdamW", preset="default", implementation="foreach"),
    case("adamw.default-fused", optimizer="AdamW", preset="default", implementation="fused"),
    case("adamw.amsgrad-fused", optimizer="AdamW", preset="amsgrad", implementation="fused"),
    case("adamw.default-capturable", optimizer="AdamW", preset="default", implementation="capturable"),
    case("sgd.default-loop", optimizer="SGD", preset="default", implementation="loop"),
]  # fmt: skip


@pytest.mark.parametrize(
    "asked, cases",
    [
        pytest.param("AdamW", "01234", id="unknown_options"),
        pytest.param("AdamW()", "01", id="no_options"),
        pytest.param("AdamW(fused=True)", "2", id="fused"),
        pytest.param("AdamW(fused=True, amsgrad=True)", "23", id="amsgrad"),
        pytest.param("AdamW(foreach=True)", "1", id="foreach"),
        pytest.param("AdamW(foreach=False)", "0", id="loop"),
        pytest.param("AdamW(fused=f)", "012", id="fused_is_not_read"),
        pytest.param("AdamW(capturable=True)", "4", id="capturable"),
        pytest.param("AdamW(fused=True),SGD(foreach=False)", "25", id="two"),
        pytest.param("RMSprop", "012345", id="samples"),
    ],
)  # fmt: skip
def test_options_choose_cases(asked: str, cases: str) -> None:
    found = Concerns(read_training(asked)).cases(
        ["Optimizer.step"], "Every optimizer steps.", ADAMS
    )
    assert "".join(str(ADAMS.index(one)) for one in found) == cases


@pytest.mark.parametrize(
    "asked, api, sentence, concerned",
    [
        ("AdamW", ["SGD(lr)"], "SGD does it.", False),
        ("AdamW", ["LRScheduler.step"], "Every scheduler does it.", False),
        ("AdamW,StepLR", ["LRScheduler.step", "Optimizer(lr)"], "Every scheduler does it.", True),
        ("StepLR", ["LRScheduler.step", "Optimizer(lr)"], "Every scheduler does it.", True),
        ("AdamW", ["Adagrad(fused)", "torch.amp.GradScaler.step"], "It does it.", False),
        ("AdamW,GradScaler", ["Adagrad(fused)", "torch.amp.GradScaler.step"], "It does it.", False),
        ("Adagrad,GradScaler", ["Adagrad(fused)", "torch.amp.GradScaler.step"], "It does it.", True),
        ("LBFGS", [], "Every optimizer except LBFGS and Muon does it.", False),
        ("LBFGS,SGD", [], "Every optimizer except LBFGS and Muon does it.", True),
        ("AdamW", ["Tensor.grad"], "`backward()` adds.", True),
        ("AdamW", ["torch.optim.functional.adamw"], "The function `adamw()` does it.", False),
        ("AdamW(lr=0.1)", ["Optimizer(lr)"], "A learning rate that is a tensor stays one.", False),
        ("AdamW(lr=rate)", ["Optimizer(lr)"], "A learning rate that is a tensor stays one.", True),
        ("AdamW", ["Optimizer(lr)"], "A learning rate that is a tensor stays one.", True),
        ("AdamW(lr=rate)", ["Adam(betas)"], "Adam and AdamW accept betas that are tensors.", False),
        ("AdamW(lr=0.1)", [], "An optimizer copies a group, including a tensor learning rate.", True),
        ("Adam(lr=0.1, betas=(0, 0.9))", ["Adam(betas)"], "Adam refuses `betas` that are tensors.", True),
    ],
)  # fmt: skip
def test_a_claim_concerns_a_training(
    asked: str, api: list[str], sentence: str, concerned: bool
) -> None:
    assert Concerns(read_training(asked)).claim(api, sentence) == concerned


def test_any_optimizer_may_be_the_one_that_a_text_chooses() -> None:
    training = Training("train.py", (), frozenset({"optimizer"}))
    assert Concerns(training).cases([], "Every optimizer steps.", ADAMS) == ADAMS


def test_cases_of_other_schedulers_do_not_concern() -> None:
    cases = [case("onecyclelr.default"), case("steplr.default"), case("constantlr_3")]
    concerns = Concerns(read_training("OneCycleLR"))
    assert concerns.cases(["LRScheduler.step"], "Every scheduler steps.", cases) == cases[:1]


def test_an_optimizer_of_a_plugin_is_one() -> None:
    training = read_training("Lion", besides=["Lion"])
    cases: list[dict[str, Any]] = [case("lion.default", optimizer="Lion"), *ADAMS]
    assert Concerns(training).cases([], "Every optimizer steps.", cases) == cases[:1]
