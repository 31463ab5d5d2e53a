"""Port type ``Cones`` over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_msgs.msg import ConeArray

from conegrad_data.decode import cones_from_msg, reasons_from_msg
from conegrad_nodes.encode import cones_to_msg
from conegrad_nodes.port_messages.port_message import PortMessage, Received, detail


class ConesMessage(PortMessage):
    """conegrad_msgs/ConeArray.

    Details: ``ground``, the Ground that the cones stand on in the frame of the header;
    ``camera_stamp`` and ``lidar_stamp``, of the messages that took part, as messages;
    ``reasons``, each a Reason, why they are degraded.
    """

    msgtype = ConeArray

    def decode(self, msg: Any) -> Received:
        """Cones of a message."""
        return Received(cones_from_msg(msg), self.details(msg))

    def details(self, msg: Any) -> Mapping[str, Any]:
        """Why the cones are degraded."""
        return {"reasons": reasons_from_msg(msg)}

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of cones."""
        return cones_to_msg(
            value,
            header,
            detail(details, "ground", "that the cones stand on"),
            camera_stamp=details.get("camera_stamp"),
            lidar_stamp=details.get("lidar_stamp"),
            reasons=details.get("reasons", ()),
        )


CONES = ConesMessage()
