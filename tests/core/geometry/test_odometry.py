"""Poses over time and the motion between two stamps."""

import math

import pytest
import torch

from conegrad_core.geometry.odometry import OdometryBuffer, Pose2, relative_pose, sensor_motion


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
