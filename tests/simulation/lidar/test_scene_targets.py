"""Targets of a LiDAR plane, made from a scene."""

import dataclasses
import math

import numpy as np

from conegrad_simulation.lidar.scene_targets import BASE_PLATE, FALLEN_CIRCLES, scene_targets
from conegrad_simulation.scene.scene import ObstacleKind, WallKind, standard_scene

TWO = standard_scene(np.array([[5.0, 1.0], [8.0, -1.0]]), np.array([0, 3]))


def test_an_upright_cone_is_its_body_and_its_plate():
    targets, rows = scene_targets(TWO)
    assert rows.tolist() == [0, 1, 0, 1]
    assert targets.is_cone.all()
    heights = targets.frusta[:, 4]
    np.testing.assert_allclose(heights[:2], TWO.cone_heights)
    np.testing.assert_allclose(heights[2:], BASE_PLATE)
    np.testing.assert_allclose(targets.frusta[:2, 2], TWO.cone_bottom_radii)
    np.testing.assert_allclose(targets.frusta[:2, 3], TWO.cone_top_radii)


def test_a_fallen_cone_is_a_row_of_circles_in_the_direction_of_its_lean():
    leans = np.array([[0.0, math.pi / 2], [0.0, 0.0]])
    targets, rows = scene_targets(dataclasses.replace(TWO, cone_leans=leans))
    fallen = targets.frusta[rows == 0]
    assert len(fallen) == len(FALLEN_CIRCLES)
    np.testing.assert_allclose(fallen[:, 0], 5.0)
    np.testing.assert_allclose(fallen[:, 1], 1.0 + np.array(FALLEN_CIRCLES) * TWO.cone_heights[0])
    assert (np.diff(fallen[:, 2]) < 0).all()  # thinner towards the tip


def test_obstacles_and_walls_are_targets_without_a_cone():
    scene = dataclasses.replace(
        TWO,
        obstacles=np.array([[3.0, 0.0, 0.4], [4.0, 4.0, 0.25]]),
        obstacle_heights=np.array([1.0, 1.8]),
        obstacle_kinds=np.array([ObstacleKind.BOX, ObstacleKind.PERSON]),
        walls=np.array([[0.0, 9.0, 9.0, 9.0], [0.0, -9.0, 9.0, -9.0]]),
        wall_heights=np.array([2.0, 1.0]),
        wall_kinds=np.array([WallKind.WALL, WallKind.HEDGE]),
    )
    targets, rows = scene_targets(scene)
    assert len(targets.frusta) == 4 + 1 + 2  # a person has two legs
    assert len(targets.walls) == 2
    assert (rows[4:] == -1).all()
    assert not targets.is_cone[4:].any()
    assert targets.solidity.tolist()[-2:] == [1.0, 0.8]
    assert targets.depth_scatter[-1] > targets.depth_scatter[-2] == 0.0


def test_a_scene_without_anything_has_no_targets():
    empty = standard_scene(np.zeros((0, 2)), np.zeros(0))
    targets, rows = scene_targets(empty)
    assert targets.frusta.shape == (0, 7)
    assert targets.walls.shape == (0, 5)
    assert not len(rows)
