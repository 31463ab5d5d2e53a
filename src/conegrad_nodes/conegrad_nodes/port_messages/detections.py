"""Port type ``Detections`` over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_msgs.msg import ConeDetectionArray

from conegrad_core.camera.image import RgbImage
from conegrad_core.drawing import draw_detections
from conegrad_data.decode import alarms_from_msg, check_detections, detections_from_msg
from conegrad_nodes.encode import detections_to_msg
from conegrad_nodes.port_messages.port_message import PortMessage, Received, detail


class DetectionsMessage(PortMessage):
    """conegrad_msgs/ConeDetectionArray.

    Details: ``image_size``, width and height of the original image [px]; ``alarms``, each a
    Reason, what the node doubts about it.
    """

    msgtype = ConeDetectionArray

    def decode(self, msg: Any) -> Received:
        """Detections of a message."""
        return Received(detections_from_msg(msg), self.details(msg))

    def details(self, msg: Any) -> Mapping[str, Any]:
        """Size of the image, and what is doubted about it."""
        size = (msg.image_width, msg.image_height)
        return {"image_size": size, "alarms": alarms_from_msg(msg)}

    def check(self, value: Any) -> None:
        """Refuse what would spread to every cone."""
        check_detections(value)

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of detections that are finite and within all bounds."""
        check_detections(value)
        width, height = detail(details, "image_size", "of the original image [px]")
        return detections_to_msg(value, header, width, height, details.get("alarms", ()))

    def draw(
        self, image: RgbImage, value: Any, beside: Mapping[str, Any] | None = None
    ) -> RgbImage | None:
        """Boxes with class and score."""
        return draw_detections(image, value)


DETECTIONS = DetectionsMessage()
