"""Port type ``SegmentedScan`` over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_msgs.msg import ScanSegmentation

from conegrad_data.decode import alarms_from_msg, check_segmentation, segmentation_from_msg
from conegrad_nodes.encode import segmentation_to_msg
from conegrad_nodes.port_messages.port_message import PortMessage, Received, detail


class SegmentedScanMessage(PortMessage):
    """conegrad_msgs/ScanSegmentation.

    Details: ``range_limits``, shortest and longest range of the sensor [m]; ``alarms``, each a
    Reason, what the node doubts about the scan.
    """

    msgtype = ScanSegmentation

    def decode(self, msg: Any) -> Received:
        """Segmented scan of a message."""
        return Received(segmentation_from_msg(msg), self.details(msg))

    def details(self, msg: Any) -> Mapping[str, Any]:
        """Shortest and longest range of the sensor, and what is doubted about the scan."""
        limits = (msg.range_min, msg.range_max)
        return {"range_limits": limits, "alarms": alarms_from_msg(msg)}

    def check(self, value: Any) -> None:
        """Refuse what would spread to every cone."""
        check_segmentation(value)

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of a segmented scan that is finite and within all bounds."""
        check_segmentation(value)
        low, high = detail(details, "range_limits", "of the sensor [m]")
        return segmentation_to_msg(value, header, low, high, details.get("alarms", ()))


SEGMENTED_SCAN = SegmentedScanMessage()
