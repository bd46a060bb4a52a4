"""Update rules under options and gradients that nobody chose."""

from dataclasses import replace

from hypothesis import given

from fixtures.assertions import check
from fixtures.assertions.tolerances import DRAWN
from fixtures.catalogue import optimizers
from fixtures.catalogue.drawn import optimizers as drawn
from fixtures.catalogue.optimizer_record import Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun

DENSE = ("has_oracle", "accepts_dense_gradients")


@claim("update-rules.hold-for-any-options")
@optimizers.each(which=DENSE, not_by=("fused",))
def test_drawn_options_and_gradients_lead_where_the_oracle_goes(case, device):
    check_drawn(case, device)


# Fused SGD cannot start a momentum late, which has a claim of its own.
@claim("update-rules.hold-for-any-options")
@optimizers.each(which=(*DENSE, "keeps_state"), by=("fused",))
def test_drawn_options_and_gradients_lead_where_the_oracle_goes_when_fused(case, device):
    check_drawn(case, device)


def check_drawn(case, device):
    @given(options=drawn.options(case.optimizer), table=drawn.tables())
    def steps_as_the_oracle(options, table):
        run = OptimizerRun(replace(case, preset=Preset("drawn", options)), device, table=table)
        check.close(
            seen=run.by_torch(),
            expected=run.by_oracle(),
            source=f"the oracle in fixtures/oracles, with {options}",
            tolerance=DRAWN,
        )

    steps_as_the_oracle()
