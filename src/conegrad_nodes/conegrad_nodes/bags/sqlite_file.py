"""Reads one SQLite file of rosbag2, with what its recorder had not put into it, up to a damage.

rosbags opens the file as one that never changes, which leaves out the write-ahead log, and takes
its path as part of a URI. Only the tables of rosbag2 are known here.
"""

import bisect
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from conegrad_nodes.bags.storage import CDR, NO_TIME, RawMessage, StoredTopic, Warn, reason
from conegrad_nodes.bags.types import BagError

# A damaged name of a column is met before SQLite can tell.
DAMAGE = (sqlite3.Error, UnicodeDecodeError)
# A log beside the file: of the journal mode WAL, and of a change that was not finished.
WAL, JOURNAL = "-wal", "-journal"


class _Row(NamedTuple):
    """A message: its receive time [ns], its number and its topic's."""

    receive_ns: int
    number: int
    topic: int


class SqliteFile:
    """A SQLite file; see :class:`~conegrad_nodes.bags.storage.StorageFile`."""

    def __init__(self, path: Path, warn: Warn) -> None:
        """Open the file and read times and topics of all messages.

        Raises:
            BagError: if it is no database of rosbag2, or is damaged and no message can be read.
            OSError: if it cannot be opened.
        """
        self.path, self._warn = path, warn
        self._stack = ExitStack()
        try:
            self._database = _open(path, self._stack)
            self._types = {row["id"]: (row["name"], row["type"]) for row in self._topic_rows()}
            self._rows = self._read_rows()
            self.topics = self._list_topics()
        except DAMAGE as error:
            self.close()
            raise BagError(f"{path}: cannot be read ({reason(error)})") from error
        except BaseException:
            self.close()
            raise
        first_and_last = self._rows[:1] + self._rows[-1:]
        self.time_range = NO_TIME if not first_and_last else _times(*first_and_last)

    def close(self) -> None:
        """Close the file; twice does no harm."""
        self._stack.close()

    def messages(
        self, wanted: Collection[tuple[str, str]], start_ns: int, stop_ns: int
    ) -> Iterator[RawMessage]:
        """Messages of some topics and types in the order of receive time."""
        topics = {number: pair for number, pair in self._types.items() if pair in wanted}
        first, last = (bisect.bisect_left(self._rows, (time,)) for time in (start_ns, stop_ns))
        lost: Counter[str] = Counter()
        for row in self._rows[first:last]:
            if row.topic not in topics:
                continue
            data = self._data(row.number)
            if data is None:
                lost[topics[row.topic][0]] += 1
            else:
                yield RawMessage(*topics[row.topic], row.receive_ns, data)
        for topic, count in lost.items():
            self._warn(f"{self.path}: {count} messages on {topic} are damaged; they are lost")

    def _data(self, number: int) -> bytes | None:
        query = "SELECT data FROM messages WHERE id = ?"
        try:
            row = self._database.execute(query, (number,)).fetchone()
        except DAMAGE:
            return None
        data = row["data"] if row else None
        return data if isinstance(data, bytes) else None

    def _read_rows(self) -> list[_Row]:
        rows, damage = self._rows_until_damage("")
        if damage:
            newest = max((row.number for row in rows), default=-1)
            rows += self._rows_until_damage(f"WHERE id > {newest} ORDER BY id DESC")[0]
            if not rows:
                raise BagError(f"{self.path}: no message can be read ({damage})")
            self._warn(
                f"{self.path}: damaged or cut short ({damage}); {len(rows)} messages are readable, "
                "the others are lost"
            )
        kept = [row for row in rows if row.topic in self._types and _is_number(row.receive_ns)]
        if len(kept) < len(rows):
            self._warn(
                f"{self.path}: {len(rows) - len(kept)} messages have no time, or are of topics "
                "that the file does not describe; they are lost"
            )
        return sorted(kept)

    def _rows_until_damage(self, order: str) -> tuple[list[_Row], str]:
        rows: list[_Row] = []
        try:
            for row in self._database.execute(
                f"SELECT timestamp, id, topic_id FROM messages {order or 'ORDER BY id'}"
            ):
                rows.append(_Row(*row))
        except DAMAGE as error:
            return rows, reason(error)
        return rows, ""

    def _list_topics(self) -> list[StoredTopic]:
        definitions = self._definitions()
        counts = Counter(row.topic for row in self._rows)
        return [
            StoredTopic(
                row["name"],
                row["type"],
                counts[row["id"]],
                _column(row, "serialization_format") or CDR,
                definitions.get(row["type"]) or "",
                _column(row, "offered_qos_profiles"),
            )
            for row in self._topic_rows()
        ]

    def _definitions(self) -> dict[str, str]:
        try:
            rows = self._table("message_definitions")
            return {row["topic_type"]: row["encoded_message_definition"] for row in rows}
        except (*DAMAGE, IndexError) as error:
            self._warn(
                f"{self.path}: its message definitions cannot be read ({reason(error)}); those of "
                "ROS are taken"
            )
            return {}

    def _topic_rows(self) -> list[sqlite3.Row]:
        rows = self._table("topics", needed=True)
        return [row for row in rows if row["name"] and row["type"] and _is_number(row["id"])]

    def _table(self, name: str, *, needed: bool = False) -> list[sqlite3.Row]:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?"
        if self._database.execute(query, (name,)).fetchone() is None:
            if needed:
                raise BagError(f"{self.path}: cannot be read (no table {name}: not of rosbag2)")
            return []
        return self._database.execute(f"SELECT * FROM {name}").fetchall()


def _times(first: _Row, last: _Row) -> tuple[int, int]:
    return first.receive_ns, last.receive_ns


def _open(path: Path, stack: ExitStack) -> sqlite3.Connection:
    """Open a database so that its logs count and nothing beside it is written."""
    path = path.resolve()  # the logs lie beside the file itself
    if path.stat().st_size == 0:  # SQLite would remove its log
        log = f"; its log {path.name}{WAL} is of no use without it" if _has_log(path, WAL) else ""
        raise BagError(f"{path}: no message can be read (it is empty{log})")
    if _has_log(path, JOURNAL):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conegrad-")))
        # An unfinished change is undone by writing, which only a copy bears.
        for suffix in ("", JOURNAL):
            shutil.copyfile(f"{path}{suffix}", folder / f"bag.db3{suffix}")
        options, path = "mode=rw", folder / "bag.db3"
    elif _has_log(path, WAL):
        # Without locks, and with the index of the log in memory, nothing is written.
        options = "mode=ro&vfs=unix-none"
    else:
        options = "immutable=1"
    database = sqlite3.connect(f"{path.as_uri()}?{options}", uri=True, check_same_thread=False)
    stack.callback(database.close)
    database.row_factory = sqlite3.Row
    database.text_factory = lambda text: text.decode(errors="replace")
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    # Else a file that was cut is refused as a whole; nothing is written by it.
    database.execute("PRAGMA writable_schema = ON")
    return database


def _has_log(path: Path, suffix: str) -> bool:
    log = Path(f"{path}{suffix}")
    return log.is_file() and log.stat().st_size > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int)


def _column(row: sqlite3.Row, name: str) -> str:
    return str(row[name] or "") if name in row.keys() else ""  # noqa: SIM118
