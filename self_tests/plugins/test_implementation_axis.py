"""The implementation axis: which cases there are, how they are named, selected, left out and reported."""

import pytest

from self_tests.support.small_project import ProjectMaker, claims

STEPS = """
    from fixtures.catalogue import optimizers
    from fixtures.runs.training import Training

    @claim("demo.steps")
    @optimizers.each(only=("SGD", "Muon"))
    def test_it(case, device):
        Training(case, device).run(1)
"""
WRAPPED = """
    import pytest
    from fixtures.catalogue import implementations
    from fixtures.catalogue.implementations import Implementation

    def loud(step):
        def loud_step(*arguments, **keywords):
            raise AssertionError("the step was wrapped")
        return loud_step

    if "loud" not in implementations.IMPLEMENTATIONS:
        implementations.add(Implementation("loud", wrap=loud, on_request=True))
"""


def steps(implementations: str) -> str:
    """Return a specification of one claim about steps in these implementations."""
    return claims("demo.steps", fields=f"torch: >=2.0 · implementations: {implementations}")


def of_sgd(verdicts: dict[str, str]) -> dict[str, str]:
    """Return the verdicts of the cases of SGD on the CPU, by implementation."""
    return {
        name.removeprefix("test_it[sgd.default-").removesuffix("-cpu]"): verdict
        for name, verdict in verdicts.items()
        if "sgd" in name and name.endswith("-cpu]")
    }


def test_a_claim_without_the_field_is_asked_of_torch_s_own_choice(project: ProjectMaker) -> None:
    end = project(claims("demo.steps"), STEPS).run("-m", "cpu")
    assert end.verdicts == {
        "test_it[muon.default-cpu]": "holds",
        "test_it[sgd.default-cpu]": "holds",
    }


def test_a_claim_is_asked_of_each_implementation_that_it_names(project: ProjectMaker) -> None:
    end = project(steps("loop, foreach, fused>=2.4"), STEPS).run("-m", "cpu")
    assert of_sgd(end.verdicts) == {"loop": "holds", "foreach": "holds", "fused": "holds"}


def test_what_an_optimizer_never_offers_is_not_applicable_with_the_reason(
    project: ProjectMaker,
) -> None:
    end = project(steps("fused"), STEPS).run("-m", "cpu")
    result = end.results["spec_tests/demo/test_demo.py::test_it[muon.default-fused-cpu]"]
    assert (str(result.verdict), result.reason) == ("not applicable", "Muon has no fused steps")


def test_a_release_of_which_the_claim_does_not_speak_is_not_applicable(
    project: ProjectMaker,
) -> None:
    end = project(steps("loop, foreach>=99"), STEPS).run("-m", "cpu")
    assert of_sgd(end.verdicts) == {"loop": "holds", "foreach": "not applicable"}


def test_any_but_some(project: ProjectMaker) -> None:
    end = project(steps("any, not fused, not capturable, not differentiable"), STEPS).run()
    assert of_sgd(end.verdicts).keys() == {"loop", "foreach"}


def test_markers_select_by_implementation_and_device(project: ProjectMaker) -> None:
    end = project(steps("loop, foreach, fused"), STEPS).run("-m", "foreach and cpu")
    assert of_sgd(end.verdicts) == {"foreach": "holds"}


def test_a_composite_implementation_is_selected_by_its_parts(project: ProjectMaker) -> None:
    spec = steps("capturable, foreach")
    test = STEPS.replace('"SGD", "Muon"', '"Adam",')
    end = project(spec, test).run("-m", "capturable and foreach and cpu")
    assert end.verdicts == {"test_it[adam.default-capturable_foreach-cpu]": "holds"}


def test_a_test_without_a_case_takes_the_implementation(project: ProjectMaker) -> None:
    test = """
        @claim("demo.steps")
        def test_it(implementation):
            assert implementation.name in ("loop", "fused")
    """
    end = project(steps("loop, fused"), test).run()
    assert end.verdicts == {"test_it[loop]": "holds", "test_it[fused]": "holds"}


def test_a_test_may_ask_of_all_in_one_case(project: ProjectMaker) -> None:
    test = """
        from fixtures.catalogue import optimizers
        from fixtures.runs.each_implementation import in_each

        @claim("demo.steps")
        @optimizers.each(only=("Adam",))
        def test_it(case, implementations, device):
            seen = in_each(case, implementations, device, lambda case: case.id)
            assert list(seen) == ["loop", "foreach", "capturable", "capturable_foreach"]
    """
    end = project(steps("loop, foreach, capturable"), test).run("-m", "cpu")
    assert end.verdicts == {"test_it[adam.default-cpu]": "holds"}


def test_a_test_that_asks_of_all_does_not_hold_of_none(project: ProjectMaker) -> None:
    test = """
        from fixtures.catalogue import optimizers
        from fixtures.runs.each_implementation import in_each

        @claim("demo.steps")
        @optimizers.each(only=("Adam", "RMSprop"))
        def test_it(case, implementations, device):
            seen = in_each(case, implementations, device, lambda case: 1)
            assert set(seen.values()) <= {1}
    """
    end = project(steps("fused"), test).run("-m", "cpu")
    assert end.verdicts == {
        "test_it[adam.default-cpu]": "holds",
        "test_it[rmsprop.default-cpu]": "not applicable",
    }


def test_an_implementation_of_a_plugin_is_asked_on_request_alone(project: ProjectMaker) -> None:
    end = project(
        steps("any, not capturable, not differentiable, not fused"), WRAPPED + STEPS
    ).run()
    assert "loud" not in of_sgd(end.verdicts)


def test_the_message_of_a_step_that_a_plugin_wraps_names_it_and_how_to_ask_again(
    project: ProjectMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = project(steps("any"), STEPS)
    demo.write("my_steps.py", WRAPPED.replace("\n    ", "\n"))
    monkeypatch.syspath_prepend(demo.path)
    end = demo.run_in_new_process(
        "-p", "my_steps", "--implementation", "loud", "-m", "loud and cpu", "--report", "r"
    )
    assert "steps       loud, by a step that is wrapped" in end.text
    assert "--implementation loud" in end.text
    assert "[sgd.default-loud-cpu]" in end.text
    assert '"implementation":"loud"' in demo.read("r/report.json")


def test_a_claim_that_names_an_implementation_that_there_is_not_is_refused(
    project: ProjectMaker,
) -> None:
    end = project(steps("loop, foreech"), STEPS).run()
    assert end.code == pytest.ExitCode.USAGE_ERROR
    assert "demo.steps: implementations: there is no 'foreech'; there are loop" in end.text


def test_an_implementation_that_nobody_knows_is_refused(project: ProjectMaker) -> None:
    end = project(steps("any"), STEPS).run("--implementation", "compiled")
    assert end.code == pytest.ExitCode.USAGE_ERROR
    told = "--implementation compiled: no implementation has this name; the names are loop"
    assert told in end.text
