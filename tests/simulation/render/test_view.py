"""Views: position, heading, depths and directions, worked out by hand."""

import math

import numpy as np
import pytest

from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render.view import to_full_size, view_from_pose
from conegrad_simulation.scene.world import World

MODEL = pinhole_camera(640, 480, 2 * math.atan(320 / 500))  # 500 px focal length
MOUNTING = Mounting(1.0, 0.0, 0.8, 0.0, 0.0, 0.0)
TURNED = Pose(2.0, 3.0, math.pi / 2)


def test_position_and_heading_follow_from_pose_and_mounting():
    view = view_from_pose(MODEL, MOUNTING, TURNED)
    np.testing.assert_allclose(view.position, [2.0, 4.0, 0.8], atol=1e-6)
    assert view.heading == pytest.approx(math.pi / 2)
    assert view.focal == pytest.approx(500.0)


def test_depth_is_measured_along_the_optical_axis():
    view = view_from_pose(MODEL, MOUNTING, TURNED)
    points = np.array([[2.0, 14.0, 0.0], [7.0, 14.0, 0.0], [2.0, 0.0, 0.0]])
    np.testing.assert_allclose(view.depths(points), [10.0, 10.0, -4.0], atol=1e-6)


def test_points_behind_the_camera_are_marked():
    view = view_from_pose(MODEL, MOUNTING, TURNED)
    _, visible = view.project(np.array([[2.0, 14.0, 0.0], [2.0, 0.0, 0.0]]))
    assert visible.tolist() == [True, False]


def test_the_attitude_of_a_world_turns_the_view():
    # Nose down by 0.1 rad: a point 10 m ahead moves up by about 500 px times tan(0.1).
    level = view_from_pose(MODEL, MOUNTING, Pose(0.0, 0.0, 0.0), World())
    pitched = view_from_pose(MODEL, MOUNTING, Pose(0.0, 0.0, 0.0), World(vehicle_pitch=0.1))
    point = np.array([[1001.0, 0.0, 0.8]])
    rise = level.project(point)[0][0, 1] - pitched.project(point)[0][0, 1]
    assert rise == pytest.approx(500 * math.tan(0.1), abs=1.0)


def test_the_jitter_of_the_camera_leaves_its_position():
    world = World(camera_jitter=(0.01, 0.02, 0.03))
    view = view_from_pose(MODEL, MOUNTING, TURNED, world)
    np.testing.assert_allclose(view.position, [2.0, 4.0, 0.8], atol=1e-6)
    assert view.heading == pytest.approx(math.pi / 2 + 0.03, abs=1e-3)


def test_interpolated_directions_are_those_of_the_pixels():
    view = view_from_pose(MODEL, MOUNTING, Pose(0.0, 0.0, 0.0))
    directions = to_full_size(view.coarse_directions(), MODEL.width, MODEL.height)
    assert directions.shape == (480, 640, 3)
    for row, column in ((0, 0), (200, 411), (479, 639)):
        ray = directions[row, column] / directions[row, column, 0]
        left, up = (320 - column) / 500, (240 - row) / 500
        np.testing.assert_allclose(ray, [1.0, left, up], atol=1e-3)
