"""Update rules under options and gradients that nobody chose."""

from dataclasses import replace

from hypothesis import given, settings

from fixtures.assertions.tolerances import DRAWN
from fixtures.catalogue import optimizers
from fixtures.catalogue.drawn import optimizers as drawn
from fixtures.catalogue.optimizer_record import Preset
from fixtures.claims import claim
from fixtures.runs.optimizer_run import OptimizerRun, check_in_each


@claim("update-rules.hold-for-any-options")
@optimizers.each(which=("has_oracle", "accepts_dense_gradients"))
def test_drawn_options_and_gradients_lead_where_the_oracle_goes(case, implementations, device):
    asked = [entry for entry in implementations if not cannot_begin_late(case, entry)]

    # Twice as many as usual: each is drawn once for all implementations.
    @settings(max_examples=2 * settings().max_examples)
    @given(options=drawn.options(case.optimizer), table=drawn.tables())
    def steps_as_the_oracle(options, table):
        preset = Preset("drawn", options)

        def run(case):
            return OptimizerRun(replace(case, preset=preset), device, table=table)

        check_in_each(
            case,
            asked,
            device,
            run,
            source=f"the oracle in fixtures/oracles, with {options}",
            tolerance=DRAWN,
        )

    steps_as_the_oracle()


def cannot_begin_late(case, implementation):
    """Whether no parameter may begin after the others: so it is of fused SGD, by a claim of its own."""
    return "fused" in implementation.all_parts and not case.optimizer.has("keeps_state")
