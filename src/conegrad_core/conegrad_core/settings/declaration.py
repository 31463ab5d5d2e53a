"""Settings declared once: frozen dataclasses with a description and bounds per field."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


def setting(
    default: Any, description: str, *, low: float | None = None, high: float | None = None
) -> Any:
    """Declare one field of a :class:`Config`.

    Args:
        default: value where nothing else is given.
        description: one line for people, with the unit in brackets.
        low: smallest allowed value, inclusive; for a tuple, of each entry.
        high: largest allowed value, inclusive; for a tuple, of each entry.
    """
    metadata = {"description": description, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=metadata)


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
            entries = value if isinstance(value, (tuple, list)) else (value,)
            for entry in entries:
                fault = _out_of_bounds(entry, field.metadata.get("low"), field.metadata.get("high"))
                if fault:
                    raise self.refusal(field.name, fault)

    def check_choice(self, field: str, allowed: Sequence[str]) -> None:
        """Refuse a field that is none of the words that are allowed.

        Raises:
            SettingError: naming the value and what was expected.
        """
        value = getattr(self, field)
        if value not in allowed:
            raise self.refusal(field, f"is {value!r}, expected one of {', '.join(allowed)}")

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
