"""What can still be read of an MCAP file that was cut short or damaged."""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcap.exceptions import McapError
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from zstandard import ZstdError

from conegrad_nodes.bags.types import BagError

NANOSECONDS = 1_000_000_000
# The ways in which the MCAP reader meets bytes that mean nothing.
DAMAGE = (McapError, ValueError, RuntimeError, EOFError, struct.error, ZstdError)


@dataclass
class RecoveredMcap:
    """Overview of the readable part of a damaged MCAP file.

    Attributes:
        path: the file.
        types: message type of each topic.
        definitions: definition text of each message type.
        counts: readable messages of each topic.
        start_ns: receive time of the first readable message [ns].
        end_ns: receive time of the last readable message [ns].
        damage: what stopped the reading; empty if only the index is missing.
        read_bytes: bytes of the file up to the damage.
    """

    path: Path
    types: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    start_ns: int = 2**63 - 1
    end_ns: int = 0
    damage: str = ""
    read_bytes: int = 0

    @property
    def message_count(self) -> int:
        """Readable messages of all topics."""
        return sum(self.counts.values())

    def describe(self) -> str:
        """One line for people: what is wrong, what was read, what is lost."""
        size = self.path.stat().st_size
        seconds = max(0, self.end_ns - self.start_ns) / NANOSECONDS
        return (
            f"{self.path}: damaged or cut short ({self.damage or 'index missing'}); "
            f"{self.message_count} messages over {seconds:.1f} s are readable, "
            f"{max(0, size - self.read_bytes)} of {size} bytes at the end are lost"
        )


def recover_mcap(path: Path) -> RecoveredMcap:
    """Scan an MCAP file from its start up to the damage.

    Raises:
        BagError: if not one message can be read.
    """
    recovered = RecoveredMcap(path)
    for channel, schema, message in _records(recovered):
        recovered.types[channel.topic] = schema.name if schema else ""
        if schema:
            recovered.definitions[schema.name] = schema.data.decode(errors="replace")
        recovered.counts[channel.topic] = recovered.counts.get(channel.topic, 0) + 1
        recovered.start_ns = min(recovered.start_ns, message.log_time)
        recovered.end_ns = max(recovered.end_ns, message.log_time)
    if not recovered.counts:
        raise BagError(f"{path}: no message can be read ({recovered.damage or 'it is empty'})")
    return recovered


def recovered_messages(
    recovered: RecoveredMcap, topics: Collection[str]
) -> Iterator[tuple[str, int, bytes]]:
    """Topic, receive time [ns] and serialized message, in the order of the file."""
    for channel, _, message in _records(RecoveredMcap(recovered.path)):
        if channel.topic in topics:
            yield channel.topic, message.log_time, message.data


def _records(recovered: RecoveredMcap) -> Iterator[tuple[Channel, Schema | None, Message]]:
    """Messages up to the damage, which is noted in ``recovered``."""
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    with recovered.path.open("rb") as file:
        records = StreamReader(file, record_size_limit=recovered.path.stat().st_size).records
        while True:
            try:
                record = next(records)
            except StopIteration:
                recovered.read_bytes = file.tell()
                return
            except DAMAGE as error:
                recovered.damage = str(error) or f"unexpected {type(error).__name__}"
                return
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message) and record.channel_id in channels:
                recovered.read_bytes = file.tell()
                channel = channels[record.channel_id]
                yield channel, schemas.get(channel.schema_id), record
