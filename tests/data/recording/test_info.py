"""What a bag is told to hold."""

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.types import default_typestore
from conegrad_data.bags.writer import BagWriter
from conegrad_data.decode import read_header
from conegrad_data.recording.info import inspect

SECOND = 1_000_000_000
IMAGE, SCAN = "sensor_msgs/msg/Image", "sensor_msgs/msg/LaserScan"
PLAIN = {
    "angle_min": 0.0, "angle_increment": 0.1, "range_min": 0.1, "range_max": 30.0,
    "scan_time": 0.1,
}  # fmt: skip


def write(path, *, image_stamps=(), scan_stamps=(), delay=0):
    with BagWriter(path) as bag:
        for stamp in image_stamps:
            image = messages.image_msg(stamp, "eye", np.zeros((2, 3, 3), dtype=np.uint8))
            bag.write("/image_raw", IMAGE, stamp + delay, image)
        for stamp in scan_stamps:
            scan = messages.scan_msg(stamp, "laser", np.ones(5), **PLAIN)
            bag.write("/scan", SCAN, stamp, scan)
    return str(path)


def problems(path):
    return [advice.problem for advice in inspect(path).advice]


def test_rates_and_gaps_are_those_of_the_stamps(drive):
    scan = inspect(str(drive)).topics["/scan"]
    assert (scan.count, scan.rate, scan.longest_gap) == (5, pytest.approx(10.0), 0.1)
    assert scan.delay == pytest.approx(0.005)
    assert scan.frames == {"lidar"}
    assert scan.detail == "3 beams, 57 deg, to 30 m"


def test_each_image_is_compared_with_its_nearest_scan(tmp_path):
    path = write(
        tmp_path / "bag",
        image_stamps=[SECOND, 2 * SECOND],
        scan_stamps=[SECOND + 10_000_000, 2 * SECOND - 20_000_000],
    )
    np.testing.assert_allclose(inspect(path).pair_offsets, [0.01, -0.02])


def test_images_far_from_any_scan_are_told(tmp_path):
    path = write(tmp_path / "bag", image_stamps=[SECOND, 2 * SECOND], scan_stamps=[SECOND])
    assert "50% of the images have no scan within 60 ms" in problems(path)


def test_a_recorder_with_another_clock_is_told(tmp_path):
    path = write(tmp_path / "bag", image_stamps=[SECOND], delay=30 * SECOND)
    assert "/image_raw was recorded 30.0 s after its stamps" in problems(path)


def test_stamps_that_were_never_set_are_told(tmp_path):
    path = write(tmp_path / "bag", image_stamps=[0], delay=SECOND)
    assert "/image_raw has no stamps" in problems(path)


def test_a_stamp_that_was_not_set_is_no_gap(tmp_path):
    # As the first message on /diagnostics of a node whose time comes from /clock.
    path = write(tmp_path / "bag", image_stamps=[0, 10**18, 10**18 + SECOND])
    image = inspect(path).topics["/image_raw"]
    assert (image.count, image.longest_gap, image.rate) == (3, 1.0, 1.0)


def test_scans_that_are_refused_or_doubtful_are_told(tmp_path):
    contradictory = messages.scan_msg(SECOND, "laser", np.ones(5), **PLAIN)
    contradictory.angle_max = 3.0
    doubtful = messages.scan_msg(SECOND, "laser", np.ones(5), **PLAIN)
    doubtful.angle_max = float("nan")
    found = []
    for name, scan in (("contradictory", contradictory), ("doubtful", doubtful)):
        with BagWriter(tmp_path / name) as bag:
            bag.write("/scan", SCAN, SECOND, scan)
        found += [text for text in problems(str(tmp_path / name)) if text.startswith("/scan: ")]
    assert "scans are refused: ranges has 5 beams" in found[0]
    assert "angle_max is nan" in found[1]


def test_missing_extrinsics_are_told_with_both_frames(tmp_path):
    path = write(tmp_path / "bag", image_stamps=[SECOND], scan_stamps=[SECOND])
    assert any("no transform from laser to eye in tf_static" in text for text in problems(path))


def test_a_bag_without_sensors_gets_no_advice_about_one_of_them(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/odom", "nav_msgs/msg/Odometry", 1, messages.odometry_msg(1, (0.0, 0.0, 0.0)))
    assert problems(str(tmp_path / "bag")) == ["no images and no LiDAR"]


def test_a_camera_alone_needs_its_place_on_the_car(tmp_path):
    path = write(tmp_path / "bag", image_stamps=[SECOND])
    assert any("no transform from base_link to eye in tf_static" in text for text in problems(path))


def test_a_lidar_alone_needs_its_place_on_the_car(tmp_path):
    path = write(tmp_path / "bag", scan_stamps=[SECOND])
    assert any("from laser to base_link in tf_static" in text for text in problems(path))


def test_a_complete_bag_needs_no_advice_about_its_sensors(tmp_path):
    path = tmp_path / "bag"
    frames = [("base_link", "laser", np.eye(4)), ("laser", "eye", np.eye(4))]
    with BagWriter(path) as bag:
        bag.write("/tf_static", "tf2_msgs/msg/TFMessage", 0, messages.transforms_msg(0, frames))
        info = messages.camera_info_msg(SECOND, "eye", (3, 2), np.eye(3), (), "none")
        bag.write("/camera_info", "sensor_msgs/msg/CameraInfo", SECOND, info)
        image = messages.image_msg(SECOND, "eye", np.zeros((2, 3, 3), dtype=np.uint8))
        bag.write("/image_raw", IMAGE, SECOND, image)
        points = messages.points_msg(SECOND, "laser", np.zeros((4, 3)))
        bag.write("/points", "sensor_msgs/msg/PointCloud2", SECOND, points)
    assert problems(str(path)) == ["no odometry", "no truth"]


def test_a_stamp_is_read_from_the_first_bytes_of_a_message():
    msg = messages.odometry_msg(1_234_567_890_123_456_789, (0.0, 0.0, 0.0))
    data = bytes(default_typestore().serialize_cdr(msg, "nav_msgs/msg/Odometry"))
    assert read_header(data) == (1_234_567_890_123_456_789, "odom")
    big_endian = bytes(
        default_typestore().serialize_cdr(msg, "nav_msgs/msg/Odometry", little_endian=False)
    )
    assert read_header(big_endian) == (1_234_567_890_123_456_789, "odom")
