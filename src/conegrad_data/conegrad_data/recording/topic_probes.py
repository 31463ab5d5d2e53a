"""Some messages of each topic that a run would use: the first, and some later ones."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError

LATER = (0.25, 0.5, 0.75)  # places of the later messages, as shares of the duration of the bag


class TopicProbe(NamedTuple):
    """The first and some later messages of one topic.

    Attributes:
        messages: decoded, in their order.
        faults: of those whose bytes do not fit the type of the topic.
    """

    messages: list[Any]
    faults: list[str]


def probe_topics(bag: BagReader, roles: Mapping[str, str]) -> dict[str, TopicProbe]:
    """Some messages of each role, none twice.

    Raises:
        BagError: if data is damaged.
    """
    return {role: _decoded(bag, name) for role, name in roles.items()}


def _decoded(bag: BagReader, topic: str) -> TopicProbe:
    probe = TopicProbe([], [])
    for raw in _raw_messages(bag, topic):
        try:
            probe.messages.append(bag.decode(raw))
        except BagError as error:
            probe.faults.append(str(error))
    return probe


def _raw_messages(bag: BagReader, topic: str) -> list[RawMessage]:
    starts = [None, *(bag.start_ns + round(place * bag.duration * 1e9) for place in LATER)]
    found = (next(bag.raw_messages([topic], start_ns=start), None) for start in starts)
    return list({raw.receive_ns: raw for raw in found if raw is not None}.values())
