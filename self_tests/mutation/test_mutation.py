"""The mutation command: which changes it makes, and that they reach the code that is loaded."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from self_tests.mutation.in_memory import put_in_place
from self_tests.mutation.mutants import Mutant, mutants_of, shortened
from self_tests.mutation.unobservable import Unobservable, UnobservableError, read
from self_tests.support.loaded_code import LoadedFunctions, NotApplicableError

SOURCE = '''"""A module to mutate."""


def step(value, lr=0.5, *, maximize=False):
    """Say nothing that a mutant could change."""
    if maximize and value > 0:
        value = -value
    elif lr < 0:
        raise ValueError("negative")
    return abs(value - lr * 2, )


class Optimizer:
    def state(self):
        found = dict(step=1)
        found.update(mode="max")
        return found
'''


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[ModuleType]:
    """A module of the source above, imported from a file."""
    path = tmp_path / "mutated_example.py"
    path.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mutated_example", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutated_example"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutated_example"]


def all_mutants(module: ModuleType) -> list[Mutant]:
    assert module.__file__
    return mutants_of(Path(module.__file__))


def the_mutant(module: ModuleType, kind: str, after: str) -> Mutant:
    """Return the first mutant of a kind that leads to some code."""
    return next(m for m in all_mutants(module) if m.kind == kind and m.after == after)


@pytest.mark.parametrize(
    "kind, after",
    [
        pytest.param("default", "1.0", id="default"),
        pytest.param("default", "True", id="keyword_default"),
        pytest.param("and or", "maximize or value > 0", id="and"),
        pytest.param("comparison", "value >= 0", id="comparison"),
        pytest.param("condition", "not (maximize and value > 0)", id="condition"),
        pytest.param("sign", "value", id="sign"),
        pytest.param("raise removed", "pass", id="raise"),
        pytest.param("return", "return None", id="return"),
        pytest.param("operator", "value + lr * 2", id="difference"),
        pytest.param("operator", "lr / 2", id="product"),
        pytest.param("constant", "4", id="constant"),
        pytest.param("constant", "'max_'", id="key"),
        pytest.param("method", "found.copy", id="method"),
        pytest.param("argument removed", "found.update()", id="argument"),
        pytest.param("statement removed", "pass", id="statement"),
    ],
)
def test_a_kind_of_change_is_made(loaded: ModuleType, kind: str, after: str) -> None:
    assert the_mutant(loaded, kind, after).kind == kind


def test_messages_and_docstrings_are_left_alone(loaded: ModuleType) -> None:
    assert not [m for m in all_mutants(loaded) if "nothing" in m.before or m.before == "negative"]


def test_a_long_change_is_shown_where_it_changes() -> None:
    arguments = ", ".join(f"argument_{number}={number}" for number in range(30))
    change = f"[argument removed] step({arguments}, lr=lr) → step({arguments})"
    assert shortened(change) == (
        "[argument removed] …nt_28=28, argument_29=29, lr=lr) → …nt_28=28, argument_29=29)"
    )


def test_a_mutant_takes_the_place_of_the_loaded_code(loaded: ModuleType) -> None:
    functions = LoadedFunctions(Path(str(loaded.__file__)).parent)
    step = loaded.step  # as torch's own modules hold on to functions that they imported
    put_in_place(the_mutant(loaded, "operator", "value + lr * 2"), functions)
    assert step(3.0) == 4.0


def test_a_mutated_default_takes_effect(loaded: ModuleType) -> None:
    functions = LoadedFunctions(Path(str(loaded.__file__)).parent)
    put_in_place(the_mutant(loaded, "default", "True"), functions)
    assert loaded.step(3.0) == 4.0


def test_a_method_is_mutated_for_instances_that_exist(loaded: ModuleType) -> None:
    optimizer = loaded.Optimizer()
    functions = LoadedFunctions(Path(str(loaded.__file__)).parent)
    put_in_place(the_mutant(loaded, "constant", "'max_'"), functions)
    assert optimizer.state() == {"step": 1, "mode": "max_"}


def test_a_mutant_of_code_that_is_not_loaded_is_not_applicable(
    loaded: ModuleType, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text(SOURCE, encoding="utf-8")
    functions = LoadedFunctions(Path(str(loaded.__file__)).parent)
    with pytest.raises(NotApplicableError, match="changes nothing"):
        put_in_place(mutants_of(elsewhere)[0], functions)


@pytest.mark.parametrize(
    "change, function, covered",
    [
        pytest.param("[default] 0.5 → 1.0", "*", True, id="exactly"),
        pytest.param("[default] … → 1.0", "st*", True, id="in_part"),
        pytest.param("[default] 0.5 → 1.0", "Optimizer.*", False, id="of_another_function"),
        pytest.param("[default] 0.5 → 2.0", "*", False, id="of_another_change"),
    ],
)
def test_a_record_covers_the_mutants_that_it_describes(
    loaded: ModuleType, change: str, function: str, covered: bool
) -> None:
    record = Unobservable("mutated_example.py", change, function, "an example")
    assert record.covers(the_mutant(loaded, "default", "1.0")) is covered


@pytest.mark.parametrize(
    "line, torch, described",
    [
        pytest.param(3, "2.13.0+cpu", True, id="there"),
        pytest.param(4, "2.13.0+cpu", False, id="elsewhere"),
        pytest.param(3, "2.14.1", False, id="in_another_release"),
    ],
)
def test_a_record_with_lines_is_about_these_alone(line: int, torch: str, described: bool) -> None:
    record = Unobservable("adam.py", "[constant] 0 → 1", "*", "an example", (3,), "2.13.0")
    assert record.describes("adam.py", line, "step", "[constant] 0 → 1", torch) is described


def test_every_record_of_unobservable_mutants_can_be_read() -> None:
    assert [record for record in read() if not record.reason.strip()] == []


@pytest.mark.parametrize(
    "text, said",
    [
        pytest.param("[[unobservable]]\nreason = 'why'", "lacks 'change'", id="no_change"),
        pytest.param("[[unobservable]]\nline = 3", "has 'line'", id="unknown_field"),
        pytest.param(
            "[[unobservable]]\nchange = 'a → b'\nreason = 'why'\nlines = [3]",
            "lacks 'torch'",
            id="lines_of_no_release",
        ),
        pytest.param("[[", "is not TOML", id="no_toml"),
    ],
)
def test_a_record_that_cannot_be_read_is_said_in_a_line(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "adam.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UnobservableError, match=said) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)
