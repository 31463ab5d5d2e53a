"""Settings declared once: frozen dataclasses with a description and bounds per field."""

import dataclasses
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


@dataclass(frozen=True)
class Config:
    """Base of all settings; refuses values out of bounds by name.

    Raises:
        ValueError: if a field lies outside its bounds.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            entries = value if isinstance(value, (tuple, list)) else (value,)
            for entry in entries:
                _check_bounds(f"{type(self).__name__}.{field.name}", entry, field.metadata)


def _check_bounds(name: str, value: Any, metadata: Any) -> None:
    low, high = metadata.get("low"), metadata.get("high")
    if low is None and high is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} is {value!r}, expected a number")
    # Written so that NaN is refused, too.
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise ValueError(f"{name} is {value}, expected a value in [{low}, {high}]")
