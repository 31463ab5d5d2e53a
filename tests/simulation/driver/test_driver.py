"""When the driver drives and why it stops."""

import numpy as np
import pytest
import torch

from conegrad_core.cones import Cones
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.odometry import Pose2
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.driver.driver import DRIVING, Driver

SECOND = 1_000_000_000
LIDAR_X = 1.6  # [m], place of the LiDAR on the car of formula_student


def cones_of(rows):
    """Cones in the frame of the LiDAR from (x, y, class) in the frame of the car."""
    rows = np.array(rows, dtype=float).reshape(-1, 3)
    count = len(rows)
    colours = torch.nn.functional.one_hot(torch.tensor(rows[:, 2]).long(), 5).float()
    positions = torch.tensor(rows[:, :2] - [LIDAR_X, 0.0]).float()
    covariances = 0.01 * torch.eye(2).repeat(count, 1, 1)
    return Cones(
        positions, covariances, colours, torch.full((count,), 3.0), torch.full((count,), 3)
    )


LANE = cones_of([(x, side * 1.75, int(side < 0)) for x in range(0, 16, 3) for side in (1, -1)])
NOTHING = cones_of([])


def at(seconds):
    return round(seconds * SECOND)


def moved(driver, seconds):
    driver.add_odometry(at(seconds), Pose2(0.0, 0.0, 0.0), 2.0)


@pytest.fixture
def driver():
    return Driver(load_vehicle("formula_student"))


@pytest.fixture
def driving(driver):
    """A driver that has been driving until second 10."""
    for time in (9.9, 10.0):
        moved(driver, time)
        driver.add_cones(at(time), LANE, has_camera=True, has_lidar=True)
    assert driver.decide(at(10.0)).cause == DRIVING
    return driver


def test_drives_straight_along_a_straight_lane(driving):
    decision = driving.decide(at(10.0))
    assert decision.speed > 2.0
    assert decision.curvature == pytest.approx(0.0, abs=0.02)
    assert "6 cones left, 6 right" in decision.text


def test_waits_for_odometry_and_cones(driver):
    assert driver.decide(at(1.0)).cause == "no odometry"
    moved(driver, 1.0)
    assert driver.decide(at(1.0)) == (0.0, 0.0, "no cones yet", "stopped: no cones received yet")


@pytest.mark.parametrize(("age", "cause"), [(0.24, DRIVING), (0.26, "cones stale")])
def test_stops_when_cones_are_stale_although_it_remembers_them(driving, age, cause):
    moved(driving, 10.0 + age)
    decision = driving.decide(at(10.0 + age))
    assert decision.cause == cause
    assert (decision.speed > 0) == (cause == DRIVING)


def test_stops_when_messages_are_empty(driving):
    for time in (10.1, 10.2, 10.26):
        moved(driving, time)
        driving.add_cones(at(time), NOTHING, has_camera=True, has_lidar=True)
    decision = driving.decide(at(10.26))
    assert (decision.speed, decision.cause) == (0.0, "cones empty")
    assert decision.text == "stopped: no cone seen for 0.26 s"


def test_stops_when_odometry_is_stale(driving):
    driving.add_cones(at(10.2), LANE, has_camera=True, has_lidar=True)
    assert driving.decide(at(10.3)).cause == "odometry stale"


def test_drives_slower_without_one_sensor_and_stops_when_it_stays_away(driving):
    whole = driving.decide(at(10.0)).speed
    for tick in range(1, 60):
        time = 10.0 + 0.1 * tick
        moved(driving, time)
        driving.add_cones(at(time), LANE, has_camera=True, has_lidar=False)
        decision = driving.decide(at(time))
        if time < 14.9:
            assert decision.cause == DRIVING
            assert 0.0 < decision.speed < whole
            assert "without the LiDAR" in decision.text
    assert decision.cause == "perception degraded"
    assert decision.text == "stopped: the LiDAR lost for over 5 s"


def test_goes_on_when_the_sensor_comes_back(driving):
    moved(driving, 10.1)
    driving.add_cones(at(10.1), LANE, has_camera=False, has_lidar=True)
    assert "without the camera" in driving.decide(at(10.1)).text
    driving.add_cones(at(10.2), LANE, has_camera=True, has_lidar=True)
    assert "without" not in driving.decide(at(10.2)).text


def test_stops_where_the_known_lane_is_too_short(driver):
    moved(driver, 1.0)
    driver.add_cones(at(1.0), cones_of([(-2.0, 1.75, 0)]), has_camera=True, has_lidar=True)
    assert driver.decide(at(1.0)).cause == "no lane"


def test_a_smaller_track_is_driven_slower_in_proportion():
    vehicle = load_vehicle("roboracer")
    driver = Driver(vehicle)
    rows = [(x, side * 1.75, int(side < 0)) for x in range(0, 16, 3) for side in (1, -1)]
    small = cones_of(np.array(rows) * [0.4, 0.4, 1.0])
    offset = LIDAR_X - vehicle.lidar.mounting.x
    small = small._replace(positions=small.positions + torch.tensor([offset, 0.0]))
    driver.add_odometry(at(1.0), Pose2(0.0, 0.0, 0.0), 20.0)
    driver.add_cones(at(1.0), small, has_camera=True, has_lidar=True)
    # 7 m/s at full size.
    assert driver.decide(at(1.0)).speed <= 0.4 * 7.0 + 1e-6


def test_odometry_that_jumps_back_begins_a_new_run(driving):
    moved(driving, 1.0)
    assert driving.decide(at(1.0)).cause == "no cones yet"


def fed(driver, start, seconds, *reasons, step=0.1):
    """Cones at 10 Hz for a time, with reasons; returns the last decision."""
    for number in range(1, round(seconds / step) + 1):
        time = start + number * step
        moved(driver, time)
        driver.add_cones(at(time), LANE, has_camera=True, has_lidar=True, reasons=reasons)
    return driver.decide(at(time))


def test_degraded_cones_slow_it_down_and_say_why(driving):
    usual = fed(driving, 10.0, 0.2).speed
    slow = fed(driving, 10.2, 0.2, Reason("scan_unlike", "fog"))
    assert slow.cause == DRIVING
    assert slow.speed == pytest.approx(0.7 * usual)
    assert "degraded: scan_unlike: fog" in slow.text


def test_cones_that_contradict_stop_it_within_half_a_second_with_the_reason(driving):
    decision = fed(driving, 10.0, 0.4, Reason("colours_changed", "half of the cones"))
    assert (decision.cause, decision.speed) == ("cones not trusted", 0.0)
    assert decision.text == "stopped: colours_changed: half of the cones"


def test_a_blind_sensor_counts_as_lost(driving):
    blind = Reason("camera_misses", "the camera sees 1 of 9 cones of the LiDAR")
    decision = fed(driving, 10.0, 1.0, blind)
    assert decision.cause == DRIVING
    assert "without the camera" in decision.text
    decision = fed(driving, 11.0, 4.5, blind)
    assert decision.cause == "perception degraded"
