"""Messages of the simulated sensors, and the truth in them."""

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.lidar.planar_lidar import CastScan
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording import sensor_messages
from conegrad_simulation.recording.drive import CarState
from conegrad_simulation.recording.drive_render import Picture
from conegrad_simulation.recording.sensor_messages import TRUTH_RANGE, VisibleCones
from conegrad_simulation.scene.scene import standard_scene

VEHICLE = load_vehicle("formula_student")
STAMP = sensor_messages.stamp_of(1.5)
ORIGIN = Pose(0.0, 0.0, 0.0)
NONE = np.zeros(0, dtype=np.int64)


def truth(visible, pose=ORIGIN):
    mounting = VEHICLE.lidar.mounting
    places = [[mounting.x + 5.0, 0.0], [mounting.x + 9.0, 2.0], [mounting.x + TRUTH_RANGE + 1, 0.0]]
    scene = standard_scene(np.array(places), np.array([0, 1, 0]))
    return sensor_messages.truth_message(STAMP, scene, VEHICLE, pose, visible).msg


def test_stamps_count_from_the_start_of_every_drive():
    assert STAMP - sensor_messages.START_NS == 1_500_000_000


def test_truth_is_in_the_frame_of_the_lidar_and_within_its_range():
    msg = truth(VisibleCones(NONE, NONE))
    assert msg.header.frame_id == "lidar"
    places = [(cone.position.x, cone.position.y) for cone in msg.cones]
    assert places == [pytest.approx((5.0, 0.0)), pytest.approx((9.0, 2.0))]


def test_visibility_is_that_of_each_sensor():
    msg = truth(VisibleCones(camera=np.array([1]), lidar=np.array([0, 2])))
    assert [cone.visible_camera for cone in msg.cones] == [False, True]
    assert [cone.visible_lidar for cone in msg.cones] == [True, False]


def test_before_the_first_message_of_a_sensor_cones_are_not_visible_to_it():
    msg = truth(VisibleCones(camera=None, lidar=np.array([0])))
    assert not any(cone.visible_camera for cone in msg.cones)


def test_a_raw_picture_is_an_image_and_a_jpeg_a_compressed_one():
    raw = Picture(np.zeros((VEHICLE.camera.height, VEHICLE.camera.width, 3), np.uint8), NONE)
    info, image = sensor_messages.image_messages(STAMP, VEHICLE, raw)
    assert (info.topic, image.topic) == ("/camera_info", "/image_raw")
    _, compressed = sensor_messages.image_messages(STAMP, VEHICLE, Picture(b"jpeg", NONE))
    assert compressed.topic == "/image_raw/compressed"
    assert compressed.msg.header.frame_id == "camera_optical"


def test_a_scan_has_the_angles_and_limits_of_the_lidar():
    lidar = VEHICLE.lidar
    ranges = np.full(lidar.beams, 3.0, np.float32)
    scan = CastScan(ranges, np.zeros(lidar.beams, bool), np.full(lidar.beams, -1))
    msg = sensor_messages.scan_message(STAMP, VEHICLE, scan).msg
    assert msg.angle_min == pytest.approx(lidar.angle_min)
    assert msg.angle_increment == pytest.approx(lidar.angle_increment)
    assert (msg.range_min, msg.range_max) == pytest.approx((lidar.range_min, lidar.range_max))
    assert len(msg.ranges) == lidar.beams


def test_odometry_has_the_drifted_pose_and_the_true_speeds():
    state = CarState(ORIGIN, 7.0, 0.4, 0.0, 0.0)
    msg = sensor_messages.odometry_message(STAMP, (1.0, 2.0, 0.0), state).msg
    assert (msg.pose.pose.position.x, msg.pose.pose.position.y) == (1.0, 2.0)
    assert (msg.twist.twist.linear.x, msg.twist.twist.angular.z) == (7.0, 0.4)
