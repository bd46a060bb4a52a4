"""What steps that are refused for their options leave behind."""

import pytest

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.saved_training import everything
from fixtures.runs.training import Training

# Options that only a step looks at, of an optimizer that has taken one, and the error.
REFUSED = (
    ("Muon", {"ns_steps": 100}, ValueError),
    ("Muon", {"ns_coefficients": (3.0, -4.0)}, ValueError),
    ("LBFGS", {"line_search_fn": "armijo"}, RuntimeError),
)


@claim("refused.changes-nothing")
@pytest.mark.parametrize(
    "case, options, error",
    [
        pytest.param(
            Case(optimizers.by_name(name), Preset("refused", {})),
            options,
            error,
            id=f"{name.lower()}.{next(iter(options))}",
        )
        for name, options, error in REFUSED
    ],
)
def test_a_step_refused_for_an_option_leaves_all_as_it_was(case, options, error, device):
    training = Training(case, device)
    training.run(1)
    training.closure()
    training.optimizer.param_groups[0].update(options)
    before = everything(training)
    with pytest.raises(error):
        training.step()
    check.same(seen=everything(training), expected=before, source="before the refused step")
