"""What counts as changed in a module: by a file, a patch, two revisions or a name; and what reaches it."""

import difflib
import subprocess
from pathlib import Path

import pytest

from fixtures.command import InputError
from fixtures.selection.affected import affected_by
from fixtures.selection.changes import Changed, changes_of
from fixtures.selection.places import Source
from fixtures.selection.reach import Reach

MODULE = '''"""A module."""

import math

RATE = 1


class Adam:
    """An optimizer."""

    eps = 1

    def __init__(self, lr):
        """Take a rate."""
        self.lr = lr

    def step(self):
        # all at once
        if self.lr:
            total = sum(
                [
                    1,
                    2,
                ]
            )
        else:
            total = 0
        return total


def adam(lr):
    return lr


def unused():
    return None
'''
LINES = MODULE.splitlines()
SOURCE = Source(MODULE)


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(LINES, start=1) if line.strip() == text)


# One case for each of these lines, and one that reaches none.
REACHED = (
    "self.lr = lr", "if self.lr:", "total = sum(", "1,", "total = 0", "return total", "return lr",
)  # fmt: skip
REACH = Reach(
    torch="2.13.0",
    functions={"adam.py": SOURCE.functions},
    groups=[("adam.py", frozenset({line_of(text)})) for text in REACHED],
    profiles=[*(frozenset({n}) for n in range(len(REACHED))), frozenset()],
    cases={("test.py::test", text): n for n, text in enumerate((*REACHED, "nothing"))},
)
STEP = ["if self.lr:", "total = sum(", "1,", "total = 0", "return total"]
ADAM = ["self.lr = lr", *STEP]
ALL = [*ADAM, "return lr"]


@pytest.fixture
def optim(tmp_path: Path) -> Path:
    """The folder of an installed torch.optim with one module."""
    folder = tmp_path / "installed" / "torch" / "optim"
    folder.mkdir(parents=True)
    (folder / "adam.py").write_text(MODULE)
    return folder


def reached(changes: list[Changed]) -> list[str]:
    profiles = affected_by(changes, REACH).profiles
    return [text for (_, text), profile in REACH.cases.items() if profile in profiles]


def told(changes: list[Changed]) -> list[str]:
    return affected_by(changes, REACH).told


CHANGES = [
    pytest.param("total = 0", "total = 5", ["total = 0"], id="a statement"),
    pytest.param("            total = 0", "            total = 0\n            print()",
                 ["total = 0", "return total"], id="a statement behind one"),
    pytest.param("2,", "3,", ["total = sum(", "1,"], id="a line of a long statement"),
    pytest.param("if self.lr:", "if not self.lr:", ["if self.lr:"], id="a condition"),
    pytest.param("        # all at once\n", "", [], id="a comment"),
    pytest.param('"""Take a rate."""', '"""Take it."""', [], id="a docstring"),
    pytest.param("def step(self)", "def step(self, closure=None)", STEP, id="a signature"),
    pytest.param("    def step", "    @staticmethod\n    def step", ADAM, id="a decorator"),
    pytest.param("eps = 1", "eps = 2", ADAM, id="a line of the class"),
    pytest.param("RATE = 1", "RATE = 2", ALL, id="a line of the module"),
    pytest.param("return None", "return 1", [], id="what no case reaches"),
]  # fmt: skip


@pytest.mark.parametrize("old, new, expected", CHANGES)
def test_a_changed_file_affects_the_cases_that_reach_what_is_other(
    optim: Path, tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    changed = tmp_path / "adam.py"
    changed.write_text(MODULE.replace(old, new))
    assert reached(changes_of(str(changed), optim)) == expected


@pytest.mark.parametrize("old, new, expected", CHANGES)
@pytest.mark.parametrize("context", [0, 3])
def test_a_patch_affects_the_same(
    optim: Path, tmp_path: Path, old: str, new: str, expected: list[str], context: int
) -> None:
    after = MODULE.replace(old, new)
    names = "a/torch/optim/adam.py", "b/torch/optim/adam.py"
    lines = difflib.unified_diff(
        MODULE.splitlines(), after.splitlines(), *names, lineterm="", n=context
    )
    patch = tmp_path / "change.patch"
    patch.write_text("diff --git a b\n" + "\n".join(lines) + "\n")
    assert reached(changes_of(str(patch), optim)) == expected


@pytest.mark.parametrize("old, new, expected", CHANGES)
def test_two_revisions_affect_the_same(
    tmp_path: Path, optim: Path, old: str, new: str, expected: list[str]
) -> None:
    checkout = optim.parents[1]

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b", *arguments],  # noqa: S607
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "before")
    (optim / "adam.py").write_text(MODULE.replace(old, new))
    git("commit", "-qam", "after")
    assert reached(changes_of(f"{checkout}@HEAD~1..HEAD", tmp_path)) == expected


def test_of_a_function_that_is_other_than_the_measured_one_the_whole_counts() -> None:
    other = MODULE.replace("total = 0", "total = 7")
    changed = Changed("adam.py", Source(other), lines={line_of("return total")})
    assert reached([changed]) == STEP


def test_a_new_method_counts_as_the_whole_class_and_a_new_function_as_the_module() -> None:
    method = MODULE.replace("    def step", "    def late(self):\n        return 1\n\n    def step")
    function = MODULE.replace("def adam", "def late():\n    return 1\n\n\ndef adam")
    line = [n for n, text in enumerate(method.splitlines(), 1) if "return 1" in text]
    assert reached([Changed("adam.py", Source(method), lines=set(line))]) == ADAM
    line = [n for n, text in enumerate(function.splitlines(), 1) if "return 1" in text]
    assert reached([Changed("adam.py", Source(function), lines=set(line))]) == ALL


def test_a_file_that_is_the_installed_one_counts_whole(optim: Path) -> None:
    changes = changes_of(str(optim / "adam.py"), optim)
    assert reached(changes) == ALL
    assert told(changes) == ["adam.py: all of it"]


def test_a_file_that_was_not_there_is_told() -> None:
    assert told([Changed("new.py")]) == ["new.py: it was not there when the reach was measured"]


def test_a_patch_of_another_release_counts_whole(optim: Path, tmp_path: Path) -> None:
    patch = tmp_path / "old.diff"
    patch.write_text(
        "--- a/torch/optim/adam.py\n+++ b/torch/optim/adam.py\n@@ -3 +3 @@\n-import cmath\n+import math\n"
    )
    assert told(changes_of(str(patch), optim)) == ["adam.py: all of it"]


def test_what_counts_is_told_by_its_names(optim: Path, tmp_path: Path) -> None:
    changed = tmp_path / "adam.py"
    changed.write_text(MODULE.replace("total = 0", "total = 5").replace("return lr", "return -lr"))
    assert told(changes_of(str(changed), optim)) == ["adam.py: Adam.step, adam"]


@pytest.mark.parametrize(
    "asked, message",
    [
        pytest.param(
            "no such thing", r"no such thing: it names no change; write a file", id="no form"
        ),
        pytest.param("missing.py", r"missing\.py: cannot be read", id="no file"),
        pytest.param("nowhere@a..b", r"nowhere: no such folder; name a checkout", id="no checkout"),
        pytest.param("torch.optim.Adamm", r"Adamm: the installed torch has no such", id="no name"),
        pytest.param("torch.nn.Linear", r"Linear: it is not in torch\.optim", id="elsewhere"),
        pytest.param("os.path", r"the installed torch has no such name", id="not of torch"),
    ],
)
def test_what_is_no_change_is_one_line(optim: Path, asked: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        changes_of(asked, optim)
