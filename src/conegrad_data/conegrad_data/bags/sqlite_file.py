"""Reads one SQLite file of rosbag2, with what its recorder had not put into it, up to a damage.

rosbags opens the file as one that never changes, which leaves out the write-ahead log, and takes
its path as part of a URI. Only the tables of rosbag2 are known here.
"""

import shutil
import sqlite3
import tempfile
from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt

from conegrad_data.bags.storage import CDR, NO_TIME, RawMessage, StoredTopic, Warn, reason
from conegrad_data.bags.types import BagError

Rows = npt.NDArray[np.int64]

# A damaged name of a column is met before SQLite can tell.
DAMAGE = (sqlite3.Error, UnicodeDecodeError)
# A log beside the file: of the journal mode WAL, and of a change that was not finished.
WAL, JOURNAL = "-wal", "-journal"


class SqliteFile:
    """A SQLite file; see :class:`~conegrad_data.bags.storage.StorageFile`."""

    def __init__(self, path: Path, warn: Warn) -> None:
        """Open the file and read times and topics of all messages.

        Raises:
            BagError: if it is not a database of rosbag2, or is damaged and no message can be read.
            OSError: if it cannot be opened.
        """
        self.path, self._warn = path, warn
        self._stack = ExitStack()
        try:
            self._database = _open(path, self._stack)
            self._types = {row["id"]: (row["name"], row["type"]) for row in self._topic_rows()}
            # (messages, 3): receive time [ns], number and topic, in the order of time.
            self._rows = self._read_rows()
            self.topics = self._list_topics()
        except DAMAGE as error:
            self.close()
            raise BagError(f"{path}: cannot be read ({reason(error)})") from error
        except BaseException:
            self.close()
            raise
        times = self._rows[:, 0]
        self.time_range = (int(times[0]), int(times[-1])) if len(times) else NO_TIME

    def close(self) -> None:
        """Close the file; twice does no harm."""
        self._stack.close()

    def messages(
        self, wanted: Collection[tuple[str, str]], start_ns: int, stop_ns: int
    ) -> Iterator[RawMessage]:
        """Messages of some topics and types in the order of receive time."""
        topics = {number: pair for number, pair in self._types.items() if pair in wanted}
        first, last = np.searchsorted(self._rows[:, 0], (start_ns, stop_ns))
        rows = self._rows[first:last]
        lost: Counter[str] = Counter()
        for receive_ns, number, topic in rows[np.isin(rows[:, 2], list(topics))].tolist():
            data = self._data(number)
            if data is None:
                lost[topics[topic][0]] += 1
            else:
                yield RawMessage(*topics[topic], receive_ns, data)
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

    def _read_rows(self) -> Rows:
        rows, damage = self._rows_until_damage("ORDER BY id")
        if damage:
            newest = int(rows[:, 1].max(initial=-1))
            behind, _ = self._rows_until_damage(f"WHERE id > {newest} ORDER BY id DESC")
            rows = np.concatenate([rows, behind])
            if not len(rows):
                raise BagError(f"{self.path}: no message can be read ({damage})")
            self._warn(
                f"{self.path}: damaged or cut short ({damage}); {len(rows)} messages are readable, "
                "the others are lost"
            )
        described = rows[np.isin(rows[:, 2], list(self._types))]
        self._tell_strays(len(rows) - len(described), "are of topics that it does not describe")
        return described[np.lexsort((described[:, 1], described[:, 0]))]

    def _rows_until_damage(self, order: str) -> tuple[Rows, str]:
        values, strays, damage = array("q"), 0, ""
        try:
            for row in self._database.execute(
                f"SELECT timestamp, id, topic_id FROM messages {order}"
            ):
                if all(map(_is_number, row)):
                    values.extend(row)
                else:
                    strays += 1
        except DAMAGE as error:
            damage = reason(error)
        self._tell_strays(strays, "have no time or no topic")
        return np.array(values, dtype=np.int64).reshape(-1, 3), damage

    def _tell_strays(self, count: int, fault: str) -> None:
        if count:
            self._warn(f"{self.path}: {count} messages {fault}; they are lost")

    def _list_topics(self) -> list[StoredTopic]:
        definitions = self._definitions()
        counts = Counter(self._rows[:, 2].tolist())
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
