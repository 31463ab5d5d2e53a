"""Header of a serialized message, without decoding the rest."""

import struct
from typing import NamedTuple

from conegrad_data.decode.errors import DecodeError
from conegrad_data.decode.geometry import SECOND


class MessageHeader(NamedTuple):
    """Header of a message: stamp of capture [ns] and frame."""

    stamp_ns: int
    frame: str


def read_header(data: bytes) -> MessageHeader:
    """Header at the start of a serialized message (CDR, version 1).

    Raises:
        DecodeError: if there are fewer bytes than a header has.
    """
    try:
        order = "<" if data[1] & 1 else ">"
        seconds, nanoseconds, length = struct.unpack_from(f"{order}iII", data, 4)
    except (struct.error, IndexError) as error:
        raise DecodeError(f"a message of {len(data)} bytes has no header") from error
    text = bytes(data[16 : 16 + max(0, length - 1)])
    return MessageHeader(seconds * SECOND + nanoseconds, text.decode(errors="replace"))
