"""Index of a bag: what its topics hold and where it lies in the file, of one pass over it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.decode import DecodeError, read_header
from conegrad_data.recording.headers import has_header

NANOSECONDS = 1_000_000_000


class MessageReference(NamedTuple):
    """Where a message lies in a bag.

    Attributes:
        topic: its topic.
        receive_ns: its receive time, by which the bag finds it [ns].
        stamp_ns: stamp of capture in its header [ns].
        frame: frame in its header.
    """

    topic: str
    receive_ns: int
    stamp_ns: int
    frame: str


@dataclass
class TopicIndex:
    """What one topic holds; times are NaN where they are not known.

    Attributes:
        name: of the topic.
        msgtype: of its messages.
        frames: frames in its headers.
        receive_ns: receive time of each message [ns].
        stamp_ns: stamp of capture of each message [ns]; empty without a header.
        detail: one more fact, such as the size of images.
        fault: what is wrong with a message; empty where nothing is known to be.
        has_header: whether its messages start with a header.
    """

    name: str
    msgtype: str
    frames: set[str] = field(default_factory=set)
    receive_ns: list[int] = field(default_factory=list)
    stamp_ns: list[int] = field(default_factory=list)
    detail: str = ""
    fault: str = ""
    has_header: bool = False

    def add(self, raw: RawMessage) -> "MessageReference | None":
        """Take the next message; returns where it lies, None without a header to read."""
        self.receive_ns.append(raw.receive_ns)
        if not self.has_header:
            return None
        try:
            header = read_header(raw.data)
        except DecodeError as error:
            self.fault = self.fault or str(error)
            self.stamp_ns.append(0)  # as one that was not set
            return None
        self.stamp_ns.append(header.stamp_ns)
        self.frames.add(header.frame)
        return MessageReference(raw.topic, raw.receive_ns, *header)

    def at(self, stamps_ns: Collection[int]) -> "dict[int, MessageReference]":
        """The last message of each stamp that there is; frames are not reported."""
        rows = zip(self.stamp_ns, self.receive_ns, strict=False)
        return {
            stamp: MessageReference(self.name, receive, stamp, "")
            for stamp, receive in rows
            if stamp in stamps_ns
        }

    @property
    def count(self) -> int:
        """Messages."""
        return len(self.receive_ns)

    @property
    def rate(self) -> float:
        """Median rate [Hz], by stamps where there are any."""
        steps = np.diff(self._times)
        steps = steps[steps > 0]
        return NANOSECONDS / float(np.median(steps)) if len(steps) else float("nan")

    @property
    def longest_gap(self) -> float:
        """Longest time without a message [s]."""
        times = self._times
        return float(np.diff(times).max()) / NANOSECONDS if len(times) > 1 else float("nan")

    @property
    def _times(self) -> npt.NDArray[np.int64]:
        """Stamps that were set, else receive times, in their order [ns]."""
        stamps = [stamp for stamp in self.stamp_ns if stamp]
        return np.sort(np.array(stamps or self.receive_ns, dtype=np.int64))

    @property
    def delay(self) -> float:
        """Median time from capture to recording [s]."""
        if not self.stamp_ns:
            return float("nan")
        received = np.array(self.receive_ns, dtype=np.int64)
        return float(np.median(received - np.array(self.stamp_ns, dtype=np.int64))) / NANOSECONDS


# Takes a message and where it lies; None where it has no header that can be read.
Handler = Callable[[RawMessage, MessageReference | None], None]


def index_bag(
    bag: BagReader,
    handlers: Mapping[str, Handler],
    *,
    topics: Collection[str] | None = None,
    first: Handler | None = None,
) -> dict[str, TopicIndex]:
    """Read a bag once, from its start to its end.

    Args:
        bag: open for reading.
        handlers: of the messages of a topic, by its name; called in the order of the bag.
        topics: names of those to read; None reads all.
        first: is given the first message of each topic.

    Returns:
        What was read of each topic.

    Raises:
        BagError: if a message cannot be decompressed, or a handler refuses it.
    """
    index = {
        name: TopicIndex(name, topic.msgtype, has_header=has_header(bag, topic.msgtype))
        for name, topic in bag.topics.items()
        if topics is None or name in topics
    }
    for raw in bag.raw_messages(topics):
        topic = index[raw.topic]
        reference = topic.add(raw)
        if first is not None and topic.count == 1:
            first(raw, reference)
        if raw.topic in handlers:
            handlers[raw.topic](raw, reference)
    return index


def read_messages(bag: BagReader, references: Sequence[MessageReference]) -> list[RawMessage]:
    """The messages of references, found through the index of the file.

    Raises:
        BagError: if one is missing.
    """
    if not references:
        return []
    times = [reference.receive_ns for reference in references]
    wanted = {(r.topic, r.receive_ns, r.stamp_ns): place for place, r in enumerate(references)}
    found: dict[int, RawMessage] = {}
    names = {reference.topic for reference in references}
    for raw in bag.raw_messages(names, min(times), max(times) + 1):
        if raw.receive_ns not in times:
            continue
        place = wanted.get((raw.topic, raw.receive_ns, read_header(raw.data).stamp_ns))
        if place is not None:
            found.setdefault(place, raw)
    if len(found) != len(references):
        raise BagError(f"{bag.path} changed while it was read")
    return [found[place] for place in range(len(references))]
