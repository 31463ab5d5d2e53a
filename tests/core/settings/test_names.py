"""Names of settings: earlier ones, and what is said about those that do not exist."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting
from conegrad_core.settings.names import fields_by_name, option_of, shown_name, unknown_fault


@dataclass(frozen=True)
class Rates(Config):
    """Settings of this test."""

    detector_rate: float = setting(0.1, "Of the detector", aliases=("camera_rate", "rate"))
    decay: float = setting(0.0, "Of all")


def test_fields_are_found_by_their_name_and_by_earlier_ones():
    assert fields_by_name(Rates) == {
        "detector_rate": "detector_rate",
        "decay": "decay",
        "camera_rate": "detector_rate",
        "rate": "detector_rate",
    }


def test_the_nearest_name_is_suggested():
    assert unknown_fault("decai", ["decay", "rate"]) == "is unknown, did you mean decay?"
    fault = unknown_fault("decai", ["decay", "rate"], prefix="run.")
    assert fault == "is unknown, did you mean run.decay?"


def test_without_a_near_name_all_are_listed_or_the_place_where_they_are():
    assert unknown_fault("zzz", ["decay", "rate"]) == "is unknown, expected one of decay, rate"
    assert unknown_fault("zzz", ["decay"], ": see there") == "is unknown: see there"
    assert unknown_fault("zzz", []) == "is unknown: there are no settings here"


def test_a_long_or_odd_name_is_shortened_in_messages():
    assert shown_name("decay") == "decay"
    assert len(shown_name("x" * 10**6)) < 40
    assert shown_name("a\nb") == r"'a\nb'"
    assert shown_name(5) == "5"


def test_an_option_has_dashes():
    assert option_of("camera_rate") == "--camera-rate"
