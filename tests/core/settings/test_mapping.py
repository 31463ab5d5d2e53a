"""Settings from nested mappings: every error names place, setting, value and expectation."""

import logging
from dataclasses import dataclass

import pytest

from conegrad_core.settings import Config, required, setting
from conegrad_core.settings.mapping import Location, ReadError, read_config
from conegrad_core.settings.yaml_file import read_document


@dataclass(frozen=True)
class Wheel(Config):
    """Settings of this test."""

    radius: float = required("[m]", low=0.0, aliases=("size",))
    name: str = setting("front", "Where it is")


@dataclass(frozen=True)
class Car(Config):
    """Settings of this test."""

    wheel: Wheel
    spare: Wheel | None = None
    doors: int = setting(2, "How many", low=0)


def read(text):
    document = read_document(text, "car.yaml")
    return read_config(Car, document.content, Location(document.place))


def test_groups_within_groups_are_read():
    assert read("wheel: {radius: 1}\nspare: {radius: 2.5, name: rear}\n") == Car(
        Wheel(1.0), Wheel(2.5, "rear")
    )
    assert read("wheel: {radius: 1}\nspare: null\n").spare is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("doors: 2", "car.yaml:1: wheel is missing, expected: a group of settings"),
        ("wheel:\n  name: x\n", r"car.yaml:1: wheel.radius is missing, expected: \[m\]"),
        ("wheel:\n  radius: -1\n", "car.yaml:2: wheel.radius is -1.0, expected at least 0.0"),
        ("wheel:\n  radius: .inf\n", "car.yaml:2: wheel.radius is inf, expected a finite number"),
        ("wheel: 3", "car.yaml:1: wheel is 3, expected settings with values"),
        ("wheel:", "car.yaml:1: wheel is empty, expected settings with values"),
        ("- 1", r"car.yaml:1 is \[1\], expected settings with values"),
        ("", "car.yaml:1 is empty, expected settings with values"),
        ("\ndoor: 2", r"car.yaml:2: door is unknown, did you mean doors\?"),
        ("wheel:\n  naem: x", r"car.yaml:2: wheel.naem is unknown, did you mean wheel.name\?"),
        ("zzz: 1", "car.yaml:1: zzz is unknown, expected one of wheel, spare, doors"),
        ("wheel: {radius: 1, size: 1}", "car.yaml:1: wheel.size is given twice, also as radius"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, message):
    with pytest.raises(ReadError, match=f"^{message}"):
        read(text)


def test_an_earlier_name_is_taken_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert read("wheel:\n  size: 3\n").wheel.radius == 3.0
    assert caplog.messages == ["car.yaml:2: wheel.size is now wheel.radius (until 0.3)"]


def test_the_outline_repeats_no_name_of_the_file():
    for text in ("secret: 1", "wheel: {secret: 1}", "wheel: secret", "secret"):
        with pytest.raises(ReadError) as refused:
            read(text)
        assert "secret" in str(refused.value)
        assert "secret" not in refused.value.outline
        assert "car.yaml:1" in refused.value.outline


def test_values_of_parameters_are_not_converted():
    at = Location(keys=("wheel",), label="parameter ", is_ros=True)
    with pytest.raises(ReadError, match=r"^parameter wheel\.radius is 1, .*: write 1\.0$"):
        read_config(Wheel, {"radius": 1}, at)
