"""What the monitor says of a car that drives straight along a lane, and of its faults."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.consistency.frame import ObservedFrame
from conegrad_core.consistency.monitor import ConsistencyMonitor
from conegrad_core.consistency.reason import Reason
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.geometry.odometry import Pose2
from conegrad_core.lidar.scan import SegmentedScan

STEP = 0.5  # [m] per frame of 0.1 s
LIDAR_X, LIDAR_Z, CAMERA_X, CAMERA_Z = 1.5, 0.15, 0.0, 1.0  # [m] in the frame of the car
CAMERA = CameraModel(
    640, 360, torch.tensor([[320.0, 0, 320], [0, 320, 180], [0, 0, 1]]), torch.zeros(4), "plumb_bob"
)
# Optical axes (right, down, ahead) of LiDAR axes (ahead, left, up); the camera hangs 1.5 m behind.
CAMERA_FROM_LIDAR = torch.tensor(
    [[0.0, -1, 0, 0], [0, 0, -1, CAMERA_Z - LIDAR_Z], [1, 0, 0, LIDAR_X - CAMERA_X], [0, 0, 0, 1]],
    dtype=torch.float64,
)
BASE_FROM_LIDAR = np.array(
    [[1.0, 0, 0, LIDAR_X], [0, 1, 0, 0], [0, 0, 1, LIDAR_Z], [0, 0, 0, 1]], dtype=np.float64
)
WORLD = np.array([(3.0 * k, side * 1.75) for k in range(40) for side in (1, -1)])
BLUE, YELLOW = 0, 1


def around(along):
    """Cones around a car that has driven so far, in the frame of its LiDAR."""
    cones = WORLD - [along + LIDAR_X, 0.0]
    return cones[(cones[:, 0] > -3) & (cones[:, 0] < 9)]


def boxes(cones):
    """Boxes of cones in the image, each 20 px high."""
    ahead = cones[cones[:, 0] > 1.0]
    points = np.column_stack([ahead, np.full(len(ahead), -LIDAR_Z), np.ones(len(ahead))])
    x, y, z = (CAMERA_FROM_LIDAR.numpy() @ points.T)[:3]
    u, v = 320 + 320 * x / z, 180 + 320 * y / z
    found = np.stack([u - 5, v - 20, u + 5, v], axis=1)
    inside = (u > 0) & (u < 640) & (v < 360)
    logits = torch.full((int(inside.sum()), 4), -5.0)
    logits[:, 0] = 5.0
    return Detections(torch.from_numpy(found[inside]).float(), logits)


def scan(cones, noise):
    """Beams of 0.25 degrees that end on cones."""
    angles = np.radians(np.arange(-135, 135, 0.25))
    ranges = np.full(len(angles), np.nan)
    for x, y in cones:
        hit = np.abs(angles - math.atan2(y, x)) < 0.11 / math.hypot(x, y)
        ranges[hit] = math.hypot(x, y) + 1e-3 * noise
    logits = torch.full((len(angles),), 6.0)
    return SegmentedScan(torch.from_numpy(ranges).float(), torch.from_numpy(angles).float(), logits)


def frame(number, **changes):
    """The frame after so many steps."""
    along = STEP * number
    cones = around(along)
    colours = np.where(cones[:, 1] > 0, BLUE, YELLOW)
    fused = Cones(
        torch.from_numpy(cones).float(),
        0.01 * torch.eye(2).expand(len(cones), 2, 2),
        torch.nn.functional.one_hot(torch.from_numpy(colours), 5).float(),
        torch.full((len(cones),), 3.0),
        torch.full((len(cones),), 3),
    )
    stamp = (number + 1) * 100_000_000
    return ObservedFrame(
        stamp, fused, BASE_FROM_LIDAR, Pose2(along, 0.0, 0.0), boxes(cones), stamp,
        scan(cones, number), stamp, Calibration(CAMERA, CAMERA_FROM_LIDAR, LIDAR_Z),
    )._replace(**changes)  # fmt: skip


def names(monitor, frames):
    """Names of the reasons of the last of some frames."""
    return [reason.name for reason in [monitor.observe(one) for one in frames][-1]]


@pytest.fixture
def monitor():
    """A monitor that has seen 30 frames without a fault."""
    monitor = ConsistencyMonitor()
    for number in range(30):
        assert monitor.observe(frame(number)) == ()
    return monitor


def test_a_sensor_that_is_missing_is_told_with_the_words_of_the_pairing(monitor):
    without = {"image": None, "image_ns": None, "calibration": None, "why_alone": "no images"}
    (reason,) = monitor.observe(frame(30, **without))
    assert reason == ("camera_lost", "no images")
    without = {"scan": None, "scan_ns": None, "calibration": None, "why_alone": "no scans"}
    assert names(monitor, [frame(31, **without)]) == ["lidar_lost"]


def test_a_sensor_that_the_pipeline_does_not_have_is_not_missed():
    alone = ConsistencyMonitor(sensors=("camera",))
    assert alone.observe(frame(0, scan=None, scan_ns=None, calibration=None)) == ()


def test_odometry_that_was_there_is_missed(monitor):
    (reason,) = monitor.observe(frame(33, pose=None))
    assert reason.name == "odometry_lost"
    assert "no odometry for 0.4 s" in reason.text
    assert names(ConsistencyMonitor(), [frame(0, pose=None)]) == []  # there never was one


def test_an_image_that_comes_again_under_a_new_stamp_is_frozen(monitor):
    old = frame(29).image
    (reason,) = monitor.observe(frame(30, image=old))
    assert reason.name == "camera_frozen"
    assert "while the car moved 0.50 m" in reason.text
    assert names(monitor, [frame(31)]) == []


def test_the_same_again_is_right_while_the_car_stands(monitor):
    stands = {"pose": Pose2(14.5, 0.0, 0.0), "cones": frame(29).cones, "image": frame(29).image}
    assert names(monitor, [frame(30, **stands, scan=frame(29).scan)]) == []


def test_one_scan_that_is_paired_with_two_images_is_not_frozen(monitor):
    old = frame(29)
    assert names(monitor, [frame(30, scan=old.scan, scan_ns=old.scan_ns)]) == []


def test_a_scan_that_comes_again_under_a_new_stamp_is_frozen(monitor):
    assert "lidar_frozen" in names(monitor, [frame(30, scan=frame(29).scan)])


def coloured(number, swap):
    """A frame of which the colours are exchanged."""
    cones = frame(number).cones
    colours = cones.colours[:, [1, 0, 2, 3, 4]] if swap else cones.colours
    return frame(number, cones=cones._replace(colours=colours))


def test_colours_that_flip_are_told_at_once_and_colours_that_stay_swapped_afterwards(monitor):
    first = names(monitor, [coloured(number, True) for number in range(30, 33)])
    assert "colours_changed" in first
    later = names(monitor, [coloured(number, True) for number in range(33, 48)])
    assert later == ["colours_swapped"]


def test_odometry_that_slips_lets_standing_cones_drift():
    monitor = ConsistencyMonitor()
    slips = [frame(n, pose=Pose2(1.3 * STEP * n, 0.0, 0.0)) for n in range(25)]
    # 0.3 m of drift for 1.3 m that odometry says were driven.
    assert "odometry_drifts" in names(monitor, slips)
    assert monitor.figures()["drift"] == pytest.approx(0.3 / 1.3, abs=0.01)


def test_a_camera_that_looks_elsewhere_is_told_by_the_bearing_of_its_cones(monitor):
    turn = math.radians(3.0)
    turned = torch.eye(4, dtype=torch.float64)
    turned[0, 0] = turned[2, 2] = math.cos(turn)
    turned[0, 2], turned[2, 0] = math.sin(turn), -math.sin(turn)
    wrong = Calibration(CAMERA, turned @ CAMERA_FROM_LIDAR, LIDAR_Z)
    frames = [frame(number, calibration=wrong) for number in range(30, 42)]
    assert names(monitor, frames) == ["bearing_offset"]
    assert monitor.figures()["bearing"] == pytest.approx(3.0, abs=0.3)


def test_a_blind_camera_and_a_blind_lidar_are_told_apart(monitor):
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    assert names(monitor, [frame(n, image=nothing) for n in range(30, 38)]) == ["camera_misses"]
    of_lidar = ConsistencyMonitor()
    empty = [frame(n)._replace(scan=scan(np.zeros((0, 2)), n)) for n in range(8)]
    assert names(of_lidar, empty) == ["lidar_misses"]


def test_sensors_that_see_cones_at_other_places_contradict(monitor):
    narrow = [around(STEP * n) * np.array([1.0, 0.2]) for n in range(30, 40)]
    elsewhere = [frame(n, image=boxes(cones)) for n, cones in enumerate(narrow, 30)]
    assert "sensors_contradict" in names(monitor, elsewhere)


def test_stamps_far_apart_are_told(monitor):
    assert names(monitor, [frame(30, lag=-0.12)]) == ["stamps_apart"]


def test_cones_and_returns_that_vanish_are_told(monitor):
    def few(number):
        cones = frame(number).cones
        return frame(number, cones=cones.rows(torch.arange(2)))

    assert "cones_vanished" in names(monitor, [few(number) for number in range(30, 33)])
    returns = ConsistencyMonitor()
    wall = frame(0).scan._replace(ranges=torch.linspace(5.0, 6.0, 1080))
    full = [frame(n, scan=wall._replace(ranges=wall.ranges + n)) for n in range(20)]
    cones_alone = [frame(n) for n in range(20, 24)]  # as on an open field
    assert "returns_vanished" not in names(returns, full + cones_alone)
    empty = [frame(n)._replace(scan=scan(np.zeros((0, 2)), n)) for n in range(24, 28)]
    assert "returns_vanished" in names(returns, empty)


def test_alarms_of_the_sensors_are_handed_on_also_where_nothing_is_compared(monitor):
    alarm = Reason("image_unlike", "dark")
    assert monitor.observe(frame(30, alarms=(alarm,))) == (alarm,)
    off = ConsistencyMonitor(ConsistencyConfig(enabled=False))
    assert off.observe(frame(0, alarms=(alarm,), lag=1.0)) == (alarm,)


def test_a_new_run_begins_without_a_past(monitor):
    again = frame(29)._replace(stamp_ns=10**12)
    assert monitor.observe(again) == ()
    assert monitor.figures()["camera_confirms"] == 1.0
