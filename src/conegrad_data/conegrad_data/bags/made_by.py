"""What made the cones of a bag, as its ``metadata.yaml`` keeps it."""

from collections.abc import Mapping

PREFIX = "conegrad_"  # of the names in ``custom_data``


def to_notes(made_by: Mapping[str, str]) -> dict[str, str]:
    """Entries of ``custom_data``."""
    return {f"{PREFIX}{name}": text for name, text in made_by.items()}


def from_notes(notes: Mapping[str, str]) -> dict[str, str]:
    """What :func:`to_notes` was given; entries of others are left out."""
    found = {name: str(text) for name, text in notes.items() if name.startswith(PREFIX)}
    return {name.removeprefix(PREFIX): text for name, text in found.items()}
