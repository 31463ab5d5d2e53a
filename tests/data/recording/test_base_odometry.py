"""One pose of the base, whatever body the odometry is of."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.geometry.transforms import (
    mounting_matrix,
    optical_from_body,
    pose_matrix,
    quaternion_from_rotation,
)
from conegrad_core.timing.pairing import Pairing
from conegrad_data.bags import messages
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.recording.base_odometry import (
    BaseOdometry,
    NewFrameError,
    OdometryError,
    add_odometry,
)

POSE = Pose2(10.0, -4.0, 2.5)


def mounted(x, y, z, roll=0.0, pitch=0.0, yaw=0.0):
    place = torch.tensor([x, y, z], dtype=torch.float64)
    return mounting_matrix(place, roll, pitch, yaw)


BODIES = {
    "imu": mounted(0.3, 0.1, 0.4, yaw=math.pi / 2),
    "camera": mounted(0.7, 0.0, 1.1, pitch=0.25),
    "lidar": mounted(1.5, 0.0, 0.15, roll=math.pi, yaw=0.4),
}
BODIES["camera_optical"] = BODIES["camera"] @ optical_from_body(torch.float64).mT


@pytest.fixture(scope="module")
def frames():
    tree = [("base_link", name, matrix.numpy()) for name, matrix in BODIES.items()]
    return StaticFrames([messages.transforms_msg(0, tree)])


def odometry_of(body, pose=POSE, frame="odom"):
    """Message of a car at a pose, as the sensor of a body tells it."""
    odom_from_base = pose_matrix(*torch.tensor(pose, dtype=torch.float64))
    odom_from_body = odom_from_base @ BODIES.get(body, torch.eye(4, dtype=torch.float64))
    x, y, z = odom_from_body[:3, 3].tolist()
    q = quaternion_from_rotation(odom_from_body[:3, :3]).tolist()
    inner = SimpleNamespace(
        position=SimpleNamespace(x=x, y=y, z=z),
        orientation=SimpleNamespace(**dict(zip("xyzw", q, strict=True))),
    )
    stamp = SimpleNamespace(sec=1, nanosec=0)
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=frame, stamp=stamp),
        child_frame_id=body,
        pose=SimpleNamespace(pose=inner),
    )


@pytest.mark.parametrize("body", ["base_link", "/base_link", "", *BODIES])
def test_gives_the_pose_of_the_base_for_a_body(frames, body):
    pose = BaseOdometry.of_frames(frames).pose(odometry_of(body))
    assert pose == pytest.approx(POSE)


def test_says_which_body_it_took_once(frames):
    told: list[str] = []
    odometry = BaseOdometry.of_frames(frames, tell=told.append)
    for body in ("imu", "imu", "", "base_link"):
        odometry.pose(odometry_of(body))
    assert told == [
        "odom: child_frame_id is 'imu', its poses are moved to base_link",
        "odom: child_frame_id is empty, taken as base_link",
    ]
    assert odometry.is_assumed


def test_refuses_a_body_whose_place_is_not_known(frames):
    odometry = BaseOdometry.of_frames(frames)
    with pytest.raises(OdometryError, match=r"child_frame_id is 'zed2'.* no transform .*zed2"):
        odometry.pose(odometry_of("zed2"))


def test_refuses_a_pose_of_another_frame_than_it_says(frames):
    msg = odometry_of("base_link")
    msg.child_frame_id = "camera_optical"
    with pytest.raises(OdometryError, match=r"base_link leans by .* degrees, expected at most 45"):
        BaseOdometry.of_frames(frames).pose(msg)


def test_poses_of_two_frames_are_never_mixed(frames):
    odometry, pairing = BaseOdometry.of_frames(frames), Pairing()
    add_odometry(pairing, odometry, odometry_of("imu"))
    with pytest.raises(NewFrameError, match="frame_id is 'map' after 'odom'"):
        add_odometry(pairing, odometry, odometry_of("imu", frame="map"))
    # The stamp came before: only a pairing that forgot the poses takes it again.
    add_odometry(pairing, odometry, odometry_of("imu", frame="map"))
    pairing.add_detections(1_000_000_000, "image")
    pairing.add_segmentation(1_000_000_000, "scan")
    (pair,) = pairing.take()
    assert pair.motion == Pose2(0.0, 0.0, 0.0)


def test_the_frames_of_a_vehicle_preset_are_those_of_the_documentation():
    from conegrad_core.vehicle import load_vehicle

    vehicle = load_vehicle("formula_student")
    frames = StaticFrames.of_vehicle(vehicle)
    assert frames.names == ["base_link", "camera", "camera_optical", "lidar"]
    np.testing.assert_allclose(
        frames.lookup("camera_optical", "lidar"), vehicle.camera_from_lidar(), atol=1e-6
    )
