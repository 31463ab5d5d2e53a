"""Truth of any stamp, and the motion that carries it."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.transforms import optical_from_body, pose_matrix
from conegrad_data.bags.types import BagError
from conegrad_data.recording.motion import moved_cones, moved_truth
from conegrad_data.recording.odometry_track import LidarMotion, odometry
from conegrad_data.recording.scan_reading import ScanView
from conegrad_data.recording.truth import (
    MapTruth,
    NoTruth,
    RecordedTruth,
    map_truth,
)
from conegrad_data.recording.visibility import SensorViews, with_visibility

SECOND = 1_000_000_000


def true_cones(*positions):
    seen = torch.ones(len(positions), dtype=torch.bool)
    classes = torch.zeros(len(positions), dtype=torch.int64)
    return TrueCones(torch.tensor(positions, dtype=torch.float64), classes, seen, seen)


def views(**changed):
    settings = {
        "ground_z": -0.2,
        "angle_low": -math.pi / 2,
        "angle_high": math.pi / 2,
        "lidar_range": 10.0,
    }
    return SensorViews(**{**settings, **changed})


def forward(to_ns, from_ns):
    """One metre per second ahead."""
    return pose_matrix(torch.tensor(-(to_ns - from_ns) / SECOND, dtype=torch.float64), 0.0, 0.0)


def test_poses_between_stamps_are_linear_and_turn_the_short_way():
    path = odometry([(SECOND, (2.0, 0.0, -3.1)), (0, (0.0, 0.0, 3.1))])
    x, _, yaw = path.at(SECOND // 2)
    assert x == pytest.approx(1.0)
    assert math.cos(yaw) == pytest.approx(-1.0)  # through pi, not through 0


def test_there_is_no_pose_far_from_the_recording():
    path = odometry([(0, (0.0, 0.0, 0.0)), (SECOND, (1.0, 0.0, 0.0))])
    assert path.at(2 * SECOND) is None
    assert path.motion(2 * SECOND, 0) is None
    assert odometry([]).at(0) is None


def test_motion_brings_a_standing_cone_nearer():
    path = odometry([(0, (0.0, 0.0, 0.0)), (SECOND, (1.0, 0.0, math.pi / 2))])
    moved = moved_truth(true_cones([1.0, 3.0]), path.motion(SECOND, 0))
    # From (1, 0) and looking to +y, the cone at (1, 3) is 3 m straight ahead.
    torch.testing.assert_close(moved.positions, torch.tensor([[3.0, 0.0]], dtype=torch.float64))


def test_covariance_turns_with_its_cone():
    cones = Cones(
        torch.tensor([[1.0, 0.0]]),
        torch.tensor([[[4.0, 0.0], [0.0, 1.0]]]),
        torch.eye(5)[:1],
        torch.zeros(1),
        torch.tensor([3]),
    )
    turned = moved_cones(cones, pose_matrix(0.0, 0.0, math.pi / 2).double())
    torch.testing.assert_close(turned.covariances, torch.tensor([[[1.0, 0.0], [0.0, 4.0]]]))


def test_recorded_truth_is_exact_at_its_stamp_and_carried_near_it():
    truth = RecordedTruth([0, SECOND], lambda _: true_cones([5.0, 0.0]), forward)
    assert truth.at(SECOND).positions.tolist() == [[5.0, 0.0]]
    assert truth.at(SECOND + SECOND // 4).positions.tolist() == [[4.75, 0.0]]
    assert truth.at(3 * SECOND) is None


def test_recorded_truth_takes_what_the_camera_saw_from_the_stamp_of_the_image():
    """The scan's own truth knows the image before; the car has passed a cone since."""
    hidden, seen = torch.tensor([True, False]), torch.tensor([True, True])
    at_scan = true_cones([1.0, 2.0], [5.0, 0.0])._replace(visible_lidar=hidden)
    at_image = true_cones([4.75, 0.0], [0.75, 2.0])._replace(visible_camera=hidden)
    recorded = {0: at_scan, SECOND // 4: at_image}
    truth = RecordedTruth(recorded, recorded.get, forward)
    found = truth.at(0, SECOND // 4)
    assert found.positions.tolist() == at_scan.positions.tolist()
    assert found.visible_camera.tolist() == [False, True]
    assert found.visible_lidar.tolist() == hidden.tolist()
    assert truth.at(0).visible_camera.tolist() == seen.tolist()
    assert truth.at(0, 3 * SECOND).visible_camera.tolist() == seen.tolist()  # no truth near it


def test_a_cone_that_the_truth_of_the_image_lacks_keeps_its_own_mark():
    at_scan, at_image = true_cones([1.0, 2.0], [5.0, 0.0]), true_cones([0.75, 2.0])
    at_image = at_image._replace(visible_camera=torch.tensor([False]))
    recorded = {0: at_scan, SECOND // 4: at_image}
    truth = RecordedTruth(recorded, recorded.get, forward)
    assert truth.at(0, SECOND // 4).visible_camera.tolist() == [False, True]
    still = RecordedTruth(recorded, recorded.get, lambda *_: None)
    assert still.at(0, SECOND // 4).visible_camera.tolist() == [True, True]


def test_recorded_truth_without_motion_holds_for_a_moment_only():
    truth = RecordedTruth([0], lambda _: true_cones([5.0, 0.0]), lambda *_: None)
    assert truth.at(4_000_000) is not None
    assert truth.at(40_000_000) is None


def test_the_scan_sees_cones_in_its_angles_and_range_that_no_nearer_cone_hides():
    truth = true_cones([5.0, 0.0], [8.0, 0.0], [8.0, 0.5], [-1.0, 0.2], [0.0, 11.0])
    seen = with_visibility(truth, views()).visible_lidar
    assert seen.tolist() == [True, False, True, False, False]


def test_the_camera_sees_feet_inside_the_picture():
    camera = pinhole_camera(640, 480, math.pi / 2)
    truth = true_cones([5.0, 0.0], [5.0, 6.0], [-5.0, 0.0], [30.0, 0.0])
    sight = views(camera=camera, camera_from_lidar=optical_from_body())
    assert with_visibility(truth, sight).visible_camera.tolist() == [True, False, False, False]
    assert not with_visibility(truth, views()).visible_camera.any()


def test_a_map_is_seen_by_the_camera_from_where_the_image_was_taken():
    camera = pinhole_camera(640, 480, math.pi / 2)
    sight = views(camera=camera, camera_from_lidar=optical_from_body())
    truth = MapTruth(np.array([[2.0, 1.5]]), np.array([1]), lambda ns: forward(0, ns), sight)
    assert truth.at(0).visible_camera.tolist() == [True]
    assert truth.at(0, SECOND).visible_camera.tolist() == [False]  # 1 m further on
    assert truth.at(0, SECOND).positions.tolist() == [[2.0, 1.5]]


def test_a_map_is_seen_from_the_pose_of_the_lidar():
    pose = pose_matrix(torch.tensor(2.0, dtype=torch.float64), 1.0, math.pi / 2)
    poses = {0: pose, 1: None}
    truth = MapTruth(np.array([[2.0, 4.0]]), np.array([1]), poses.get, views())
    torch.testing.assert_close(
        truth.at(0).positions, torch.tensor([[3.0, 0.0]], dtype=torch.float64)
    )
    assert truth.at(1) is None


def test_the_scan_says_what_the_camera_saw_where_the_pose_at_the_image_is_not_known():
    # Odometry may begin between an image and its scan; the frame has truth all the same.
    camera = pinhole_camera(640, 480, math.pi / 2)
    sight = views(camera=camera, camera_from_lidar=optical_from_body())
    poses = {0: pose_matrix(torch.tensor(0.0, dtype=torch.float64), 0.0, 0.0)}
    truth = MapTruth(np.array([[2.0, 1.5]]), np.array([1]), poses.get, sight)
    assert truth.at(0, 1).visible_camera.tolist() == [True]
    assert truth.at(1, 0) is None


def test_a_map_needs_odometry_a_mounting_and_a_view(tmp_path):
    (tmp_path / "map.csv").write_text("x,y,colour\n1,2,blue\n")
    poses = odometry([(0, (0.0, 0.0, 0.0))])
    view = ScanView(-1.0, 1.0, 10.0)

    def made(motion, view=view):
        return map_truth(tmp_path / "map.csv", tmp_path / "bag", motion, None, view)

    with pytest.raises(BagError, match="needs odometry, and the bag has none"):
        made(LidarMotion(odometry([]), torch.eye(4)))
    with pytest.raises(BagError, match="the place of the LiDAR on the car"):
        made(LidarMotion(poses, None))
    with pytest.raises(BagError, match="neither scans nor camera_info"):
        made(LidarMotion(poses, torch.eye(4)), None)
    truth = made(LidarMotion(poses, torch.eye(4))).at(0)
    assert truth.positions.tolist() == [[1.0, 2.0]]
    assert truth.visible_lidar.tolist() == [False]  # at 63 degrees, beyond the view of 57


def test_a_drive_that_is_only_perceived_has_no_cones():
    assert len(NoTruth().at(5).positions) == 0
