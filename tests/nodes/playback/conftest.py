"""A short drive as a bag: a camera at 10 Hz, a LiDAR at 20 Hz that runs freely, odometry."""

import numpy as np
import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.writer import BagWriter

MILLISECOND = 1_000_000
START = 1_000 * 1_000 * MILLISECOND
CAMERA_FROM_LIDAR = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0.9], [1, 0, 0, 0.9], [0, 0, 0, 1]])
BASE_FROM_LIDAR = np.array([[1.0, 0, 0, 1.5], [0, 1, 0, 0], [0, 0, 1, 0.2], [0, 0, 0, 1]])
WIDTH, HEIGHT, BEAMS = 160, 96, 181
INTRINSICS = np.array([[80.0, 0, 80], [0, 80, 48], [0, 0, 1]])

IMAGE, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo"
SCAN, ODOMETRY = "sensor_msgs/msg/LaserScan", "nav_msgs/msg/Odometry"


def cone_scan(index):
    """A wall at 9 m and three cones that come nearer."""
    ranges = np.full(BEAMS, 9.0)
    for beam, distance in ((60, 5.0), (90, 3.5), (120, 4.0)):
        ranges[beam - 1 : beam + 2] = distance - 0.02 * index
    return ranges


class Delayed:
    """A bag whose recorder is late."""

    def __init__(self, bag, delay):
        self._bag, self._delay_ns = bag, round(delay * 1e9)

    def write(self, topic, msgtype, stamp, msg):
        self._bag.write(topic, msgtype, stamp + self._delay_ns, msg)


def write_image(bag, stamp, index):
    info = messages.camera_info_msg(
        stamp, "camera_optical", (WIDTH, HEIGHT), INTRINSICS, (), "none"
    )
    bag.write("/camera_info", INFO, stamp, info)
    picture = np.random.default_rng(index).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    bag.write("/image_raw", IMAGE, stamp, messages.image_msg(stamp, "camera_optical", picture))


def write_scan(bag, stamp, index):
    msg = messages.scan_msg(
        stamp,
        "lidar",
        cone_scan(index),
        angle_min=-np.pi / 2,
        angle_increment=np.pi / (BEAMS - 1),
        range_min=0.1,
        range_max=30.0,
        scan_time=0.05,
    )
    bag.write("/scan", SCAN, stamp, msg)


def write_drive(path, *, images=6, scans=14, has_frames=True, delay=0.7):
    """Images from 13 ms on, scans from 0 ms on: an image's nearest scan is 13 ms before it.

    The recorder received everything with a delay [s], as one with another clock does.
    """
    with BagWriter(path) as writer:
        bag = Delayed(writer, delay)
        if has_frames:
            frames = [
                ("base_link", "lidar", BASE_FROM_LIDAR),
                ("lidar", "camera_optical", np.linalg.inv(CAMERA_FROM_LIDAR)),
            ]
            msg = messages.transforms_msg(START, frames)
            bag.write("/tf_static", "tf2_msgs/msg/TFMessage", START, msg)
        for tick in range(max(50 * scans, 100 * images)):
            stamp = START + tick * MILLISECOND
            if tick % 10 == 0:
                odometry = messages.odometry_msg(stamp, (0.0004 * tick, 0.0, 0.0))
                bag.write("/odom", ODOMETRY, stamp, odometry)
            if tick % 50 == 0 and tick // 50 < scans:
                write_scan(bag, stamp, tick // 50)
            if tick % 100 == 13 and tick // 100 < images:
                write_image(bag, stamp, tick // 100)
    return path


@pytest.fixture
def record_drive(tmp_path):
    """Function that writes such a bag under a name."""
    return lambda name, **options: write_drive(tmp_path / name, **options)


@pytest.fixture(scope="session")
def drive(tmp_path_factory):
    """The bag with everything that perception needs."""
    return write_drive(tmp_path_factory.mktemp("recorded") / "drive")


@pytest.fixture(scope="session")
def parameters(camera_weights, lidar_weights):
    """Of tiny random models: they find something in noise, which is enough to compare."""
    return {
        "detector.weights": camera_weights,
        "detector.engine": "torch",
        "detector.input_width": WIDTH,
        "detector.input_height": HEIGHT,
        "segmenter.weights": lidar_weights,
        "min_existence": 0.01,
    }


@pytest.fixture
def no_graph(monkeypatch):
    """Fail when the nodes are started."""
    from conegrad_nodes.playback import perceive

    def refuse(*_args, **_kwargs):
        raise AssertionError("the nodes were started")

    monkeypatch.setattr(perceive, "GraphProcess", refuse)
