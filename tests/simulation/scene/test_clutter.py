"""Scenes with obstacles: what stays clear, and what a near backdrop takes away."""

import dataclasses

import numpy as np

from conegrad_simulation.scene.clutter import (
    DECOY_CLEAR_OF_CONES,
    cluttered_scene,
    ring_of_walls,
)
from conegrad_simulation.scene.decoys import KINDS
from conegrad_simulation.scene.scene import (
    LEG_RADIUS,
    LEG_SPREAD,
    ObstacleKind,
    WallKind,
    standard_scene,
)
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.track_random import random_track

FULL = World(clutter=1.0)


def test_the_lane_is_free_of_obstacles():
    track = random_track(0)
    scene = cluttered_scene(track.positions, track.classes, track.centre_line[::8], FULL, 0)
    assert len(scene.obstacles) > 5
    gaps = np.linalg.norm(scene.obstacles[:, None, :2] - track.centre_line, axis=2)
    # Only every eighth point, 2 m apart, was named: a metre to the nearest of them is lost.
    assert gaps.min() > 2.3


def test_without_clutter_there_are_only_cones():
    track = random_track(0)
    empty = dataclasses.replace(FULL, clutter=0.0)
    scene = cluttered_scene(track.positions, track.classes, track.centre_line, empty, 0)
    assert len(scene.obstacles) == len(scene.walls) == 0


def test_cones_keep_the_heights_of_the_rules_within_a_tenth():
    track = random_track(0)
    scene = cluttered_scene(track.positions, track.classes, track.centre_line, FULL, 0)
    expected = np.where(track.classes == 3, 0.505, 0.325)
    np.testing.assert_allclose(scene.cone_heights, expected, rtol=0.1)


def test_decoys_come_on_top_of_what_stands_there_and_clear_of_the_cones():
    track = random_track(0)
    plain, with_decoys = (
        cluttered_scene(track.positions, track.classes, track.centre_line, world, 0)
        for world in (FULL, dataclasses.replace(FULL, decoys=1.0))
    )
    count = len(plain.obstacles)
    np.testing.assert_array_equal(with_decoys.obstacles[:count], plain.obstacles)
    np.testing.assert_array_equal(with_decoys.walls, plain.walls)
    added = with_decoys.obstacles[count:]
    assert len(added) > 3
    assert set(with_decoys.obstacle_kinds[count:].tolist()) <= {int(kind) for kind in KINDS}
    gaps = np.linalg.norm(added[:, None, :2] - track.positions, axis=2)
    assert gaps.min() > DECOY_CLEAR_OF_CONES


def test_cones_beyond_a_near_backdrop_are_left_out():
    scene = standard_scene([[3.0, 0.0], [9.0, 0.0]], [0, 1])
    inside = ring_of_walls(scene, np.zeros(2), 5.0)
    assert inside.cone_positions.tolist() == [[3.0, 0.0]]
    assert (inside.wall_kinds == WallKind.BACKDROP).all()
    np.testing.assert_allclose(np.hypot(inside.walls[:, 0], inside.walls[:, 1]), 5.0)


def test_a_person_has_two_legs_in_a_scan():
    scene = dataclasses.replace(
        standard_scene(np.zeros((0, 2)), []),
        obstacles=np.array([[4.0, 1.0, 0.25], [2.0, 0.0, 0.05]]),
        obstacle_heights=np.array([1.8, 1.0]),
        obstacle_kinds=np.array([int(ObstacleKind.PERSON), int(ObstacleKind.POST)]),
    )
    circles, heights = scene.planar_circles()
    assert circles[0].tolist() == [2.0, 0.0, 0.05]
    np.testing.assert_allclose(circles[1:].mean(axis=0), [4.0, 1.0, LEG_RADIUS])
    legs_apart = np.linalg.norm(circles[1, :2] - circles[2, :2])
    assert np.isclose(legs_apart, 2 * LEG_SPREAD)
    assert heights.tolist() == [1.0, 1.8, 1.8]
