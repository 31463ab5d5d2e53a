"""Why the cones of a frame are worth less than with all sensors in order."""

from typing import NamedTuple


class Reason(NamedTuple):
    """One cause.

    Attributes:
        name: stable, such as ``camera_lost``; programs compare it.
        text: one sentence with the values, for people.
    """

    name: str
    text: str

    def __str__(self) -> str:
        """As messages carry it: ``NAME: TEXT``."""
        return f"{self.name}: {self.text}"


def read_reason(text: str) -> Reason:
    """The cause that a message carries; without a colon all of it is the name."""
    name, _, sentence = text.partition(":")
    return Reason(name.strip(), sentence.strip())
