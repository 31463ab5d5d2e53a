"""Reads rosbag2 recordings: MCAP and SQLite, folders and single files, damaged ones too."""

import logging
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.serde import SerdeError

from conegrad_nodes.bags.recovery import RecoveredMcap, recover_mcap, recovered_messages
from conegrad_nodes.bags.types import BagError, is_known, typestore_with

logger = logging.getLogger(__name__)

BAG_SUFFIXES = (".mcap", ".db3")


class Topic(NamedTuple):
    """One topic of a bag.

    Attributes:
        msgtype: such as ``sensor_msgs/msg/Image``.
        count: readable messages.
        is_readable: the definition of the type is known.
    """

    msgtype: str
    count: int
    is_readable: bool


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


class BagReader:
    """A rosbag2 recording, open for reading; use it in a ``with`` statement.

    A damaged or cut MCAP file is read up to the damage; :attr:`warnings` and the log say how much
    that is. Topics of unknown type are listed, and only reading *them* is refused.

    Attributes:
        path: the bag.
        topics: what it holds, by topic name.
        start_ns: receive time of the first message [ns]; 0 if there is none.
        end_ns: receive time of the last message [ns]; 0 if there is none.
        warnings: what is wrong with the bag, one line each.
        typestore: the message types, those that the bag defines included.

    Raises:
        BagError: if nothing can be read.
        FileNotFoundError: if there is no such file or folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.warnings: list[str] = []
        self._parts: list[Reader | RecoveredMcap] = []
        self._open()
        self.typestore = typestore_with(self._definitions().items())
        self.topics = self._list_topics()
        self.start_ns, self.end_ns = self._time_range()
        self._warn_of_unknown_types()

    def __enter__(self) -> "BagReader":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; twice does no harm."""
        for part in self._parts:
            if isinstance(part, Reader) and part.is_open:
                part.close()
        self._parts = []

    @property
    def duration(self) -> float:
        """Time between the first and the last message [s]."""
        return (self.end_ns - self.start_ns) * 1e-9

    def messages(self, topics: Collection[str] | None = None) -> Iterator[tuple[str, int, Any]]:
        """Decoded messages in the order in which they were received.

        Args:
            topics: topic names; None reads all topics whose type is known.

        Yields:
            Topic, receive time [ns] and message. The stamp of capture is in the message's header.

        Raises:
            BagError: if a topic is not in the bag or its type is unknown, or data is damaged.
        """
        if topics is None:
            topics = [name for name, topic in self.topics.items() if topic.is_readable]
        for name in topics:
            self._check_readable(name)
        for raw in self.raw_messages(topics):
            yield raw.topic, raw.receive_ns, self.decode(raw)

    def raw_messages(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[RawMessage]:
        """Serialized messages in the order in which they were received.

        Args:
            topics: topic names; None reads all topics, those of unknown type too.
            start_ns: first receive time that is read [ns]; the index of the bag leads there.
            stop_ns: receive time before which reading stops [ns].

        Raises:
            BagError: if data is damaged.
        """
        wanted = self.topics if topics is None else topics
        for part in self._parts:
            yield from _part_messages(part, wanted, self.topics, start_ns, stop_ns)

    def decode(self, raw: RawMessage) -> Any:
        """The message object of a serialized message.

        Raises:
            BagError: if the bytes do not fit the type.
        """
        self._check_readable(raw.topic)
        try:
            return self.typestore.deserialize_cdr(raw.data, raw.msgtype)
        except (SerdeError, ValueError, IndexError) as error:
            raise BagError(
                f"{self.path}: a message on {raw.topic} does not fit {raw.msgtype} ({error})"
            ) from error

    def _open(self) -> None:
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: no such bag")
        if self.path.is_dir() and (self.path / "metadata.yaml").exists():
            try:
                self._parts = [_open_reader(self.path)]
                return
            except BagError as error:
                logger.debug("%s; trying its files one by one", error)
        for file in _storage_files(self.path):
            self._parts.append(self._open_file(file))

    def _open_file(self, file: Path) -> Reader | RecoveredMcap:
        try:
            return _open_reader(file)
        except BagError:
            if file.suffix != ".mcap":
                raise
        recovered = recover_mcap(file)
        self._warn(recovered.describe())
        return recovered

    def _definitions(self) -> dict[str, str]:
        definitions: dict[str, str] = {}
        for part in self._parts:
            if isinstance(part, RecoveredMcap):
                definitions.update(part.definitions)
            else:
                definitions.update({c.msgtype: c.msgdef.data for c in part.connections})
        return {msgtype: text for msgtype, text in definitions.items() if text}

    def _list_topics(self) -> dict[str, Topic]:
        counts: dict[str, int] = {}
        types: dict[str, str] = {}
        for part in self._parts:
            for name, msgtype, count in _part_topics(part):
                if types.setdefault(name, msgtype) != msgtype:
                    self._warn(f"{name} holds {types[name]} and {msgtype}; only the first is read")
                    continue
                counts[name] = counts.get(name, 0) + count
        return {
            name: Topic(msgtype, counts[name], is_known(self.typestore, msgtype))
            for name, msgtype in sorted(types.items())
        }

    def _time_range(self) -> tuple[int, int]:
        ranges = [_part_range(part) for part in self._parts]
        ranges = [(start, end) for start, end in ranges if start <= end]
        if not ranges:
            return 0, 0
        return min(start for start, _ in ranges), max(end for _, end in ranges)

    def _warn_of_unknown_types(self) -> None:
        for name, topic in self.topics.items():
            if not topic.is_readable:
                self._warn(_unknown_type(name, topic))

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        logger.warning("%s", text)

    def _check_readable(self, name: str) -> None:
        if name not in self.topics:
            held = ", ".join(self.topics) or "no topics"
            raise BagError(f"{self.path} has no topic {name}; it holds {held}")
        if not self.topics[name].is_readable:
            raise BagError(f"{self.path}: {_unknown_type(name, self.topics[name])}")


def _unknown_type(name: str, topic: Topic) -> str:
    return (
        f"{name} has the unknown message type {topic.msgtype}, which the bag does not define; "
        f"its {topic.count} messages are skipped, other topics are readable"
    )


def _storage_files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix not in BAG_SUFFIXES:
            raise BagError(f"{path} is no bag: expected a folder or a file *.mcap or *.db3")
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in BAG_SUFFIXES)
    if not files:
        raise BagError(f"{path} is no bag: it holds no file *.mcap or *.db3")
    return files


def _open_reader(path: Path) -> Reader:
    try:
        reader = Reader(path)
        reader.open()
    # Damage also shows as values that make no sense, before rosbags can name it.
    except (ReaderError, ValueError, TypeError, KeyError, OSError) as error:
        raise BagError(f"{path}: cannot be read ({error})") from error
    return reader


def _part_topics(part: Reader | RecoveredMcap) -> Iterator[tuple[str, str, int]]:
    if isinstance(part, RecoveredMcap):
        for name, msgtype in part.types.items():
            yield name, msgtype, part.counts[name]
        return
    for connection in part.connections:
        yield connection.topic, connection.msgtype, connection.msgcount


def _part_range(part: Reader | RecoveredMcap) -> tuple[int, int]:
    if isinstance(part, RecoveredMcap):
        return part.start_ns, part.end_ns
    return part.start_time, part.end_time - 1  # rosbags gives an exclusive end


def _part_messages(
    part: Reader | RecoveredMcap,
    wanted: Collection[str],
    topics: dict[str, Topic],
    start_ns: int | None,
    stop_ns: int | None,
) -> Iterator[RawMessage]:
    if isinstance(part, RecoveredMcap):
        for topic, receive_ns, data in recovered_messages(part, wanted):
            after_start = start_ns is None or receive_ns >= start_ns
            if after_start and (stop_ns is None or receive_ns < stop_ns):
                yield RawMessage(topic, topics[topic].msgtype, receive_ns, data)
        return
    connections = [c for c in part.connections if _is_wanted(c, wanted, topics)]
    if not connections:
        return
    try:
        for connection, receive_ns, data in part.messages(connections, start_ns, stop_ns):
            yield RawMessage(connection.topic, connection.msgtype, receive_ns, data)
    except ReaderError as error:
        raise BagError(f"{part.path}: damaged, reading stopped early ({error})") from error


def _is_wanted(connection: Connection, wanted: Collection[str], topics: dict[str, Topic]) -> bool:
    return connection.topic in wanted and connection.msgtype == topics[connection.topic].msgtype
