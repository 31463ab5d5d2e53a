"""Some messages of each topic that a run would use: the first, and some later ones."""

from collections.abc import Mapping
from typing import Any

from conegrad_nodes.bags.reader import BagReader, RawMessage

LATER = (0.25, 0.5, 0.75)  # places of the later messages, as shares of the duration of the bag


def sample_messages(bag: BagReader, roles: Mapping[str, str]) -> dict[str, list[Any]]:
    """Decoded messages of each role, in their order, no message twice.

    Raises:
        BagError: if bytes do not fit the type of their topic.
    """
    return {role: [bag.decode(raw) for raw in _samples(bag, name)] for role, name in roles.items()}


def _samples(bag: BagReader, topic: str) -> list[RawMessage]:
    starts = [None, *(bag.start_ns + round(place * bag.duration * 1e9) for place in LATER)]
    found = (next(bag.raw_messages([topic], start_ns=start), None) for start in starts)
    return list({raw.receive_ns: raw for raw in found if raw is not None}.values())
