"""The file of results that a second run of the mutation command goes on from."""

from pathlib import Path

import pytest

from self_tests.mutation.mutants import Mutant, mutants_of
from self_tests.mutation.results import ResultsError, gone_on_from, write
from self_tests.mutation.tally import Fate, Found


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    """The two mutants of a small module."""
    path = tmp_path / "small.py"
    path.write_text("def double(value):\n    return value * 2\n", encoding="utf-8")
    return mutants_of(path)


def test_another_run_goes_on_where_the_first_ended(mutants: list[Mutant], tmp_path: Path) -> None:
    found = dict.fromkeys(mutants, Found(Fate.SURVIVED))
    found[mutants[0]] = Found(Fate.DETECTED, "a case")
    write(tmp_path / "first.json", "2.13.0", 0, found)
    assert gone_on_from(tmp_path / "first.json", "2.13.0", mutants) == found


@pytest.mark.parametrize(
    "text, said",
    [
        pytest.param(None, "there is no such file", id="missing"),
        pytest.param('{"torch": "2.13.0", "seed"', "truncated", id="truncated"),
        pytest.param("[]", "not what --json writes", id="something_else"),
        pytest.param(
            '{"torch": "2.5.1", "seed": 0, "mutants": []}', "2.13.0 is installed", id="other_torch"
        ),
    ],
)
def test_a_file_that_does_not_serve_is_said_in_a_line(
    mutants: list[Mutant], tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "first.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=said) as error:
        gone_on_from(path, "2.13.0", mutants)
    assert "\n" not in str(error.value)
