"""Status of one part of a node, as diagnostics publish it."""

from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """Levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class PartStatus:
    """The state of one part of a node.

    Attributes:
        part: of the node, e.g. ``input scan``.
        level: how bad it is.
        cause: short and constant while the cause stays the same.
        text: for people, with values.
        values: further numbers, by name.
    """

    part: str
    level: Level
    cause: str
    text: str
    values: dict[str, str] = field(default_factory=dict)
