"""Values of settings: converted to the type of their field, or refused.

A kind is the type of a field: ``bool``, ``int``, ``float``, ``str``, ``Path``, tuples of these, and
each of them ``| None``.
"""

import functools
import math
import reprlib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "text",
    Path: "a path",
}
# ROS 2 takes no whole number for one with a fraction, and no number for text.
WORDS_OF_ROS = {**WORDS, float: "a number with a point", str: "text in quotes"}


class ValueKindError(ValueError):
    """A value is of another kind than its field: words that follow a name."""


def kinds_of(config_class: Any) -> Mapping[str, Any]:
    """Kind of each field of a settings dataclass."""
    return _hints(config_class)


@functools.cache
def _hints(config_class: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(config_class)


def value_kind(kind: Any) -> tuple[Any, bool]:
    """A kind without ``None``, and whether it allows ``None``."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return kind, False
    [inner] = [entry for entry in typing.get_args(kind) if entry is not type(None)]
    return inner, True


def entry_kinds(kind: Any) -> tuple[Any, int | None]:
    """Kind of the entries of a tuple, and their number; None: any number."""
    entries = typing.get_args(kind)
    return entries[0], None if Ellipsis in entries else len(entries)


def read_value(kind: Any, value: Any, *, is_ros: bool = False, is_finite: bool = False) -> Any:
    """A value of YAML or of a parameter as a field holds it: lists become tuples.

    Args:
        kind: of the field.
        value: to convert.
        is_ros: refuse what ROS 2 would not take for such a parameter.
        is_finite: refuse infinite numbers; NaN is refused anyway.

    Raises:
        ValueKindError: if it is of another kind.
    """
    inner, is_optional = value_kind(kind)
    if value is None and is_optional:
        return None
    if typing.get_origin(inner) is tuple:
        return _read_tuple(inner, value, is_ros, is_finite)
    if inner is float and not is_ros and type(value) is int:
        value = _as_float(value)
    expected = str if inner is Path else inner
    is_right = isinstance(value, expected) and isinstance(value, bool) == (inner is bool)
    if not is_right or (inner is float and _is_refused(value, is_finite)):
        raise ValueKindError(_fault(inner, value, is_ros))
    return Path(value) if inner is Path else value


def _is_refused(value: float, is_finite: bool) -> bool:
    return math.isnan(value) or (is_finite and math.isinf(value))


def _read_tuple(kind: Any, value: Any, is_ros: bool, is_finite: bool) -> tuple[Any, ...]:
    entry, length = entry_kinds(kind)
    word = "a list" if length is None else f"a list of {length}"
    if not isinstance(value, (list, tuple)) or length not in (None, len(value)):
        raise ValueKindError(f"is {_shown(value)}, expected {word}")
    return tuple(read_value(entry, each, is_ros=is_ros, is_finite=is_finite) for each in value)


def _fault(kind: Any, value: Any, is_ros: bool) -> str:
    words = (WORDS_OF_ROS if is_ros else WORDS)[kind]
    hint = f": write {value}.0" if kind is float and type(value) is int and is_ros else ""
    return f"is {_shown(value)}, expected {words}{hint}"


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueKindError(f"is {reprlib.repr(value)}, expected {WORDS[float]}") from error


def _shown(value: Any) -> str:
    return "empty" if value is None else reprlib.repr(value)


def read_text(kind: Any, text: str) -> Any:
    """A word of a command line as a field holds it: a number, a text or a path.

    Raises:
        ValueKindError: if it is of another kind.
    """
    inner, _ = value_kind(kind)
    try:
        value = inner(text)
    except ValueError as error:
        raise ValueKindError(_fault(inner, text, is_ros=False)) from error
    return read_value(inner, str(value) if inner is Path else value)
