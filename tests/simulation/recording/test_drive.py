"""A car driving along a track."""

import dataclasses
import math

import numpy as np
import pytest

from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.drive import (
    DriveConfig,
    OdometryDrift,
    PlannedDrive,
    dead_reckoning,
)
from conegrad_simulation.track.track import Track
from conegrad_simulation.track.track_events import acceleration
from conegrad_simulation.track.track_random import random_track

SMOOTH_ROAD = DriveConfig(unevenness=0.0)


def circle(radius):
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    line = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    nothing = np.zeros((0, 2))
    return Track("circle", nothing, np.zeros(0, dtype=np.int64), line, is_closed=True)


def test_a_circle_is_driven_at_the_speed_that_its_radius_allows():
    # v^2 / r = limit: 7 m/s^2 on 7 m gives 7 m/s, and a yaw rate of 1 rad/s to the left.
    state = PlannedDrive(circle(7.0), DriveConfig(speed=30.0, lateral_limit=7.0), seed=1).state(3.0)
    assert state.speed == pytest.approx(7.0, rel=0.02)
    assert state.yaw_rate == pytest.approx(1.0, rel=0.02)


def test_the_car_leans_out_of_the_turn():
    state = PlannedDrive(circle(10.0), dataclasses.replace(SMOOTH_ROAD, speed=5.0), seed=1).state(
        2.0
    )
    # 2.5 m/s^2 to the left times 0.002 rad s^2/m: leans right, which is positive about x.
    assert state.roll == pytest.approx(0.005, rel=0.05)
    assert state.pitch == pytest.approx(0.0, abs=1e-4)


def test_the_nose_dives_while_the_car_brakes_for_the_end():
    drive = PlannedDrive(acceleration(), SMOOTH_ROAD, seed=1)
    braking = drive.state(drive.duration - 0.5)
    # 6 m/s^2 times 0.0015 rad s^2/m.
    assert braking.pitch == pytest.approx(0.009, rel=0.1)
    assert drive.state(1.0).pitch == pytest.approx(0.0, abs=1e-9)


def test_on_an_open_track_the_car_stops_at_the_end():
    track = acceleration()
    drive = PlannedDrive(track, SMOOTH_ROAD, seed=1)
    at_end = drive.state(drive.duration + 5.0)
    assert at_end.pose[:2] == pytest.approx(tuple(track.centre_line[-1]))
    assert at_end.pose.yaw == pytest.approx(0.0)


def test_a_lap_of_a_closed_track_leads_back_to_its_start():
    drive = PlannedDrive(circle(20.0), DriveConfig(speed=10.0), seed=1)
    lap = 2 * math.pi * 20.0 / 10.0
    start, after = drive.state(0.0).pose, drive.state(lap).pose
    # Rounding the line over 1 m shortens the lap by 0.16 m: a radius less by 1 / (2 * 20) m.
    assert after.x == pytest.approx(start.x, abs=0.01)
    assert after.y == pytest.approx(2 * math.pi / (2 * 20.0), abs=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_speed_and_heading_are_the_derivative_of_the_position(seed):
    drive = PlannedDrive(random_track(seed), DriveConfig(), seed)
    for time in np.linspace(0.5, 40.0, 60):
        before, here, after = (drive.state(float(time) + step) for step in (-0.005, 0, 0.005))
        dx, dy = after.pose.x - before.pose.x, after.pose.y - before.pose.y
        assert math.hypot(dx, dy) / 0.01 == pytest.approx(here.speed, rel=0.02)
        assert math.cos(math.atan2(dy, dx) - here.pose.yaw) > 0.9999


def test_no_limit_is_exceeded_on_a_winding_track():
    config = DriveConfig(speed=15.0, lateral_limit=7.0, forward_limit=4.0, braking_limit=6.0)
    drive = PlannedDrive(random_track(5), config, 5)
    states = [drive.state(time) for time in np.arange(0.0, 60.0, 0.05)]
    speeds = np.array([state.speed for state in states])
    assert speeds.max() <= 15.0
    assert max(abs(s.speed * s.yaw_rate) for s in states) < 7.5
    changes = np.diff(speeds) / 0.05
    assert changes.max() < 4.5
    assert changes.min() > -6.5


def test_the_same_seed_gives_the_same_ride():
    track = random_track(1)
    first, same, other = (PlannedDrive(track, DriveConfig(), seed).state(4.2) for seed in (3, 3, 4))
    assert first == same
    assert first.pose == other.pose
    assert first.pitch != other.pitch


def test_odometry_without_drift_is_the_truth():
    drive = PlannedDrive(circle(10.0), DriveConfig(), seed=1)
    poses = dead_reckoning(drive, np.array([0.0, 1.0]), OdometryDrift(0.0, 0.0))
    assert [Pose(*pose) for pose in poses] == [drive.state(0.0).pose, drive.state(1.0).pose]


def test_a_speed_error_stretches_the_driven_line():
    drive = PlannedDrive(acceleration(), SMOOTH_ROAD, seed=1)
    times = np.arange(0.0, 5.0, 0.01)
    drifted = dead_reckoning(drive, times, OdometryDrift(0.1, 0.0))[-1]
    start, end = drive.state(0.0).pose, drive.state(float(times[-1])).pose
    assert drifted[0] - start.x == pytest.approx(1.1 * (end.x - start.x))
    assert drifted[1:] == pytest.approx((0.0, 0.0))


def test_a_yaw_rate_bias_turns_the_odometry_away():
    drive = PlannedDrive(acceleration(), SMOOTH_ROAD, seed=1)
    times = np.arange(0.0, 5.001, 0.01)
    drifted = dead_reckoning(drive, times, OdometryDrift(0.0, 0.01))[-1]
    assert drifted[2] == pytest.approx(0.05, rel=1e-3)
    assert drifted[1] > 0.5  # 40 m ahead, on average 0.025 rad to the left


def test_settings_out_of_bounds_are_refused():
    with pytest.raises(ValueError, match=r"DriveConfig.speed is 0.0, expected a value in"):
        DriveConfig(speed=0.0)
