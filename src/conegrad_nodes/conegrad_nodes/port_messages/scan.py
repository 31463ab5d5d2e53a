"""Port type ``Scan`` over topics."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sensor_msgs.msg import LaserScan, PointCloud2

from conegrad_data.recording.scan_reading import ReadScan, ScanReader
from conegrad_nodes.port_messages.port_message import PortMessage, Received, detail


class ScanMessage(PortMessage):
    """sensor_msgs/LaserScan.

    Details: ``range_limits``, shortest and longest range of the sensor [m].

    Attributes:
        sources: message class by the topic of the port ``scan`` that it comes on.
    """

    msgtype = LaserScan
    sources: Mapping[str, Any] = {"scan": LaserScan, "points": PointCloud2}

    def decode(self, msg: Any) -> Received:
        """Scan of a message, without corrections of wrong times of a driver."""
        return self.received(ScanReader().read(msg))

    def received(self, read: ReadScan) -> Received:
        """A scan that is decoded already, with its details."""
        limits = {"range_limits": (read.range_min, read.range_max)}
        return Received(read.scan, limits, tuple(read.warnings))

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """sensor_msgs/LaserScan without the times of the beams, which it cannot hold one by one.

        The profile of a scan that was made of a cloud goes as intensities, channel by channel.
        """
        low, high = detail(details, "range_limits", "of the sensor [m]")
        angles = value.angles.detach().cpu().numpy().astype(np.float64)
        return LaserScan(
            header=header,
            angle_min=float(angles[0]),
            angle_max=float(angles[-1]),
            angle_increment=float(angles[-1] - angles[0]) / (len(angles) - 1),
            range_min=float(low),
            range_max=float(high),
            ranges=value.ranges.detach().cpu().numpy().astype(np.float32).tolist(),
            intensities=[] if value.profile is None else value.profile.flatten().tolist(),
        )


SCAN = ScanMessage()
