"""Reads an MCAP file from its start, to know what it holds without an index or up to a damage."""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import MAGIC_SIZE, breakup_chunk, read_magic
from zstandard import ZstdError

from conegrad_data.bags.storage import NANOSECONDS, NO_TIME, Warn, reason
from conegrad_data.bags.types import BagError

# The ways in which the records' reader meets bytes that mean nothing.
DAMAGE = (
    McapError,
    ValueError,
    RuntimeError,
    EOFError,
    KeyError,
    OverflowError,
    MemoryError,  # of a length that is none
    struct.error,
    ZstdError,
)
COMPRESSIONS = ("", "zstd", "lz4")
RUN_BYTES = 1_000_000  # of messages outside of chunks that are read at once, as a chunk is
RECORD_HEADER = struct.Struct("<BQ")  # opcode, length
MESSAGE_HEADER = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time


class Span(NamedTuple):
    """A chunk, or some messages outside of chunks.

    Attributes:
        start_ns: receive time of its first message [ns].
        end_ns: receive time of its last message [ns].
        offset: where its record starts in the file.
        channels: that it holds; None where it is not known.
        end: where the last record of messages outside of chunks ends; 0 for a chunk.
    """

    start_ns: int
    end_ns: int
    offset: int
    channels: frozenset[int] | None
    end: int = 0


@dataclass
class McapIndex:
    """What a file holds, and where."""

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    spans: list[Span] = field(default_factory=list)
    time_range: tuple[int, int] = NO_TIME

    def add(self, span: Span, counts: Counter[int]) -> None:
        """Count the messages of a span in."""
        if self.spans and (joined := _joined(self.spans[-1], span)):
            self.spans[-1] = joined
        else:
            self.spans.append(span)
        self.counts.update(counts)
        start, end = self.time_range
        self.time_range = min(start, span.start_ns), max(end, span.end_ns)


def _joined(span: Span, following: Span) -> Span | None:
    """One span of two, None unless both are outside of chunks and small together."""
    if not (span.end and following.end) or following.end - span.offset > RUN_BYTES:
        return None
    times = min(span.start_ns, following.start_ns), max(span.end_ns, following.end_ns)
    channels = (span.channels or frozenset()) | (following.channels or frozenset())
    return Span(*times, span.offset, channels, following.end)


def chunk_records(chunk: Chunk) -> list[McapRecord]:
    """Schemas, channels and messages of a chunk.

    Raises:
        One of :data:`DAMAGE`: if it cannot be read.
    """
    if chunk.compression not in COMPRESSIONS:
        raise McapError(f"compression {chunk.compression!r} is unknown")
    return list(breakup_chunk(chunk, validate_crc=True))


def scan(path: Path, warn: Warn) -> McapIndex:
    """Read all records of a file, or those before the bytes that make no sense.

    Commands open a bag several times; one that did not change is read once.

    Args:
        path: the file.
        warn: called with what cannot be read.

    Raises:
        BagError: if the file is damaged and no message can be read.
        OSError: if it cannot be opened.
    """
    status = path.stat()
    index, warnings = _scan(path, status.st_size, status.st_mtime_ns)
    for text in warnings:
        warn(text)
    return index


@lru_cache(maxsize=32)
def _scan(path: Path, size: int, mtime_ns: int) -> tuple[McapIndex, tuple[str, ...]]:
    warnings: list[str] = []
    with path.open("rb") as file:
        return _Scan(file, path, warnings.append).run(), tuple(warnings)


class _Scan:
    def __init__(self, file: IO[bytes], path: Path, warn: Warn) -> None:
        self._file, self._path, self._warn = file, path, warn
        self._size = path.stat().st_size
        self._index = McapIndex()
        self._read_bytes = 0  # up to the damage
        self._strays = 0  # messages of channels that the file does not describe

    def run(self) -> McapIndex:
        damage = ""
        try:
            self._file.seek(0)
            read_magic(ReadDataStream(self._file))
            for opcode, length, offset in self._headers():
                self._take(opcode, length, offset)
        except DAMAGE as error:
            damage = reason(error)
        if damage or not self._has_end():
            self._tell(damage or "index missing")
        if self._strays:
            self._warn(
                f"{self._path}: {self._strays} messages are of topics that the file does not "
                "describe; they are lost"
            )
        return self._index

    def _headers(self) -> Iterator[tuple[int, int, int]]:
        """Opcode, length and offset of each record; the file then stands behind its header."""
        offset = MAGIC_SIZE
        while offset < self._size:
            self._read_bytes = offset
            self._file.seek(offset)
            header = self._file.read(RECORD_HEADER.size)
            if len(header) < RECORD_HEADER.size:
                raise EOFError("the last record is cut")
            opcode, length = RECORD_HEADER.unpack(header)
            end = offset + RECORD_HEADER.size + length
            if opcode == 0:
                raise McapError(f"no record at byte {offset}")
            if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                self._read_bytes = self._size
                return
            if end > self._size:
                raise EOFError(f"the record at byte {offset} is cut")
            yield opcode, length, offset
            offset = end
        self._read_bytes = self._size

    def _take(self, opcode: int, length: int, offset: int) -> None:
        stream = ReadDataStream(self._file)
        if opcode == Opcode.SCHEMA:
            self._describe([Schema.read(stream)])
        elif opcode == Opcode.CHANNEL:
            self._describe([Channel.read(stream)])
        elif opcode == Opcode.MESSAGE:
            channel, _, time, _ = MESSAGE_HEADER.unpack(self._file.read(MESSAGE_HEADER.size))
            end = offset + RECORD_HEADER.size + length
            self._add(Counter([channel]), (time, time), offset, end=end)
        elif opcode == Opcode.CHUNK:
            self._take_chunk(Chunk.read(stream), offset)

    def _take_chunk(self, chunk: Chunk, offset: int) -> None:
        try:
            records = chunk_records(chunk)
        except DAMAGE as error:
            self._warn(
                f"{self._path}: the chunk at byte {offset} cannot be read ({reason(error)}); its "
                "messages are lost"
            )
            return
        self._describe(records)
        messages = [record for record in records if isinstance(record, Message)]
        times = [message.log_time for message in messages]
        declared = (chunk.message_start_time, chunk.message_end_time)
        if declared != ((min(times), max(times)) if times else (0, 0)):
            self._warn(
                f"{self._path}: the chunk at byte {offset} does not hold the messages that it "
                "declares; some are lost"
            )
        if times:
            counts = Counter(message.channel_id for message in messages)
            self._add(counts, (min(times), max(times)), offset)

    def _describe(self, records: Iterable[McapRecord]) -> None:
        for record in records:
            if isinstance(record, Schema):
                self._index.schemas[record.id] = record
            elif isinstance(record, Channel):
                self._index.channels[record.id] = record

    def _add(
        self, counts: Counter[int], times: tuple[int, int], offset: int, *, end: int = 0
    ) -> None:
        known = Counter({k: n for k, n in counts.items() if k in self._index.channels})
        self._strays += counts.total() - known.total()
        if known:
            self._index.add(Span(*times, offset, frozenset(known), end), known)

    def _has_end(self) -> bool:
        self._file.seek(max(0, self._size - MAGIC_SIZE))
        try:
            return bool(read_magic(ReadDataStream(self._file))) and self._size > 2 * MAGIC_SIZE
        except DAMAGE:
            return False

    def _tell(self, damage: str) -> None:
        count = self._index.counts.total()
        if not count:
            raise BagError(f"{self._path}: no message can be read ({damage})")
        start, end = self._index.time_range
        self._warn(
            f"{self._path}: damaged or cut short ({damage}); {count} messages over "
            f"{(end - start) / NANOSECONDS:.1f} s are readable, {self._size - self._read_bytes} of "
            f"{self._size} bytes at the end are lost"
        )
