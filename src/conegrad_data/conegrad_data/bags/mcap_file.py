"""Reads one MCAP file, whichever index its writer gave it, up to what is damaged.

The records are read by the ``mcap`` package. Which of them are read, and when, is decided here:
readers of rosbags and of ``mcap`` trust the index, and lose messages or hold a whole file in memory
where a writer left a part of it out.
"""

import io
import struct
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, Message
from mcap.stream_reader import MAGIC_SIZE
from mcap.summary import Summary

from conegrad_data.bags.mcap_scan import (
    DAMAGE,
    RECORD_HEADER,
    McapIndex,
    Span,
    chunk_records,
    scan,
)
from conegrad_data.bags.storage import (
    NO_TIME,
    Piece,
    RawMessage,
    StoredTopic,
    Warn,
    in_order,
    reason,
)

# At the end of a file: start of the summary, start of its offsets, check sum of both, magic.
FOOTER = struct.Struct("<QQI8s")
CHECKSUM_FROM_END = 4 + MAGIC_SIZE
QOS = "offered_qos_profiles"


class McapFile:
    """An MCAP file; see :class:`~conegrad_data.bags.storage.StorageFile`."""

    def __init__(self, path: Path, warn: Warn) -> None:
        """Open the file; read it through if its index does not tell what it holds.

        Raises:
            BagError: if the file is damaged and no message can be read.
            OSError: if it cannot be opened.
        """
        self.path, self._warn = path, warn
        self._file = path.open("rb")
        try:
            self._index = _summary_index(self._file) or scan(path, warn)
        except BaseException:
            self._file.close()
            raise
        self.topics = [self._topic(channel) for channel in self._index.channels.values()]
        self.time_range = self._index.time_range

    def close(self) -> None:
        """Close the file; twice does no harm."""
        self._file.close()

    def messages(
        self, wanted: Collection[tuple[str, str]], start_ns: int, stop_ns: int
    ) -> Iterator[RawMessage]:
        """Messages of some topics and types in the order of receive time."""
        channels = {
            number: pair
            for number, channel in self._index.channels.items()
            if (pair := (channel.topic, self._msgtype(channel))) in wanted
        }
        pieces = [
            Piece(span.start_ns, partial(self._read, span, channels, start_ns, stop_ns))
            for span in self._index.spans
            if span.end_ns >= start_ns
            and span.start_ns < stop_ns
            and (span.channels is None or not span.channels.isdisjoint(channels))
        ]
        return in_order(pieces)

    def _read(
        self, span: Span, channels: dict[int, tuple[str, str]], start_ns: int, stop_ns: int
    ) -> list[RawMessage]:
        try:
            records = _records(self._file, span)
        except DAMAGE as error:
            seconds = (span.end_ns - span.start_ns) * 1e-9
            self._warn(
                f"{self.path}: the chunk at byte {span.offset} cannot be read ({reason(error)}); "
                f"its messages over {seconds:.2f} s are lost"
            )
            return []
        found = [
            RawMessage(*channels[record.channel_id], record.log_time, record.data)
            for record in records
            if record.channel_id in channels and start_ns <= record.log_time < stop_ns
        ]
        return sorted(found, key=lambda raw: raw.receive_ns)

    def _topic(self, channel: Channel) -> StoredTopic:
        schema = self._index.schemas.get(channel.schema_id)
        return StoredTopic(
            channel.topic,
            self._msgtype(channel),
            self._index.counts.get(channel.id, 0),
            channel.message_encoding,
            schema.data.decode(errors="replace") if schema else "",
            channel.metadata.get(QOS, ""),
        )

    def _msgtype(self, channel: Channel) -> str:
        schema = self._index.schemas.get(channel.schema_id)
        return schema.name if schema else ""


def _summary_index(file: IO[bytes]) -> McapIndex | None:
    """The index that the file has, None where it does not tell all that reading needs."""
    try:
        summary = SeekingReader(file).get_summary()
    except (*DAMAGE, OSError):
        return None
    if summary is None or not _is_complete(summary) or not _is_intact(file):
        return None
    statistics = summary.statistics
    spans = [
        Span(
            chunk.message_start_time,
            chunk.message_end_time,
            chunk.chunk_start_offset,
            # Without an index of messages it is not known what the chunk holds.
            frozenset(chunk.message_index_offsets) or None,
        )
        for chunk in summary.chunk_indexes
    ]
    return McapIndex(
        summary.schemas,
        summary.channels,
        Counter(statistics.channel_message_counts),
        spans,
        (statistics.message_start_time, statistics.message_end_time)
        if statistics.message_count
        else NO_TIME,
    )


def _is_intact(file: IO[bytes]) -> bool:
    """Whether the summary fits its check sum, if it has one."""
    file.seek(-FOOTER.size, io.SEEK_END)
    start, _, checksum, _ = FOOTER.unpack(file.read(FOOTER.size))
    end = file.seek(-CHECKSUM_FROM_END, io.SEEK_END)
    file.seek(start)
    return checksum in (0, zlib.crc32(file.read(end - start)))


def _is_complete(summary: Summary) -> bool:
    statistics = summary.statistics
    if statistics is None or statistics.chunk_count != len(summary.chunk_indexes):
        return False
    counts = statistics.channel_message_counts
    known = all(
        (channel := summary.channels.get(number)) is not None
        and (channel.schema_id == 0 or channel.schema_id in summary.schemas)
        for number in counts
    )
    is_indexed = bool(summary.chunk_indexes) or statistics.message_count == 0
    return known and is_indexed and sum(counts.values()) == statistics.message_count


def _records(file: IO[bytes], span: Span) -> list[Message]:
    if span.end:
        return list(_loose_messages(file, span))
    file.seek(span.offset + RECORD_HEADER.size)
    records = chunk_records(Chunk.read(ReadDataStream(file)))
    return [record for record in records if isinstance(record, Message)]


def _loose_messages(file: IO[bytes], span: Span) -> Iterator[Message]:
    offset = span.offset
    while offset < span.end:
        file.seek(offset)
        opcode, length = RECORD_HEADER.unpack(file.read(RECORD_HEADER.size))
        if opcode == Opcode.MESSAGE:
            yield Message.read(ReadDataStream(file), length)
        offset += RECORD_HEADER.size + length
