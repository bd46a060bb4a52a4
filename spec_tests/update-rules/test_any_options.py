"""Update rules under options and gradients that nobody chose."""

import pytest
from hypothesis import given

from fixtures.assertions import check
from fixtures.assertions.tolerances import DRAWN
from fixtures.catalogue import optimizers
from fixtures.catalogue.drawn import optimizers as drawn
from fixtures.catalogue.optimizer_record import Case, Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun


@claim("update-rules.hold-for-any-options")
@pytest.mark.parametrize("foreach", [False, True], ids=["loop", "foreach"])
@optimizers.each(only=tuple(drawn.OPTIONS))
def test_drawn_options_and_gradients_lead_where_the_oracle_goes(case, foreach, device):
    check_drawn(case, device, foreach=foreach)


@claim("update-rules.hold-for-any-options-when-fused")
@optimizers.each(only=("Adagrad", "Adam", "AdamW"), adding={"fused": True})
def test_drawn_options_and_gradients_lead_where_the_oracle_goes_when_fused(case, device):
    check_drawn(case, device, fused=True)


def check_drawn(case, device, **implementation):
    @given(options=drawn.options(case.optimizer), table=drawn.tables())
    def steps_as_the_oracle(options, table):
        chosen = Case(case.optimizer, Preset("drawn", options))
        run = OptimizerRun(chosen, device, table=table)
        check.close(
            seen=run.by_torch(**implementation),
            expected=run.by_oracle(),
            source=f"the oracle in fixtures/oracles, with {options}",
            tolerance=DRAWN,
        )

    steps_as_the_oracle()
