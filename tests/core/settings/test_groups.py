"""Groups of settings from several sources."""

from dataclasses import dataclass

import pytest

from conegrad_core.settings import Config, setting
from conegrad_core.settings.groups import Source, read_groups
from conegrad_core.settings.mapping import Location, ReadError
from conegrad_core.settings.yaml_file import read_document


@dataclass(frozen=True)
class Run(Config):
    """Settings of this test."""

    steps: int = setting(5, "How many", low=1)
    first: int = setting(0, "Of them", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first > self.steps:
            raise self.refusal("first", f"is {self.first}, expected at most {self.steps}")


@dataclass(frozen=True)
class Top(Config):
    """Settings of this test."""

    track: str = setting("", "Map")


GROUPS = {"": Top(), "run": Run(first=3)}


def source(text):
    document = read_document(text, "file.yaml")
    return Source(document.content, Location(document.place))


def test_without_sources_the_defaults_of_the_groups_hold():
    assert read_groups(GROUPS, []) == GROUPS


def test_a_later_source_replaces_single_values_of_an_earlier_one():
    sources = [source("track: a\nrun: {steps: 9, first: 1}"), source("run: {steps: 7}")]
    assert read_groups(GROUPS, sources) == {"": Top("a"), "run": Run(7, 1)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("track: 5", "file.yaml:1: track is 5, expected text"),
        ("run:\n  steps: 0", "file.yaml:2: run.steps is 0, expected at least 1"),
        ("run:\n  steps: 2", "run.first is 3, expected at most 2"),
        ("rum: {}", r"file.yaml:1: rum is unknown, did you mean run\?"),
        ("'': {}", "file.yaml:1:  is unknown, expected one of track, run"),
        ("1: {}", "file.yaml:1: 1 is unknown, expected one of track, run"),
        ("run: 1", "file.yaml:1: run is 1, expected settings with values"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(ReadError, match=f"^{message}"):
        read_groups(GROUPS, [source(text)])
