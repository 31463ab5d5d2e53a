"""Class names of weights files mapped by name into the order of the core."""

from collections.abc import Sequence

from conegrad_core.cones import CLASS_NAMES

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
CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


def class_order(names: Sequence[str], source: str) -> list[int]:
    """For each class of :data:`CLASS_NAMES`, its index in ``names``.

    Args:
        names: class names in the order of the file.
        source: the file, for the message.

    Raises:
        ValueError: naming the file, the names found and those expected.
    """
    known = [
        CANONICAL.get(name.strip().lower().replace(" ", "_").replace("-", "_")) for name in names
    ]
    if sorted(map(str, known)) != sorted(CLASS_NAMES):
        raise ValueError(
            f"{source} has the classes {list(names)}, expected {list(CLASS_NAMES)} in any order "
            "(or common aliases such as 'large_orange_cone')"
        )
    return [known.index(name) for name in CLASS_NAMES]
