"""What the two storages of rosbag2 (MCAP and SQLite) have in common."""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from zstandard import ZstdDecompressor, ZstdError

from conegrad_data.bags.types import BagError

NANOSECONDS = 1_000_000_000
CDR = "cdr"
# Messages that rosbag2 compressed one by one start with it; CDR starts with a zero byte.
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_REASON = 200  # characters of what a library says of a damage
NO_TIME = (2**63 - 1, -1)  # range of a file without messages: it starts after it ends

Warn = Callable[[str], None]


@dataclass(frozen=True)
class StoredTopic:
    """A topic as one file has it; several of one name may differ in their type.

    Attributes:
        name: with its leading slash.
        msgtype: such as ``sensor_msgs/msg/Image``.
        count: messages in the file.
        encoding: of the messages, such as ``cdr``.
        definition: text of the type, empty if the file has none.
        qos: YAML of the profiles that its publishers offered, empty if unknown.
    """

    name: str
    msgtype: str
    count: int
    encoding: str
    definition: str
    qos: str


class RawMessage(NamedTuple):
    """One message as it was recorded.

    Attributes:
        topic: with its leading slash.
        msgtype: such as ``sensor_msgs/msg/Image``.
        receive_ns: when the recorder received it [ns].
        data: serialized (CDR).
    """

    topic: str
    msgtype: str
    receive_ns: int
    data: bytes


class StorageFile(Protocol):
    """One open file of a bag.

    Attributes:
        path: the file.
        topics: what it holds.
        time_range: receive times of the first and the last message [ns], or :data:`NO_TIME`.
    """

    path: Path
    topics: list[StoredTopic]
    time_range: tuple[int, int]

    def messages(
        self, wanted: Collection[tuple[str, str]], start_ns: int, stop_ns: int
    ) -> Iterator[RawMessage]:
        """Messages of some topics and types in the order of receive time.

        Args:
            wanted: pairs of topic and type.
            start_ns: first receive time [ns].
            stop_ns: receive time before which reading stops [ns].
        """

    def close(self) -> None:
        """Close the file; twice does no harm."""


class Piece(NamedTuple):
    """A part of a recording whose messages come in the order of receive time.

    Attributes:
        start_ns: no message of it is earlier [ns].
        messages: reads it; not before a message so late is asked for.
    """

    start_ns: int
    messages: Callable[[], Iterable[RawMessage]]


def in_order(pieces: Iterable[Piece]) -> Iterator[RawMessage]:
    """Messages of pieces that may overlap, in the order of receive time.

    A piece is opened when its time comes: few are in memory at once.
    """
    waiting = iter(sorted(pieces, key=lambda piece: piece.start_ns))
    following = next(waiting, None)
    # Number of the piece: it decides between messages of one time.
    heads: list[tuple[int, int, RawMessage, Iterator[RawMessage]]] = []
    number = 0
    while following or heads:
        if following and (not heads or following.start_ns <= heads[0][0]):
            messages = iter(following.messages())
            following, number = next(waiting, None), number + 1
            _push(heads, number, messages)
            continue
        _, place, raw, messages = heads[0]
        yield raw
        heapq.heappop(heads)
        _push(heads, place, messages)


def _push(
    heads: list[tuple[int, int, RawMessage, Iterator[RawMessage]]],
    place: int,
    messages: Iterator[RawMessage],
) -> None:
    raw = next(messages, None)
    if raw is not None:
        heapq.heappush(heads, (raw.receive_ns, place, raw, messages))


def reason(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())[:MAX_REASON] or f"unexpected {type(error).__name__}"


def unpacked(raw: RawMessage) -> RawMessage:
    """The message, decompressed if the recorder compressed it.

    Raises:
        BagError: if it cannot be decompressed.
    """
    if not raw.data.startswith(ZSTD_MAGIC):
        return raw
    try:
        # Frames without a size are read as a stream.
        return raw._replace(data=ZstdDecompressor().decompressobj().decompress(raw.data))
    except ZstdError as error:
        raise BagError(f"a message on {raw.topic} cannot be decompressed ({error})") from error
