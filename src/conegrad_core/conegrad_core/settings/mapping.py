"""Settings read from nested mappings of names and values, such as the content of a YAML file."""

import dataclasses
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from conegrad_core.settings.declaration import Config, SettingError
from conegrad_core.settings.names import fields_by_name, shown_name, unknown_fault, warn_renamed
from conegrad_core.settings.values import ValueKindError, kinds_of, read_value, value_kind

C = TypeVar("C", bound=Config)
Place = Callable[[Sequence[object]], str]


class ReadError(ValueError):
    """A setting of a file, an option or a parameter is refused.

    Attributes:
        outline: the message without what stands in the file, for who may not read it.
    """

    def __init__(self, message: str, outline: str = "") -> None:
        super().__init__(message)
        self.outline = outline or message


@dataclass(frozen=True)
class Location:
    """Where a setting is given, for messages.

    Attributes:
        place: what is put before the name of a setting, ``FILE:LINE:`` and a space, by its keys.
        keys: names of the groups around the setting and its own.
        label: what stands between place and name, such as ``parameter`` and a space.
        shown: name of the setting in messages; empty: made from the keys.
        is_ros: values are those of ROS parameters, which convert no number.
    """

    place: Place = lambda keys: ""
    keys: tuple[object, ...] = ()
    label: str = ""
    shown: str = ""
    is_ros: bool = False

    def __truediv__(self, key: object) -> "Location":
        """The location of an entry."""
        return dataclasses.replace(self, keys=(*self.keys, key))

    @property
    def name(self) -> str:
        """Names of groups and setting, joined by points."""
        return self.shown or ".".join(shown_name(key) for key in self.keys)

    def __str__(self) -> str:
        return f"{self.place(self.keys)}{self.label}{self.name}"

    def refusal(self, fault: str, outline: str = "") -> ReadError:
        """The error to raise: ``fault`` follows the name, ``outline`` the place."""
        if self.keys:
            return ReadError(f"{self} {fault}", outline)
        return ReadError(f"{self.place(()).removesuffix(': ')} {fault}", outline)


def read_config(config_class: type[C], values: Any, at: Location) -> C:
    """A settings dataclass, possibly of other ones, from a mapping.

    Raises:
        ReadError: for a name that does not exist or is missing, a value of another kind, or one
            out of bounds.
    """
    read = read_fields(config_class, values, at)
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    for name, field in fields.items():
        if name not in read and field.default is dataclasses.MISSING:
            description = field.metadata.get("description", "a group of settings")
            raise (at / name).refusal(f"is missing, expected: {description}")
    return make_config(config_class, read, at)


def make_config(config_class: type[C], values: Mapping[str, Any], at: Location) -> C:
    """A settings dataclass of values that have been read.

    Raises:
        ReadError: for a value out of bounds.
    """
    try:
        return config_class(**values)
    except SettingError as error:
        raise (at / error.field).refusal(error.fault) from error


def read_fields(config_class: type[Config], values: Any, at: Location) -> dict[str, Any]:
    """Values of the fields that a mapping gives, converted to their kinds.

    Raises:
        ReadError: for a name that does not exist, or a value of another kind.
    """
    if not isinstance(values, Mapping):
        expected = "expected settings with values"
        found = f"is {'empty' if values is None else reprlib.repr(values)}, {expected}"
        raise at.refusal(found, f"{at.place(at.keys)}{at.name} holds no settings with values")
    known = fields_by_name(config_class)
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    read: dict[str, Any] = {}
    for key, value in values.items():
        name = known.get(key) if isinstance(key, str) else None
        if name is None:
            raise unknown(at, key, list(fields))
        if name in read:
            raise (at / key).refusal(f"is given twice, also as {name}")
        if name != key:
            warn_renamed(str(at / key), (at / name).name)
        read[name] = _read(config_class, fields[name], value, at / key)
    return read


def unknown(at: Location, key: object, known: Sequence[str]) -> ReadError:
    """The error for a name that does not exist; its outline does not repeat the name."""
    prefix = f"{at.name}." if at.keys else ""
    here = at / key
    group = at.name or "the file"
    outline = f"{here.place(here.keys)}{group} has an unknown name, expected one of "
    return here.refusal(unknown_fault(key, known, prefix=prefix), outline + ", ".join(known))


def _read(
    config_class: type[Config], field: "dataclasses.Field[Any]", value: Any, at: Location
) -> Any:
    kind, is_optional = value_kind(kinds_of(config_class)[field.name])
    if isinstance(kind, type) and issubclass(kind, Config):
        return None if value is None and is_optional else read_config(kind, value, at)
    try:
        return read_value(
            kinds_of(config_class)[field.name],
            value,
            is_ros=at.is_ros,
            is_finite=field.metadata.get("is_finite", False),
        )
    except ValueKindError as error:
        raise at.refusal(str(error)) from error
