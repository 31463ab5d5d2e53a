"""The brightness of an image on a topic."""

from collections.abc import Mapping
from typing import Any

import torch
from geometry_msgs.msg import Point, PointStamped

from brightness_package.port import Brightness
from conegrad_nodes.port_messages.port_message import PortMessage, Received


class BrightnessMessage(PortMessage):
    """geometry_msgs/PointStamped, a message with a header: the brightness is x."""

    msgtype = PointStamped

    def decode(self, msg: Any) -> Received:
        """Brightness of a message."""
        return Received(Brightness(torch.tensor(msg.point.x)))

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of a brightness."""
        return PointStamped(header=header, point=Point(x=float(value.level)))


BRIGHTNESS = BrightnessMessage()
