"""Writes rosbag2 recordings; MCAP unless the name says otherwise."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer, WriterError
from rosbags.typesys.store import Typestore

from conegrad_data.bags.qos import usual_qos
from conegrad_data.bags.types import BagError, default_typestore

BAG_VERSION = 9  # of metadata.yaml: that of ROS 2 Jazzy
URI_CHARACTERS = set("#%?")


class BagWriter:
    """A new rosbag2 recording (a folder); use it in a ``with`` statement.

    The bag is closed with its index even when the ``with`` block is left by an exception, Ctrl-C
    included, so that what was written stays readable; or it is removed, see ``removed_by``.

    Raises:
        BagError: if the path exists already: a recording is never overwritten.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        is_compressed: bool = False,
        sqlite: bool = False,
        typestore: Typestore | None = None,
        qos: Mapping[str, Sequence[Qos]] | None = None,
        notes: Mapping[str, str] | None = None,
        removed_by: type[BaseException] | tuple[()] = (),
    ) -> None:
        """Open a new bag.

        Args:
            path: folder to create.
            is_compressed: compress chunks with zstd; worth it for raw images only (MCAP).
            sqlite: SQLite storage in place of MCAP.
            typestore: message types; None takes ROS 2 Jazzy and ``conegrad_msgs``.
            qos: profiles that the publisher of each topic offered, as of
                :attr:`~conegrad_data.bags.reader.BagReader.qos`; ``ros2 bag play`` uses them.
            notes: texts by name that ``metadata.yaml`` keeps as ``custom_data``.
            removed_by: exceptions that remove the bag when they leave the ``with`` block, for work
                of which a part could be taken for the whole.
        """
        self.path = Path(path)
        self._typestore = typestore or default_typestore()
        self._qos = dict(qos or {})
        self._removed_by = removed_by
        self._connections: dict[str, Connection] = {}
        self._writer: Writer | None = None
        if sqlite and URI_CHARACTERS & set(str(self.path)):  # rosbags would write elsewhere
            raise BagError(
                f"cannot write the bag {self.path} as SQLite: its path has one of "
                f"{' '.join(sorted(URI_CHARACTERS))}; choose another one, or MCAP"
            )
        storage = StoragePlugin.SQLITE3 if sqlite else StoragePlugin.MCAP
        try:
            writer = Writer(self.path, version=BAG_VERSION, storage_plugin=storage)
            if is_compressed and not sqlite:
                writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
            for name, text in (notes or {}).items():
                writer.set_custom_data(name, text)
            writer.open()
        except WriterError as error:
            raise BagError(f"cannot write the bag {self.path}: {error}") from error
        self._writer = writer

    def __enter__(self) -> "BagWriter":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exception is None or not isinstance(exception, self._removed_by):
            self.close()
            return
        try:
            self.close()
        finally:
            shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Write index and metadata; twice does no harm."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def write(self, topic: str, msgtype: str, receive_ns: int, msg: Any) -> None:
        """Append a message.

        Args:
            topic: with its leading slash.
            msgtype: such as ``sensor_msgs/msg/Image``.
            receive_ns: receive time [ns]; the stamp of capture belongs in the message's header.
            msg: a ``rosbags`` message, or the serialized (CDR) bytes of one.

        Raises:
            BagError: if the type is unknown, or another one than before on this topic.
        """
        writer = self._open_writer()
        connection = self._connections.get(topic) or self._connect(writer, topic, msgtype)
        if connection.msgtype != msgtype:
            raise BagError(f"{topic} holds {connection.msgtype}, cannot take {msgtype}")
        is_serialized = isinstance(msg, (bytes, bytearray, memoryview))
        data = msg if is_serialized else self._typestore.serialize_cdr(msg, msgtype)
        writer.write(connection, receive_ns, data)

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise BagError(f"{self.path}: already closed")
        return self._writer

    def _connect(self, writer: Writer, topic: str, msgtype: str) -> Connection:
        if msgtype not in self._typestore.fielddefs:
            raise BagError(f"{topic}: unknown message type {msgtype}, cannot be written")
        connection = writer.add_connection(
            topic,
            msgtype,
            typestore=self._typestore,
            offered_qos_profiles=self._qos.get(topic) or usual_qos(topic),
        )
        self._connections[topic] = connection
        return connection
