"""Serialized messages of a feed to message objects, without ROS."""

from typing import Any

from conegrad_data.bags.messages import deserialized
from conegrad_data.bags.types import BagError
from conegrad_data.decode import DecodeError
from conegrad_nodes.view_server.feed import FeedMessage


def decoded(message: FeedMessage) -> Any:
    """The message object.

    Raises:
        DecodeError: if the bytes do not fit the type.
    """
    try:
        return deserialized(message.data, message.msgtype)
    except BagError as error:
        raise DecodeError(str(error)) from error
