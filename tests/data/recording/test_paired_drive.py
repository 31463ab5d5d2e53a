"""A drive as training reads it."""

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter
from conegrad_data.errors import ReplayError
from conegrad_data.recording.paired_drive import read_paired_drive

SECOND = 1_000_000_000
IMAGE, SCAN = "sensor_msgs/msg/Image", "sensor_msgs/msg/LaserScan"
# Optical axes of a camera that looks along x of the LiDAR, 1 m above it.
LIDAR_FROM_CAMERA = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 0, 1]])
BASE_FROM_LIDAR = np.array([[1.0, 0, 0, 2], [0, 1, 0, 0], [0, 0, 1, 0.2], [0, 0, 0, 1]])


def write(path, *, without=(), speed=5.0, frames=4):
    """Scans at 10 Hz, images 7 ms later, odometry of a car that drives straight ahead."""
    with BagWriter(path) as bag:

        def add(topic, msgtype, stamp, msg):
            if topic not in without:
                bag.write(topic, msgtype, stamp, msg)

        tree = [("base_link", "lidar", BASE_FROM_LIDAR), ("lidar", "eye", LIDAR_FROM_CAMERA)]
        add("/tf_static", "tf2_msgs/msg/TFMessage", 0, messages.transforms_msg(0, tree))
        for step in range(frames):
            stamp = SECOND + step * SECOND // 10
            for time in (stamp, stamp + 7_000_000):
                pose = (speed * time / SECOND, 0.0, 0.0)
                add("/odom", "nav_msgs/msg/Odometry", time, messages.odometry_msg(time, pose))
            scan = messages.scan_msg(
                stamp, "lidar", np.ones(5), angle_min=-0.2, angle_increment=0.1, range_min=0.1,
                range_max=30.0, scan_time=0.0,
            )  # fmt: skip
            add("/scan", SCAN, stamp, scan)
            intrinsics = np.array([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]])
            info = messages.camera_info_msg(stamp, "eye", (64, 48), intrinsics, (), "none")
            add("/camera_info", "sensor_msgs/msg/CameraInfo", stamp, info)
            image = messages.image_msg(stamp + 7_000_000, "eye", np.zeros((48, 64, 3), np.uint8))
            add("/image_raw", IMAGE, stamp + 7_000_000, image)
    return path


def test_images_are_paired_with_the_nearest_scan_and_the_motion_between_them(tmp_path):
    drive = read_paired_drive(write(tmp_path / "bag"))
    lags = [frame.image.stamp_ns - frame.scan.stamp_ns for frame in drive.frames]
    assert lags == [7_000_000] * 4
    # 7 ms at 5 m/s: what the LiDAR has at 0 then was 35 mm ahead of it at the scan.
    motion = drive.frames[1].motion
    np.testing.assert_allclose(motion[:3, 3], [0.035, 0.0, 0.0], atol=1e-6)
    assert (drive.unpaired, drive.truth) == (0, {})


def test_the_calibration_is_that_of_the_transforms_and_camera_info(tmp_path):
    drive = read_paired_drive(write(tmp_path / "bag"))
    np.testing.assert_allclose(drive.base_from_lidar, BASE_FROM_LIDAR, atol=1e-6)
    assert drive.calibration.ground_z == pytest.approx(-0.2)
    assert drive.calibration.camera.width == 64
    np.testing.assert_allclose(
        drive.calibration.camera_from_lidar, np.linalg.inv(LIDAR_FROM_CAMERA), atol=1e-6
    )
    np.testing.assert_allclose(drive.motion.lidar_pose(SECOND)[:3, 3], [7.0, 0.0, 0.2])


def test_every_message_is_read_once_apart_from_the_first_ones(tmp_path, monkeypatch):
    path, read = write(tmp_path / "bag", frames=40), []
    raw_messages = BagReader.raw_messages

    def counted(self, *arguments, **options):
        for raw in raw_messages(self, *arguments, **options):
            read.append(raw.topic)
            yield raw

    monkeypatch.setattr(BagReader, "raw_messages", counted)
    read_paired_drive(path)
    assert read.count("/odom") == 80
    assert read.count("/image_raw") <= 40 + 6  # probes, encoding, size
    assert read.count("/scan") <= 40 + 4


def test_a_bag_without_odometry_has_pairs_without_motion(tmp_path):
    drive = read_paired_drive(write(tmp_path / "bag", without={"/odom"}))
    assert [frame.motion for frame in drive.frames] == [None] * 4
    assert drive.odometry.fault == "the bag has none"


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("/scan", "holds no scans or point clouds"),
        ("/image_raw", "holds no images"),
        ("/camera_info", "holds no camera_info; record it, or give a vehicle"),
        ("/tf_static", r"no transform from lidar to base_link .* or give a vehicle"),
    ],
)
def test_what_a_bag_lacks_is_named(tmp_path, missing, text):
    with pytest.raises(ReplayError, match=text):
        read_paired_drive(write(tmp_path / "bag", without={missing}))
