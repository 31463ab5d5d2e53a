"""A serialized sensor_msgs/Image, read in place.

rclpy takes 2 to 4 ms to turn an image of 1280x720 into a message, and keeps all other Python
threads waiting meanwhile. Here the pixels stay where they are.
"""

import struct
from typing import Any, NamedTuple

from conegrad_data.decode.errors import DecodeError

BODY = 4  # bytes ahead of it say how it is written; alignment counts from here


class SerializedImage(NamedTuple):
    """Fields of sensor_msgs/Image, named as there; ``data`` is a view of the serialized message.

    Attributes:
        header: std_msgs/Header, as the reader was told to make one.
    """

    header: Any
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


class _Cursor:
    """Place in a serialized message (CDR, version 1)."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, BODY
        self.order = "<" if data[1] & 1 else ">"

    def number(self, code: str) -> int:
        size = struct.calcsize(code)
        self.place += -(self.place - BODY) % size
        (value,) = struct.unpack_from(self.order + code, self.data, self.place)
        self.place += size
        return int(value)

    def view(self, count: int) -> memoryview:
        if count > len(self.data) - self.place:
            raise IndexError
        self.place += count
        return memoryview(self.data)[self.place - count : self.place]

    def text(self) -> str:
        content = bytes(self.view(self.number("I")))
        return content.rstrip(b"\0").decode(errors="replace")


def read_image(data: bytes, make_header: Any) -> SerializedImage:
    """Image of a serialized message.

    Args:
        data: of the message.
        make_header: makes the header of seconds, nanoseconds and frame.

    Raises:
        DecodeError: if it ends before the image does.
    """
    try:
        cursor = _Cursor(data)
        header = make_header(cursor.number("i"), cursor.number("I"), cursor.text())
        height, width, encoding = cursor.number("I"), cursor.number("I"), cursor.text()
        is_bigendian, step = cursor.number("B"), cursor.number("I")
        pixels = cursor.view(cursor.number("I"))
    except (struct.error, IndexError) as error:
        raise DecodeError(
            f"a message of {len(data)} bytes ends before its image, expected sensor_msgs/Image"
        ) from error
    return SerializedImage(header, height, width, encoding, is_bigendian, step, pixels)
