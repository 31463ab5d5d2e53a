"""Pure pursuit and the speeds of a line."""

import numpy as np
import pytest

from conegrad_simulation.driver.pursuit import (
    PursuitConfig,
    allowed_speeds,
    curvatures,
    pursue,
)


def circle(radius, length=15.0, step=0.5):
    """Points on a circle to the left through the car."""
    angle = np.arange(0.0, length, step) / radius
    return np.stack([radius * np.sin(angle), radius * (1 - np.cos(angle))], axis=1)


@pytest.mark.parametrize("radius", [5.0, 12.0, -8.0])
def test_a_car_on_a_circle_stays_on_it(radius):
    # Any chord of a circle that starts along its tangent leads to the same curvature.
    assert pursue(circle(radius), 4.0, PursuitConfig()) == pytest.approx(1 / radius)


def test_steers_towards_a_line_on_its_left():
    line = np.stack([np.arange(0.0, 10.0, 0.5), np.full(20, 1.0)], axis=1)
    assert pursue(line, 0.0, PursuitConfig()) > 0.1


def test_the_target_point_is_farther_ahead_at_speed():
    line = np.stack([np.arange(0.0, 20.0, 0.5), np.full(40, 1.0)], axis=1)
    config = PursuitConfig(lookahead=2.0, lookahead_time=0.5)
    assert pursue(line, 0.0, config) > 2 * pursue(line, 8.0, config) > 0


def test_the_target_of_a_short_line_is_its_end():
    # 2 y / d^2 of the point (2, 1).
    assert pursue(np.array([[1.0, 0.5], [2.0, 1.0]]), 10.0, PursuitConfig()) == pytest.approx(0.4)


def test_curvature_of_a_circle_is_that_of_its_radius():
    assert curvatures(circle(8.0)) == pytest.approx(np.full(30, 1 / 8.0), rel=1e-3)


def test_corners_limit_the_speed():
    config = PursuitConfig(speed=20.0, lateral_limit=4.0, braking_limit=100.0 / 3)
    # sqrt(4 m/s^2 * 9 m)
    assert allowed_speeds(circle(9.0), config)[:10] == pytest.approx(np.full(10, 6.0), rel=1e-3)


def test_the_car_can_stop_at_the_end_of_the_line():
    line = np.stack([np.arange(0.0, 10.25, 0.5), np.zeros(21)], axis=1)
    speeds = allowed_speeds(line, PursuitConfig(speed=20.0, braking_limit=2.0))
    assert speeds[-1] == 0.0
    # sqrt(2 * 2 m/s^2 * 10 m)
    assert speeds[0] == pytest.approx(np.sqrt(40.0))


def test_refuses_a_speed_out_of_bounds():
    with pytest.raises(ValueError, match=r"PursuitConfig\.speed is 0\.0"):
        PursuitConfig(speed=0.0)
