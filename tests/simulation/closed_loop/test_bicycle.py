"""The kinematic bicycle with lagging actuators."""

import math

import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.closed_loop.bicycle import (
    BicycleConfig,
    BicycleState,
    DriveCommand,
    move,
    yaw_rate,
)

CHASSIS = load_vehicle("formula_student").chassis
PROMPT = BicycleConfig(steering_lag=0.001, drive_lag=0.001)


def test_a_constant_command_drives_a_circle_of_its_radius():
    # 4 m/s and 0.5 rad/s: a circle of 8 m, whose half takes pi / 0.5 s.
    start = BicycleState(0.0, 0.0, 0.0, 4.0, 0.0, math.atan(CHASSIS.wheel_base / 8.0))
    end = move(start, DriveCommand(4.0, 0.5), math.pi / 0.5, CHASSIS, PROMPT)
    assert (end.x, end.y) == pytest.approx((0.0, 16.0), abs=0.05)
    assert end.yaw == pytest.approx(math.pi, abs=0.01)
    assert yaw_rate(end, CHASSIS) == pytest.approx(0.5)


def test_steering_lags_by_its_time_constant():
    config = BicycleConfig(steering_lag=0.2)
    start = BicycleState(0.0, 0.0, 0.0, 2.0)
    wanted = math.atan(CHASSIS.wheel_base * 0.1)
    after = move(start, DriveCommand(2.0, 0.2), 0.2, CHASSIS, config)
    assert after.steering == pytest.approx(wanted * (1 - math.exp(-1)), rel=1e-3)


def test_steering_and_acceleration_keep_the_limits_of_the_vehicle():
    state = BicycleState(0.0, 0.0, 0.0, 5.0)
    for _ in range(50):
        state = move(state, DriveCommand(100.0, 100.0), 0.02, CHASSIS, PROMPT)
        assert state.steering <= CHASSIS.steering_limit + 1e-9
        assert state.acceleration <= CHASSIS.max_acceleration + 1e-9
    assert state.speed == pytest.approx(5.0 + CHASSIS.max_acceleration, rel=0.01)
    state = move(state, DriveCommand(100.0, 0.0), 10.0, CHASSIS, PROMPT)
    assert state.speed == pytest.approx(CHASSIS.max_speed, abs=0.01)


def test_a_stop_ends_at_standstill_and_keeps_the_steering():
    start = BicycleState(0.0, 0.0, 0.0, 6.0, 0.0, 0.2)
    end = move(start, DriveCommand(0.0, 0.0), 3.0, CHASSIS, PROMPT)
    assert end.speed == pytest.approx(0.0, abs=1e-3)
    assert end.steering == 0.2


def test_never_drives_backwards():
    end = move(BicycleState(0.0, 0.0, 0.0, 1.0), DriveCommand(-5.0, 0.0), 5.0, CHASSIS, PROMPT)
    assert end.speed >= 0.0
    assert end.x < 1.0
