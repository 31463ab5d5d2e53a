"""Solids of a scene stand where its cones and obstacles are."""

import dataclasses

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_simulation.lidar.clouds.scene_solids import scene_solids
from conegrad_simulation.scene.scene import ObstacleKind, WallKind, standard_scene


@pytest.fixture
def scene():
    cones = standard_scene(np.array([[5.0, 1.0], [8.0, -1.0]]), np.array([ConeClass.BLUE] * 2))
    return dataclasses.replace(
        cones,
        cone_leans=np.array([[0.0, 0.0], [1.5, 0.0]]),
        obstacles=np.array([[3.0, 3.0, 0.05], [4.0, 4.0, 0.25]]),
        obstacle_heights=np.array([1.0, 1.8]),
        obstacle_kinds=np.array([ObstacleKind.POST, ObstacleKind.PERSON]),
        walls=np.array([[0.0, 9.0, 4.0, 9.0]]),
        wall_heights=np.array([2.0]),
        wall_kinds=np.array([int(WallKind.FENCE)]),
    )


def test_only_cones_have_rows_of_cones(scene):
    solids = scene_solids(scene)
    assert sorted(set(solids.cone_rows.tolist())) == [-1, 0, 1]
    np.testing.assert_allclose(solids.tubes[0, :2], [5.0, 1.0])
    assert solids.tubes[0, 5] == pytest.approx(0.325)


def test_a_fallen_cone_lies_and_a_fence_lets_beams_through(scene):
    solids = scene_solids(scene)
    lying = solids.tubes[1]
    assert lying[3] == pytest.approx(0.325)
    assert abs(lying[5]) < 0.1
    assert solids.solidity[-1] < 1.0
    np.testing.assert_allclose(solids.boxes[-1, :4], [2.0, 9.0, 2.0, 0.05])
