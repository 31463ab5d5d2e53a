"""Headers of the messages of a bag."""

import contextlib

from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import DecodeError, read_header

HEADER = "std_msgs/msg/Header"


def first_frame(bag: BagReader, topic: str | None) -> str:
    """Frame of the first message of a topic that has a header; empty without one."""
    for raw in bag.raw_messages([topic]) if topic else ():
        with contextlib.suppress(DecodeError):
            return read_header(raw.data).frame
    return ""


def has_header(bag: BagReader, msgtype: str) -> bool:
    """Whether messages of a type start with a std_msgs/Header."""
    if msgtype not in bag.typestore.fielddefs:
        return False
    _, fields = bag.typestore.fielddefs[msgtype]
    return bool(fields) and fields[0][1][1] == HEADER
