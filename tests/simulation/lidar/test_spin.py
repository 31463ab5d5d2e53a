"""A scan of a moving sensor meets each target where it is at that time."""

import numpy as np

from conegrad_simulation.lidar.ray_casting import Targets
from conegrad_simulation.lidar.spin import Spin, moved_targets


def posts(*places) -> Targets:
    frusta = np.array([(x, y, 0.1, 0.1, 1.0, 0.0, 0.0) for x, y in places])
    flags = np.zeros(len(places))
    return Targets(frusta, np.zeros((0, 5)), flags > 0, flags, flags + 1)


def test_what_is_measured_later_is_nearer_to_a_sensor_that_drives_towards_it():
    spin = Spin(0.1, np.array([10.0, 0.0]), 0.0)
    left, right = moved_targets(posts((0.0, 5.0), (0.0, -5.0)), spin).frusta
    np.testing.assert_allclose(left[:2], [-0.25, 5.0])  # a quarter of a turn after the middle
    np.testing.assert_allclose(right[:2], [0.25, -5.0])


def test_a_turning_sensor_sees_targets_turned_back():
    spin = Spin(0.1, np.zeros(2), 2.0)
    (left,) = moved_targets(posts((0.0, 5.0)), spin).frusta
    np.testing.assert_allclose(left[:2], [5 * np.sin(0.05), 5 * np.cos(0.05)])
