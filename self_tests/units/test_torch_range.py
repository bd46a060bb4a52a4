"""Ranges of releases: which version of torch lies in which, and what is no range."""

import pytest

from fixtures.specification.torch_range import TorchRange, release_of


@pytest.mark.parametrize(
    "text, inside, outside",
    [
        pytest.param(">=2.4", ["2.4", "2.4.0", "2.4.1", "2.13.0", "3.0"], ["2.3.1", "1.13"],
                     id="from"),
        pytest.param("<2.4", ["2.0.1", "2.3.1", "1.13"], ["2.4", "2.4.0", "2.13"], id="until"),
        pytest.param("<=2.4", ["2.4", "2.4.0", "2.3"], ["2.4.1", "2.5"], id="until and with"),
        pytest.param(">2.4", ["2.5", "2.10.0"], ["2.4.0", "2.3"], id="behind"),
        pytest.param(">=2.4,<2.8", ["2.4.0", "2.7.1"], ["2.3.1", "2.8.0", "2.10"], id="between"),
        pytest.param("<2.4, >=2.2", ["2.2", "2.3.1"], ["2.4", "2.1"], id="between, with a space"),
        pytest.param("!=2.5.1", ["2.5.0", "2.5.2"], ["2.5.1"], id="all but one"),
        pytest.param("==2.5.*", ["2.5.0", "2.5.1"], ["2.4.1", "2.6"], id="one line"),
    ],
)  # fmt: skip
def test_releases_in_a_range(text: str, inside: list[str], outside: list[str]) -> None:
    assert [version for version in inside if version not in TorchRange(text)] == []
    assert [version for version in outside if version in TorchRange(text)] == []


@pytest.mark.parametrize(
    "version", ["2.14.0a0+git1234", "2.14.0.dev20261129+cpu", "2.14.0rc2", "2.14.0+cu130", "2.14.0"]
)
def test_a_build_counts_as_the_release_that_it_leads_to(version: str) -> None:
    assert version in TorchRange(">=2.14")
    assert version not in TorchRange("<2.14")
    assert version not in TorchRange(">2.14")
    assert str(release_of(version)) == "2.14.0"


@pytest.mark.parametrize("text", ["2.4", "=2.4", ">=x", "new", ">=2.0 <2.4"])
def test_what_is_no_range_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range of torch releases") as caught:
        TorchRange(text)
    said = f"{text!r} is not a range of torch releases; write it like '>=2.0,<2.8'"
    assert str(caught.value) == said


@pytest.mark.parametrize("version", ["", "nightly", "2.x"])
def test_what_is_no_version_is_refused_in_one_line(version: str) -> None:
    with pytest.raises(ValueError, match="is not a torch version") as caught:
        release_of(version)
    assert str(caught.value) == f"{version!r} is not a torch version"


def test_what_is_no_version_lies_in_no_range() -> None:
    with pytest.raises(ValueError, match="'nightly' is not a torch version"):
        assert "nightly" in TorchRange(">=2.0")


def test_a_range_is_shown_as_it_was_written() -> None:
    assert str(TorchRange("<2.8, >=2.0")) == "<2.8, >=2.0"


def test_ranges_with_the_same_text_are_the_same() -> None:
    assert TorchRange(">=2.0") == TorchRange(">=2.0")
    assert TorchRange(">=2.0") != TorchRange(">=2.1")
    assert len({TorchRange(">=2.0"), TorchRange(">=2.0")}) == 1
