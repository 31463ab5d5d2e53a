"""Values are converted to the kind of their field, or refused with what was expected."""

import math
from pathlib import Path

import pytest

from conegrad_core.settings.values import ValueKindError, read_text, read_value


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (float, 2, 2.0),
        (float, math.inf, math.inf),
        (int, 2, 2),
        (bool, False, False),
        (str, "2", "2"),
        (Path, "a/b", Path("a/b")),
        (tuple[str, ...], ["a", "b"], ("a", "b")),
        (tuple[float, float], [1, 2.5], (1.0, 2.5)),
        (float | None, None, None),
        (float | None, 1, 1.0),
        (tuple[float, ...] | None, [1], (1.0,)),
    ],
)
def test_a_value_becomes_what_the_field_holds(kind, value, expected):
    read = read_value(kind, value)
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (int, 1.5, "is 1.5, expected a whole number"),
        (int, True, "is True, expected a whole number"),
        (bool, 1, "is 1, expected true or false"),
        (float, "fast", "is 'fast', expected a finite number"),
        (float, math.nan, "is nan, expected a finite number"),
        (float, 10**400, "is 1000"),
        (str, 5, "is 5, expected text"),
        (str, None, "is empty, expected text"),
        (Path, 5, "is 5, expected a path"),
        (tuple[str, ...], "one", "is 'one', expected a list"),
        (tuple[str, ...], [1], "is 1, expected text"),
        (tuple[float, float], [1.0], r"is \[1.0\], expected a list of 2"),
    ],
)
def test_a_value_of_another_kind_is_refused(kind, value, message):
    with pytest.raises(ValueKindError, match=f"^{message}"):
        read_value(kind, value)


def test_an_infinite_number_is_refused_where_it_has_to_be_finite():
    with pytest.raises(ValueKindError, match="is inf, expected a finite"):
        read_value(float, math.inf, is_finite=True)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (float, 20, "is 20, expected a number with a point: write 20.0"),
        (str, 5, "is 5, expected text in quotes"),
        (tuple[float, ...], [1], "is 1, expected a number with a point: write 1.0"),
    ],
)
def test_what_ros_would_not_take_is_refused_for_a_parameter(kind, value, message):
    with pytest.raises(ValueKindError, match=f"^{message}$"):
        read_value(kind, value, is_ros=True)


def test_words_of_a_command_line_become_what_the_field_holds():
    assert read_text(float, "2") == 2.0
    assert read_text(int | None, "2") == 2
    assert read_text(str, "2") == "2"
    assert read_text(Path, "a") == Path("a")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (int, "2.5", "is '2.5', expected a whole number"),
        (float, "far", "is 'far', expected a finite number"),
        (float, "nan", "is nan, expected a finite number"),
    ],
)
def test_a_word_of_another_kind_is_refused(kind, text, message):
    with pytest.raises(ValueKindError, match=f"^{message}$"):
        read_text(kind, text)
