"""What README and guides show is what the commands print."""

import pytest
import torch

from self_tests.documents.examples import Example, difference, examples, run
from self_tests.support.forked_cases import ROOT

SHOWN_ON = "2.13"


@pytest.mark.parametrize("example", [pytest.param(e, id=e.id) for e in examples()])
@pytest.mark.skipif(
    not torch.__version__.startswith(SHOWN_ON), reason=f"the pages show torch {SHOWN_ON}"
)
def test_the_command_prints_what_the_page_shows(example: Example) -> None:
    printed = run(example)
    assert difference(example, printed) is None, printed


def test_ci_runs_the_two_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line for line in readme.splitlines() if line.startswith("python -m pip install")]
    assert len(commands) == 2
    lines = {line.removeprefix("beside ") for line in ci.splitlines()}
    parts = [part for command in commands for part in command.split(" && ")]
    assert [part for part in parts if part not in lines] == []
