"""Poses over time and the motion between two stamps."""

import math

import pytest
import torch

from conegrad_core.geometry.odometry import (
    OdometryBuffer,
    Pose2,
    path_around,
    relative_pose,
    sensor_motion,
)


def test_the_relative_pose_is_in_the_axes_of_the_first():
    ahead = relative_pose(Pose2(1, 1, math.pi / 2), Pose2(1, 3, math.pi))
    assert tuple(ahead) == pytest.approx((2, 0, math.pi / 2))


def test_turning_on_the_spot_moves_a_sensor_in_the_nose():
    mounting = torch.eye(4)
    mounting[0, 3] = 2.0  # the LiDAR is 2 m before the base
    motion = sensor_motion(Pose2(0, 0, math.pi / 2), mounting)
    origin = motion @ torch.tensor([0.0, 0, 0, 1])
    torch.testing.assert_close(origin, torch.tensor([-2.0, 2, 0, 1]))


def test_interpolates_between_poses_and_not_beyond():
    odometry = OdometryBuffer(10)
    odometry.add(0, Pose2(0, 0, 0))
    odometry.add(100, Pose2(1, 2, 0.5))
    assert odometry.at(100) == Pose2(1, 2, 0.5)
    assert tuple(odometry.at(25)) == pytest.approx((0.25, 0.5, 0.125))
    assert odometry.at(101) is None
    assert odometry.at(-1) is None


def test_holds_the_newest_poses_only():
    odometry = OdometryBuffer(2)
    for stamp in (0, 1, 2):
        odometry.add(stamp, Pose2(stamp, 0, 0))
    assert odometry.at(0) is None
    assert odometry.at(1) == Pose2(1, 0, 0)


def test_refuses_stamps_that_do_not_rise_and_poses_that_are_not_finite():
    odometry = OdometryBuffer(2)
    odometry.add(5, Pose2(0, 0, 0))
    with pytest.raises(ValueError, match="odometry stamp is 5 ns, expected above 5"):
        odometry.add(5, Pose2(0, 0, 0))
    with pytest.raises(ValueError, match="expected finite values"):
        odometry.add(6, Pose2(0, math.nan, 0))


def test_a_pose_that_no_car_reaches_begins_anew(caplog):
    odometry = OdometryBuffer(10)
    odometry.add(0, Pose2(0, 0, 0))
    odometry.add(10_000_000, Pose2(1e7, 0, 0))  # 10 ms later
    assert odometry.jumps == 1
    assert odometry.at(5_000_000) is None
    assert odometry.at(10_000_000) == Pose2(1e7, 0, 0)
    assert "odometry jumped 1e+07 m in 0.010 s" in caplog.text
    odometry.add(20_000_000, Pose2(1e7 + 1.5, 0, 0))  # 150 m/s
    assert odometry.jumps == 1


def drive(rate=100, seconds=1.0, speed=10.0, yaw_rate=0.5):
    """A car on a circle."""
    odometry = OdometryBuffer(1000)
    radius = speed / yaw_rate
    for stamp in range(0, round(1e9 * seconds) + 1, 1_000_000_000 // rate):
        yaw = yaw_rate * stamp / 1e9
        odometry.add(stamp, Pose2(radius * math.sin(yaw), radius * (1 - math.cos(yaw)), yaw))
    return odometry


def test_the_motion_of_the_car_is_carried_on_for_a_moment():
    odometry = drive()
    x, y, yaw = odometry.near(1_030_000_000)
    truth = 20 * math.sin(0.515), 20 * (1 - math.cos(0.515)), 0.515
    assert (x, y, yaw) == pytest.approx(truth, abs=0.01)
    assert odometry.near(1_200_000_000) is None
    assert odometry.near(500_000_000) == odometry.at(500_000_000)
    assert odometry.near(-1) is None
    single = OdometryBuffer(5)
    single.add(0, Pose2(0, 0, 0))
    assert single.near(1) is None


def test_a_path_is_relative_to_its_stamp():
    path = path_around(drive().near, 500_000_000, -0.1, 0.1)
    assert (path.offsets[0], path.offsets[-1]) == (-0.1, pytest.approx(0.1))
    middle = len(path.offsets) // 2
    assert path.poses[middle].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    # A tenth of a second on a circle of 20 m at 10 m/s.
    assert path.poses[-1].tolist() == pytest.approx(
        [20 * math.sin(0.05), 20 * (1 - math.cos(0.05)), 0.05], abs=1e-4
    )


def test_a_path_that_odometry_does_not_cover_is_none():
    assert path_around(drive().near, 0, -0.1, 0.0) is None
    assert path_around(drive().near, 1_100_000_000, 0.0, 0.1) is None
    assert path_around(OdometryBuffer(5).near, 0, 0.0, 0.1) is None
