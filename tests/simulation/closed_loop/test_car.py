"""The simulated car: delayed commands and a drifting odometry."""

import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.closed_loop.bicycle import BicycleConfig, DriveCommand
from conegrad_simulation.closed_loop.car import SimulatedCar
from conegrad_simulation.planar import Pose
from conegrad_simulation.recording.attitude import Attitude
from conegrad_simulation.recording.drive import OdometryDrift

START = Pose(1.0, 2.0, 0.5)


def make(delay=0.0, drift=(0.0, 0.0), gains=(0.0, 0.0)):
    chassis = load_vehicle("formula_student").chassis
    attitude = Attitude(*gains, 0.0, seed=1)
    config = BicycleConfig(delay=delay, drive_lag=0.001, steering_lag=0.001)
    return SimulatedCar(START, chassis, config, attitude, OdometryDrift(*drift))


def test_stands_until_the_first_command_has_reached_the_actuators():
    car = make(delay=0.1)
    car.advance(1.0)
    car.command(DriveCommand(5.0, 0.0))
    car.advance(1.09)
    assert car.pose == START
    car.advance(1.2)
    assert car.state(1.2).speed > 0.3


def test_the_path_does_not_depend_on_the_number_of_steps():
    once, often = make(delay=0.05), make(delay=0.05)
    for car in (once, often):
        car.command(DriveCommand(5.0, 1.0))
    once.advance(1.0)
    for tick in range(1, 1001):
        often.advance(tick / 1000)
    assert once.pose == pytest.approx(often.pose, abs=0.02)


def test_odometry_without_errors_is_the_true_pose():
    car = make()
    car.command(DriveCommand(5.0, 1.0))
    car.advance(2.0)
    assert car.odometry == pytest.approx(car.pose)


def test_odometry_drifts_by_its_errors():
    car = make(drift=(0.1, 0.02))
    car.command(DriveCommand(5.0, 0.0))
    car.advance(3.0)
    travelled = ((car.pose.x - START.x) ** 2 + (car.pose.y - START.y) ** 2) ** 0.5
    reported = ((car.odometry.x - START.x) ** 2 + (car.odometry.y - START.y) ** 2) ** 0.5
    assert reported == pytest.approx(1.1 * travelled, rel=1e-3)
    assert car.odometry.yaw - car.pose.yaw == pytest.approx(0.06)


def test_the_body_pitches_up_when_it_accelerates():
    car = make(gains=(0.01, 0.0))
    car.command(DriveCommand(20.0, 0.0))
    car.advance(0.5)
    # 8 m/s^2 of the vehicle's limit; positive pitch is nose down.
    assert car.state(0.5).pitch == pytest.approx(-0.08, rel=0.01)


def test_refuses_the_state_at_another_time():
    car = make()
    car.advance(1.0)
    with pytest.raises(ValueError, match=r"time is 0\.5, expected 1\.0"):
        car.state(0.5)
