"""What an examination says: one fact, and its remedy."""

from typing import NamedTuple

from conegrad_data.status.part_status import Level


class Finding(NamedTuple):
    """One fact about an installation or a running graph.

    Attributes:
        area: what was examined, such as ``engines`` or ``topics``.
        level: OK what was found to be in order; WARN what perception goes on with, worse for it;
            ERROR what keeps it from giving cones.
        text: names package, file, topic or parameter, its value, and what was expected.
        remedy: what helps; empty where nothing is wrong.
    """

    area: str
    level: Level
    text: str
    remedy: str = ""
