"""Settings declared once: frozen dataclasses with a description and bounds per field.

A setting that is renamed keeps its old name for one version::

    detector_rate: float = setting(2e-4, "Learning rate of the detector", aliases=("camera_rate",))

Every reader (YAML, ``--set``, options, ROS parameters, action goals) then takes the old name as
well and logs ``--camera-rate is now --detector-rate (until 0.3)``. Python code uses the new name
only. For a value that is renamed, pass ``renamed`` to :meth:`Config.check_choice`; for anything
else, call :func:`conegrad_core.settings.names.warn_renamed`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conegrad_core.settings.names import choice_fault, warn_renamed


def setting(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    aliases: Sequence[str] = (),
    choices: Sequence[str] = (),
    option: str = "",
    short: str = "",
    metavar: str = "",
    is_repeated: bool = False,
) -> Any:
    """Declare one field of a :class:`Config`.

    Args:
        default: value where nothing else is given.
        description: one line for people, with the unit in brackets.
        low: smallest allowed value, inclusive; for a tuple, of each entry.
        high: largest allowed value, inclusive; for a tuple, of each entry.
        aliases: earlier names, accepted with a warning.
        choices: words that are allowed, of a tuple for each entry; they are added to the
            description. An empty one is not listed: the description says what it means.
        option: of a command line, if it is not made from the name of the field.
        short: short option of a command line, such as ``-o``.
        metavar: name of the value in the help of a command line; empty: made from the type.
        is_repeated: of a tuple of any length: its option takes one entry and may be repeated.
    """
    metadata = {
        **_metadata(_with_choices(description, choices), low, high, aliases),
        "choices": tuple(choices),
        "option": option,
        "short": short,
        "metavar": metavar,
        "is_repeated": is_repeated,
    }
    return dataclasses.field(default=default, metadata=metadata)


def _with_choices(description: str, choices: Sequence[str]) -> str:
    """A description that lists the words that are allowed."""
    words = [word for word in choices if word]
    if not words:
        return description
    listed = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    text, semicolon, rest = description.partition(";")
    return f"{text} ({listed}){semicolon}{rest}"


def required(
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a field without a default: a file has to give it, and a number has to be finite.

    Arguments as of :func:`setting`.
    """
    metadata = _metadata(description, low, high, aliases)
    return dataclasses.field(metadata={**metadata, "is_finite": True})


def _metadata(
    description: str, low: float | None, high: float | None, aliases: Sequence[str]
) -> dict[str, Any]:
    return {"description": description, "low": low, "high": high, "aliases": tuple(aliases)}


class SettingError(ValueError):
    """A setting is refused; who read it from an option or a parameter names that instead.

    Attributes:
        field: of the settings.
        fault: its value and what was expected, as words that follow a name.
    """

    def __init__(self, owner: str, field: str, fault: str) -> None:
        super().__init__(owner, field, fault)
        self.field, self.fault = field, fault
        self._owner = owner

    @property
    def by_option(self) -> str:
        """The message for who gave the setting as an option of a command line."""
        return f"--{self.field.replace('_', '-')} {self.fault}"

    def __str__(self) -> str:
        return f"{self._owner}.{self.field} {self.fault}"


@dataclass(frozen=True)
class Config:
    """Base of all settings; refuses values out of bounds by name.

    Raises:
        SettingError: if a field lies outside its bounds.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            entries = value if isinstance(value, (tuple, list)) else (value,)
            for entry in entries:
                fault = _out_of_bounds(entry, field.metadata.get("low"), field.metadata.get("high"))
                if fault:
                    raise self.refusal(field.name, fault)
                if (choices := field.metadata.get("choices")) and entry not in choices:
                    raise self.refusal(field.name, choice_fault(entry, choices))

    def check_choice(
        self, field: str, allowed: Sequence[str], renamed: Mapping[str, str] | None = None
    ) -> None:
        """Refuse a field that is none of the words that are allowed.

        Args:
            field: of the settings.
            allowed: words.
            renamed: earlier words with those that replace them; one of these is replaced, with a
                warning.

        Raises:
            SettingError: naming the value and what was expected.
        """
        value = getattr(self, field)
        if renamed and value in renamed:
            warn_renamed(f"{field} {value}", f"{field} {renamed[value]}")
            object.__setattr__(self, field, renamed[value])
        elif value not in allowed:
            raise self.refusal(field, choice_fault(value, allowed))

    def refusal(self, field: str, fault: str) -> SettingError:
        """The error to raise for a field: ``fault`` follows its name, ``is 0, expected ...``."""
        return SettingError(type(self).__name__, field, fault)


def _out_of_bounds(value: Any, low: float | None, high: float | None) -> str:
    """What is wrong with a value, empty if nothing is."""
    if low is None and high is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"is {value!r}, expected a number"
    # Written so that NaN is refused, too.
    if (low is None or value >= low) and (high is None or value <= high):
        return ""
    if low is None or high is None:
        return f"is {value}, expected at {f'least {low}' if high is None else f'most {high}'}"
    return f"is {value}, expected a value in [{low}, {high}]"
