"""Obstacles and walls in the image, and their shadows."""

import dataclasses
import math

import numpy as np
import pytest

from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render import obstacles
from conegrad_simulation.render.layers import Layers
from conegrad_simulation.render.sprites.obstacle_sprites import ASPECTS, SIZE, sprite
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.scene import ObstacleKind, WallKind, standard_scene
from conegrad_simulation.scene.world import World

MODEL = pinhole_camera(640, 480, 2 * math.atan(320 / 500))  # 500 px focal length
VIEW = view_from_pose(MODEL, Mounting(0.0, 0.0, 1.0, 0.0, 0.0, 0.0), Pose(0.0, 0.0, 0.0))
EMPTY = standard_scene(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))


def with_obstacles(*rows, kind=ObstacleKind.BOX, height=1.0):
    return dataclasses.replace(
        EMPTY,
        obstacles=np.array(rows, dtype=float),
        obstacle_heights=np.full(len(rows), height),
        obstacle_kinds=np.full(len(rows), int(kind)),
    )


def with_wall(*ends, kind=WallKind.WALL, height=1.0):
    return dataclasses.replace(
        EMPTY,
        walls=np.array([ends], dtype=float),
        wall_heights=np.array([height]),
        wall_kinds=np.array([int(kind)]),
    )


def blank():
    return Layers(np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8))


def test_foot_top_and_width_of_an_obstacle():
    projected = obstacles.project_obstacles(with_obstacles([10.0, 0.0, 0.5]), VIEW)
    # 10 m away: 50 px per metre; the foot is 1 m below the camera, the top level with it.
    np.testing.assert_allclose(projected.pixels, [[[320, 290], [320, 240]]], atol=0.1)
    np.testing.assert_allclose(projected.widths, [50.0], atol=0.1)


def test_obstacles_behind_too_near_or_too_far_are_left_out():
    scene = with_obstacles([-5.0, 0.0, 0.2], [0.4, 0.0, 0.2], [90.0, 0.0, 0.2], [20.0, 1.0, 0.2])
    assert obstacles.project_obstacles(scene, VIEW).rows.tolist() == [3]


def test_an_obstacle_is_drawn_between_its_foot_and_its_top_and_hides_cones():
    scene, layers = with_obstacles([10.0, 0.0, 0.5]), blank()
    layers.instances[:] = 1
    projected = obstacles.project_obstacles(scene, VIEW)
    obstacles.draw_obstacle(layers, scene, projected, 0, World())
    rows, columns = np.nonzero(layers.instances == 0)
    assert (rows.min(), rows.max() + 1) == pytest.approx((240, 290), abs=1)
    assert (columns.min(), columns.max() + 1) == pytest.approx((295, 345), abs=1)


def test_the_shadow_of_an_obstacle_points_away_from_the_sun():
    # The sun in +x at 45 degrees: a shadow as long as the obstacle is high, towards -x.
    world = World(sun_azimuth=0.0, sun_elevation=math.pi / 4)
    (outline,) = obstacles.obstacle_shadows(
        with_obstacles([5.0, 2.0, 0.3], height=2.0), world, np.zeros(2)
    )
    assert (outline[:, 0].min(), outline[:, 0].max()) == pytest.approx((3.0, 5.0))
    assert (outline[:, 1].min(), outline[:, 1].max()) == pytest.approx((1.7, 2.3))


def test_shadows_far_away_are_left_out():
    scene = with_obstacles([100.0, 0.0, 0.3])
    assert obstacles.obstacle_shadows(scene, World(), np.zeros(2)) == []


def test_a_wall_is_cut_into_pieces_of_at_most_a_metre():
    projected = obstacles.project_walls(with_wall(10.0, -1.2, 10.0, 1.2), VIEW)
    assert len(projected.rows) == 3
    np.testing.assert_allclose(projected.depths, 10.0)
    corners = projected.pixels.reshape(-1, 2)
    assert (corners[:, 0].min(), corners[:, 0].max()) == pytest.approx((260, 380), abs=0.1)
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((240, 290), abs=0.1)


def test_the_backdrop_is_not_drawn_as_a_wall():
    scene = with_wall(10.0, -1.0, 10.0, 1.0, kind=WallKind.BACKDROP)
    assert not len(obstacles.project_walls(scene, VIEW).rows)


@pytest.mark.parametrize(("kind", "hides"), [(WallKind.WALL, True), (WallKind.FENCE, False)])
def test_a_wall_hides_cones_and_a_fence_does_not(kind, hides):
    scene, layers = with_wall(10.0, -0.5, 10.0, 0.5, kind=kind), blank()
    layers.instances[:] = 1
    projected = obstacles.project_walls(scene, VIEW)
    for index in range(len(projected.rows)):
        obstacles.draw_wall_piece(layers, scene, projected, index, World())
    assert (layers.instances[265, 320] == 0) == hides
    assert layers.image.any()


@pytest.mark.parametrize("kind", list(ObstacleKind))
def test_a_sprite_has_its_aspect_reaches_to_its_foot_and_is_premultiplied(kind):
    picture = sprite(kind, 3)
    assert picture.shape == (SIZE, round(SIZE * ASPECTS[kind]), 4)
    assert picture[-SIZE // 10 :, :, 3].max() > 200
    assert (picture[..., :3] <= picture[..., 3:]).all()


def test_sprites_of_one_variant_are_equal_and_variants_differ():
    first = sprite(ObstacleKind.PERSON, 1).copy()
    sprite.cache_clear()
    np.testing.assert_array_equal(sprite(ObstacleKind.PERSON, 1), first)
    assert (sprite(ObstacleKind.PERSON, 2) != first).any()
