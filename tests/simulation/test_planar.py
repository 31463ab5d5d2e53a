"""Transforms between planar frames, with values worked out by hand."""

import math

import numpy as np
import pytest

from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose, in_sensor, to_parent


def test_a_point_ahead_of_a_car_that_faces_up_is_above_it_in_the_map():
    points = to_parent(np.array([[3.0, 0.0], [0.0, 1.0]]), 10.0, 20.0, math.pi / 2)
    np.testing.assert_allclose(points, [[10.0, 23.0], [9.0, 20.0]], atol=1e-12)


def test_a_sensor_ahead_of_the_rear_axle_is_nearer_to_a_cone_ahead():
    lidar = Mounting(1.5, 0.0, 0.2, 0.0, 0.0, 0.0)
    points = in_sensor(np.array([[5.0, 2.0]]), Pose(1.0, 2.0, 0.0), lidar)
    np.testing.assert_allclose(points, [[2.5, 0.0]], atol=1e-12)


def test_a_sensor_turned_left_has_what_is_ahead_of_the_car_on_its_right():
    lidar = Mounting(0.0, 0.0, 0.2, 0.0, 0.0, math.pi / 2)
    points = in_sensor(np.array([[4.0, 0.0]]), Pose(0.0, 0.0, 0.0), lidar)
    np.testing.assert_allclose(points, [[0.0, -4.0]], atol=1e-12)


@pytest.mark.parametrize("yaw", [-2.0, 0.0, 0.7, 3.1])
def test_from_the_sensor_back_to_the_map_gives_the_same_points(yaw):
    points = np.array([[4.0, -1.0], [0.5, 7.0], [-3.0, 2.0]])
    lidar = Mounting(1.2, -0.1, 0.2, 0.0, 0.0, 0.3)
    pose = Pose(3.0, -5.0, yaw)
    in_base = to_parent(in_sensor(points, pose, lidar), lidar.x, lidar.y, lidar.yaw)
    np.testing.assert_allclose(to_parent(in_base, *pose), points, atol=1e-12)
