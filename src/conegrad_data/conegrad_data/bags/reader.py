"""Reads rosbag2 recordings: MCAP and SQLite, folders and single files, damaged ones too."""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from rosbags.interfaces import Qos
from rosbags.serde import SerdeError

from conegrad_data.bags.bag_files import BAG_SUFFIXES, find_files, is_declared, open_file
from conegrad_data.bags.metadata import Metadata, differences, read_metadata
from conegrad_data.bags.qos import offered_qos
from conegrad_data.bags.storage import (
    CDR,
    NANOSECONDS,
    Piece,
    RawMessage,
    StorageFile,
    StoredTopic,
    in_order,
    unpacked,
)
from conegrad_data.bags.types import BagError, is_known, typestore_with

__all__ = ["BAG_SUFFIXES", "BagReader", "RawMessage", "Topic"]

logger = logging.getLogger(__name__)

FIRST_NS, LAST_NS = -(2**63), 2**63 - 1  # bounds of receive times
MAX_OVERLAP = 0.5  # share of its time in which an undeclared file may repeat a declared one


@dataclass(frozen=True)
class Topic:
    """One topic of a bag.

    Attributes:
        msgtype: such as ``sensor_msgs/msg/Image``.
        count: readable messages.
        is_readable: the definition of the type is known, and messages are in CDR.
    """

    msgtype: str
    count: int
    is_readable: bool


class BagReader:
    """A rosbag2 recording, open for reading; use it in a ``with`` statement.

    All that can be read is read, whatever the index, ``metadata.yaml`` or the names of the files
    say; :attr:`warnings` and the log say what is lost, and what differs from what the bag declares.
    Topics of unknown type are listed, and only reading *them* is refused. Nothing is written beside
    the recording.

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

    def __init__(self, path: str | Path, *, is_logging: bool = True) -> None:
        """Open a bag.

        Args:
            path: a folder, or a file of one.
            is_logging: log the warnings, too; False where the caller shows them.
        """
        self.path = Path(path)
        self.warnings: list[str] = []
        self._is_logging = is_logging
        self._stack = ExitStack()
        self._files: list[StorageFile] = []
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise

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
        self._files = []
        self._stack.close()

    @property
    def duration(self) -> float:
        """Time between the first and the last message [s]."""
        return (self.end_ns - self.start_ns) / NANOSECONDS

    @property
    def notes(self) -> Mapping[str, str]:
        """Texts by name that ``metadata.yaml`` keeps as ``custom_data``."""
        return self._declared.notes if self._declared else {}

    @property
    def qos(self) -> Mapping[str, list[Qos]]:
        """Quality of service that the publishers of each topic offered; empty where unknown.

        ``metadata.yaml`` is asked first, as ``ros2 bag play`` does.
        """
        declared = self._declared.topics if self._declared else {}
        return {
            name: offered_qos(declared[name].qos if name in declared else "")
            or offered_qos(next((t.qos for t in self._stored() if t.name == name and t.qos), ""))
            for name in self.topics
        }

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

        What a damage takes is left out and reported in :attr:`warnings`, at the end at the latest.

        Args:
            topics: topic names; None reads all topics, those of unknown type too.
            start_ns: first receive time that is read [ns]; the index of the bag leads there.
            stop_ns: receive time before which reading stops [ns].

        Raises:
            BagError: if a message cannot be decompressed.
        """
        names = self.topics.keys() if topics is None else set(topics) & self.topics.keys()
        wanted = {(name, self.topics[name].msgtype) for name in names}
        start = FIRST_NS if start_ns is None else start_ns
        stop = LAST_NS if stop_ns is None else stop_ns
        pieces = [
            Piece(file.time_range[0], partial(file.messages, wanted, start, stop))
            for file in self._files
            if file.time_range[1] >= start and file.time_range[0] < stop
        ]
        counts: Counter[str] = Counter()
        for raw in in_order(pieces):
            counts[raw.topic] += 1
            yield unpacked(raw)
        if start_ns is None and stop_ns is None:
            self._compare_with_index({name: counts[name] for name in names})

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
        self._declared = self._read_metadata()
        self._open_files(find_files(self.path, self._declared, self._warn))
        self.typestore = typestore_with(self._definitions().items())
        self.topics = self._list_topics()
        self.start_ns, self.end_ns = self._time_range()
        self._compare_with_metadata()
        for name, topic in self.topics.items():
            if not topic.is_readable:
                self._warn(self._unreadable(name, topic))

    def _read_metadata(self) -> Metadata | None:
        if self.path.is_file():
            return None
        try:
            return read_metadata(self.path)
        except ValueError as error:
            self._warn(f"{error}; the files are read without it")
            return None

    def _open_files(self, paths: list[Path]) -> None:
        refused: list[BagError] = []
        undeclared: list[StorageFile] = []
        for path in paths:
            try:
                file = open_file(path, self._warn, self._stack)
            except BagError as error:
                refused.append(error)
                continue
            is_of_bag = self._declared is None or is_declared(path, self._declared)
            (self._files if is_of_bag else undeclared).append(file)
        for file in undeclared:
            self._take_undeclared(file)
        if not self._files:
            raise refused[0]
        for refusal in refused:
            self._warn(str(refusal))

    def _take_undeclared(self, file: StorageFile) -> None:
        """Read a file that ``metadata.yaml`` does not list, unless it is there twice."""
        start, end = file.time_range
        topics = {topic.name for topic in file.topics}
        repeated = [
            other.path.name
            for other in self._files
            if not topics.isdisjoint(topic.name for topic in other.topics)
            and min(end, other.time_range[1]) - max(start, other.time_range[0])
            > MAX_OVERLAP * (end - start)
        ]
        if repeated:
            self._warn(
                f"{file.path} is not listed in metadata.yaml and left out: it has messages of the "
                f"same topics and time as {repeated[0]}"
            )
        else:
            self._warn(f"{file.path} is not listed in metadata.yaml; it is read, too")
            self._files.append(file)

    def _stored(self) -> Iterator[StoredTopic]:
        for file in self._files:
            yield from file.topics

    def _definitions(self) -> dict[str, str]:
        definitions: dict[str, str] = {}
        for topic in self._stored():
            if not topic.definition:
                continue
            first = definitions.setdefault(topic.msgtype, topic.definition)
            if first != topic.definition:
                self._warn(
                    f"the files of {self.path} define {topic.msgtype} in different ways; all are "
                    "read by the first"
                )
        return definitions

    def _list_topics(self) -> dict[str, Topic]:
        counts: dict[str, Counter[str]] = {}
        for stored in self._stored():
            counts.setdefault(stored.name, Counter())[stored.msgtype] += stored.count
        topics = {}
        for name, types in sorted(counts.items()):
            found = [
                Topic(msgtype, count, self._is_readable(name, msgtype))
                for msgtype, count in types.items()
            ]
            topics[name] = max(found, key=lambda topic: (topic.is_readable, topic.count))
            if len(found) > 1:
                held = " and ".join(f"{t.msgtype} ({t.count} messages)" for t in found)
                self._warn(f"{name} holds {held}; only {topics[name].msgtype} is read")
        return topics

    def _is_readable(self, name: str, msgtype: str) -> bool:
        return self._encoding(name, msgtype) == CDR and is_known(self.typestore, msgtype)

    def _encoding(self, name: str, msgtype: str) -> str:
        """``cdr`` if all of the topic's messages are in it, else another that occurs."""
        encodings = {t.encoding for t in self._stored() if (t.name, t.msgtype) == (name, msgtype)}
        return next(iter(encodings - {CDR}), CDR)

    def _time_range(self) -> tuple[int, int]:
        ranges = [file.time_range for file in self._files]
        ranges = [(start, end) for start, end in ranges if start <= end]
        if not ranges:
            return 0, 0
        return min(start for start, _ in ranges), max(end for _, end in ranges)

    def _compare_with_metadata(self) -> None:
        if self._declared is None:
            return
        counts = Counter[str]()
        for stored in self._stored():
            if stored.msgtype == self.topics[stored.name].msgtype:
                counts[stored.name] += stored.count
        types = {name: topic.msgtype for name, topic in self.topics.items()}
        for difference in differences(self._declared, counts, types, self.duration):
            self._warn(f"{self.path}: {difference}")

    def _compare_with_index(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            if count != self.topics[name].count:
                self._warn(
                    f"{self.path}: its index has {self.topics[name].count} messages on {name}, "
                    f"{count} were read"
                )

    def _warn(self, text: str) -> None:
        if text in self.warnings:
            return
        self.warnings.append(text)
        if self._is_logging:
            logger.warning("%s", text)

    def _check_readable(self, name: str) -> None:
        if name not in self.topics:
            held = ", ".join(self.topics) or "no topics"
            raise BagError(f"{self.path} has no topic {name}; it holds {held}")
        if not self.topics[name].is_readable:
            raise BagError(f"{self.path}: {self._unreadable(name, self.topics[name])}")

    def _unreadable(self, name: str, topic: Topic) -> str:
        encoding = self._encoding(name, topic.msgtype)
        fault = (
            f"has the unknown message type {topic.msgtype or 'without a name'}, which the bag does "
            "not define"
            if encoding == CDR
            else f"is encoded as {encoding or 'nothing'}, expected cdr"
        )
        return f"{name} {fault}; its {topic.count} messages are skipped, other topics are readable"
