"""Port type ``SegmentedScan`` over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_msgs.msg import ScanSegmentation

from conegrad_data.decode import check_segmentation, segmentation_from_msg
from conegrad_nodes.encode import segmentation_to_msg
from conegrad_nodes.port_messages.port_message import PortMessage, Received, detail


class SegmentedScanMessage(PortMessage):
    """conegrad_msgs/ScanSegmentation.

    Details: ``range_limits``, shortest and longest range of the sensor [m].
    """

    msgtype = ScanSegmentation

    def decode(self, msg: Any) -> Received:
        """Segmented scan of a message."""
        return Received(segmentation_from_msg(msg), self.details(msg))

    def details(self, msg: Any) -> Mapping[str, Any]:
        """Shortest and longest range of the sensor."""
        return {"range_limits": (msg.range_min, msg.range_max)}

    def check(self, value: Any) -> None:
        """Refuse what would spread to every cone."""
        check_segmentation(value)

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of a segmented scan that is finite and within all bounds."""
        check_segmentation(value)
        return segmentation_to_msg(
            value, header, *detail(details, "range_limits", "of the sensor [m]")
        )


SEGMENTED_SCAN = SegmentedScanMessage()
