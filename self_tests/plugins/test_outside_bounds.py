"""--outside-bounds: what claims say about other releases is asked of this one, and must fail here."""

from self_tests.support.small_project import ProjectMaker, claims

TESTS = """
    @claim("demo.fails")
    @pytest.mark.parametrize("case", ["a", "b"])
    def test_it(case):
        assert case == "a"

    @claim("demo.holds")
    def test_that():
        pass
"""
LATER = claims("demo.fails", "demo.holds", fields="torch: >=99.0")
NOW = claims("demo.fails", "demo.holds")
FUSED_LATER = claims("demo.steps", fields="torch: >=2.0 · implementations: loop, fused>=99.0")
STEPS = """
    from fixtures.catalogue import optimizers

    @claim("demo.steps")
    @optimizers.each(only=("SGD",))
    def test_it(case, device):
        assert case.implementation.name == "fused"
"""
AT_ONCE = """
    @claim("demo.steps")
    def test_it(implementations):
        assert [entry.name for entry in implementations] == ["fused"]
"""


def test_the_headline_tells_what_fails_and_what_holds_all_the_same(project: ProjectMaker) -> None:
    end = project(LATER, TESTS).run("--outside-bounds")
    last = end.text.strip().splitlines()[-1]
    assert last.endswith(
        ": 2 claims were asked out of bounds; 1 fails here, as it should be; "
        "1 holds here all the same: demo.holds."
    )


def test_what_a_claim_says_of_this_release_is_left_out(project: ProjectMaker) -> None:
    end = project(NOW, TESTS).run("--outside-bounds")
    assert end.results == {}
    assert "3 deselected" in end.text


def test_without_the_option_such_a_claim_is_not_applicable(project: ProjectMaker) -> None:
    assert set(project(LATER, TESTS).run().verdicts.values()) == {"not applicable"}


def test_failures_are_shown_with_verbose_alone(project: ProjectMaker) -> None:
    made = project(LATER, TESTS)
    assert "assert 'b' == 'a'" not in made.run("--outside-bounds").text
    assert "assert 'b' == 'a'" in made.run("--outside-bounds", "-v").text


def test_a_deviation_does_not_hide_a_failure(project: ProjectMaker) -> None:
    deviation = """
        [[deviation]]
        claim = "demo.fails"
        torch = ">=2.0"
        reason = "torch does otherwise"
        issue = "somewhere#1"
    """
    end = project(LATER, TESTS, deviation).run("--outside-bounds")
    assert end.verdicts["test_it[b]"] == "broken"


def test_only_the_implementation_that_is_excluded_is_asked(project: ProjectMaker) -> None:
    end = project(FUSED_LATER, STEPS).run("--outside-bounds", "-m", "cpu")
    assert end.verdicts == {"test_it[sgd.default-fused-cpu]": "holds"}


def test_a_case_of_all_implementations_gets_those_that_are_excluded(project: ProjectMaker) -> None:
    end = project(FUSED_LATER, AT_ONCE).run("--outside-bounds")
    assert end.verdicts == {"test_it": "holds"}
