"""Small bags to read."""

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.writer import BagWriter

SECOND = 1_000_000_000


def write_drive(path, **options):
    """A bag of five scans at 10 Hz and three odometry messages, all stamped 5 ms before arrival."""
    with BagWriter(path, **options) as bag:
        for index in range(5):
            stamp = 100 * SECOND + index * SECOND // 10
            scan = messages.scan_msg(
                stamp,
                "lidar",
                np.array([1.0, np.nan, 3.0]),
                angle_min=-0.5,
                angle_increment=0.5,
                range_min=0.1,
                range_max=30.0,
                scan_time=0.1,
            )
            bag.write("/scan", "sensor_msgs/msg/LaserScan", stamp + 5_000_000, scan)
            if index < 3:
                odometry = messages.odometry_msg(stamp, (float(index), 0.0, 0.0))
                bag.write("/odom", "nav_msgs/msg/Odometry", stamp + 5_000_000, odometry)


@pytest.fixture
def record_drive():
    """The function that writes such a bag."""
    return write_drive


@pytest.fixture
def drive(tmp_path):
    write_drive(tmp_path / "drive")
    return tmp_path / "drive"
