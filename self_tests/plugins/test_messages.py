"""A worker says little, and nothing that a reader would miss."""

import pytest

from self_tests.support.small_project import ProjectMaker, claims

FALLS = """
    @pytest.fixture
    def falls():
        yield
        assert False, "it fell over afterwards"

    @pytest.fixture
    def stumbles():
        assert False, "it fell over before"

    @claim("demo.holds")
    def test_it(): pass

    @claim("demo.after")
    def test_after(falls): pass

    @claim("demo.before")
    def test_before(stumbles): pass
"""
CLAIMS = claims("demo.holds", "demo.after", "demo.before")
PARALLEL = ("-n", "2", "-m", "cpu")


def test_a_failure_before_or_after_a_test_is_told(project: ProjectMaker) -> None:
    end = project(CLAIMS, FALLS).run_in_new_process(*PARALLEL)
    assert end.code == 1
    assert "it fell over afterwards" in end.text
    assert "it fell over before" in end.text
    assert "cases on cpu: 2 broken, 1 holds" in end.text


@pytest.mark.parametrize(
    "asking",
    [
        pytest.param("--durations=0", id="durations"),
        pytest.param("--junitxml=file.xml", id="junit"),
    ],
)
def test_who_asks_for_the_phases_is_told_of_them(project: ProjectMaker, asking: str) -> None:
    phases = """
        @pytest.fixture(autouse=True)
        def slow_to_set_up():
            import time
            time.sleep(0.3)

        @claim("demo.holds")
        def test_it(): pass
    """
    small = project(claims("demo.holds"), phases)
    end = small.run_in_new_process(*PARALLEL, asking)
    told = end.text + "".join(
        path.read_text(encoding="utf-8") for path in small.path.glob("file.xml")
    )
    assert "s setup " in told or 'time="0.3' in told, told
