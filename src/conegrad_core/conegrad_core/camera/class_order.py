"""Class names of weights files mapped by name into the order of the core."""

import json
from collections.abc import Sequence

from conegrad_core.cones import CLASS_NAMES, COLOUR_NAMES, ConeClass

ALIASES = {
    "blue": ("blue", "blue_cone", "bluecone", "cone_blue"),
    "yellow": ("yellow", "yellow_cone", "yellowcone", "cone_yellow"),
    "small_orange": (
        "small_orange",
        "small_orange_cone",
        "orange",
        "orange_cone",
        "orangecone",
        "cone_orange",
    ),
    "big_orange": (
        "big_orange",
        "big_orange_cone",
        "large_orange",
        "large_orange_cone",
        "largeorangecone",
        "orange_big",
        "cone_big_orange",
    ),
}
UNKNOWN_NAMES = ("unknown", "unknown_cone", "other_cone")
CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


def class_order(names: Sequence[str], source: str) -> list[int]:
    """For each class of :data:`CLASS_NAMES`, its index in ``names``.

    Args:
        names: class names in the order of the file.
        source: the file, for the message.

    Raises:
        ValueError: naming the file, the names found and those expected.
    """
    known = [CANONICAL.get(_plain(name)) for name in names]
    if sorted(map(str, known)) != sorted(CLASS_NAMES):
        raise ValueError(
            f"{source} has the classes {list(names)}, expected {list(CLASS_NAMES)} in any order "
            "(or common aliases such as 'large_orange_cone')"
        )
    return [known.index(name) for name in CLASS_NAMES]


def class_names_of(text: object, source: str) -> list[str]:
    """Class names out of the metadata ``class_names`` of a weights file, a JSON list of text.

    Args:
        text: the metadata.
        source: the file, for the message.

    Raises:
        ValueError: if it is anything else, naming the file.
    """
    names = None
    if isinstance(text, str):
        try:
            names = json.loads(text)
        except ValueError:
            names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"{source} has the metadata class_names {text!r}, expected a JSON list of names such "
            f"as {json.dumps(CLASS_NAMES)}"
        )
    return names


def cone_classes(names: Sequence[str], source: str) -> list[ConeClass]:
    """The class of each name of a data set, in its order; it may lack classes.

    Args:
        names: class names; ``unknown`` is a cone of a colour that was not given.
        source: the file, for the message.

    Raises:
        ValueError: for a name that no cone has, naming the file.
    """
    known = CANONICAL | dict.fromkeys(UNKNOWN_NAMES, COLOUR_NAMES[ConeClass.UNKNOWN])
    for name in names:
        if _plain(name) not in known:
            expected = ", ".join(COLOUR_NAMES)
            raise ValueError(f"{source} has the class {name!r}, expected names such as {expected}")
    return [ConeClass[known[_plain(name)].upper()] for name in names]


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
