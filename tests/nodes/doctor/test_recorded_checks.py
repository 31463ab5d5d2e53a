"""What is found wrong with the messages of a graph: rates, clocks, calibration."""

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from conegrad_data.bags import messages
from conegrad_data.bags.writer import BagWriter
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.recorded_checks import examine_recording, options_of

SECOND = 1_000_000_000
START = 100 * SECOND
PLAIN = {
    "angle_min": -1.0, "angle_increment": 0.1, "range_min": 0.1, "range_max": 30.0,
    "scan_time": 0.05,
}  # fmt: skip
VEHICLE = options_of({}, {}, "formula_student")


def record(path, images=10.0, scans=20.0, image_delay=0.0, scan_delay=0.0, gap=0.0):
    """A second and a half of both sensors: rates [Hz], delays and one gap of the scans [s]."""
    with BagWriter(path) as bag:
        for number in range(round(1.5 * images)):
            stamp = START + round(number / images * SECOND)
            image = messages.image_msg(stamp, "camera_optical", np.zeros((2, 3, 3), np.uint8))
            received = stamp + round(image_delay * SECOND)
            bag.write("/image_raw", "sensor_msgs/msg/Image", received, image)
        for number in range(round(1.5 * scans)):
            late = gap if number > 10 else 0.0
            stamp = START + round((number / scans + late) * SECOND)
            scan = messages.scan_msg(stamp, "lidar", np.full(21, 5.0), **PLAIN)
            received = stamp + round(scan_delay * SECOND)
            bag.write("/scan", "sensor_msgs/msg/LaserScan", received, scan)
    return path


def found(path, options=VEHICLE):
    return {
        (finding.area, finding.level): f"{finding.text} -> {finding.remedy}"
        for finding in examine_recording(path, options)
    }


@pytest.mark.parametrize(
    ("changes", "area", "level", "text"),
    [
        ({"images": 2.0}, "sensors", Level.WARN, "/image_raw comes at 2.0 Hz, expected 5 Hz"),
        ({"gap": 0.4}, "sensors", Level.WARN, "/scan comes at 20.0 Hz, but stopped for 0.45 s"),
        ({"scan_delay": 3.0}, "clocks", Level.ERROR, "3.00 s apart -> synchronise the clocks"),
        ({"image_delay": 0.1}, "clocks", Level.OK, "agree within 0.10 s"),
    ],
)
def test_rates_gaps_and_clocks_are_told(tmp_path, changes, area, level, text):
    path = record(tmp_path / "bag", **changes)
    findings = examine_recording(path, VEHICLE)
    texts = [f"{f.text} -> {f.remedy}" for f in findings if (f.area, f.level) == (area, level)]
    assert any(text in said for said in texts), texts


def test_images_of_another_size_than_the_intrinsics_are_an_error(tmp_path):
    text = found(record(tmp_path / "bag"))["calibration", Level.ERROR]
    assert "3x2 px" in text


def test_an_empty_recording_is_an_error(tmp_path):
    with BagWriter(tmp_path / "bag"):
        pass
    assert any(level == Level.ERROR for _, level in found(tmp_path / "bag"))


def test_the_calibration_of_the_nodes_is_used_where_it_is_no_topic():
    chosen = options_of(
        {
            "calibration.extrinsics": "tf",
            "calibration.file": "",
            "pairing.camera_offset": 0.05,
            "detector.threads": 1,
        },
        {},
    )
    assert chosen.parameters == {"pairing.camera_offset": 0.05}
