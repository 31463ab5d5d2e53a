"""Meshes of cones: dimensions, lean, stripes and light."""

import dataclasses
import math

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_simulation.render.cone_mesh import (
    ONE_STRIPE_BANDS,
    PLATE_THICKNESS,
    TWO_STRIPE_BANDS,
    cone_meshes,
)
from conegrad_simulation.scene.scene import standard_scene
from conegrad_simulation.scene.world import World

WORLD = World(cone_wear=0.0, ambient_shade=0.0, cone_style=1)


def meshes(*classes, world=WORLD, **changes):
    positions = np.array([[2.0 * row, 1.0] for row in range(len(classes))])
    scene = dataclasses.replace(standard_scene(positions, np.array(classes)), **changes)
    return scene, cone_meshes(scene, world, np.arange(len(classes)))


def test_an_upright_cone_stands_on_its_position_with_the_dimensions_of_the_scene():
    scene, made = meshes(ConeClass.BLUE)
    vertices = made.rings[0].reshape(-1, 3)
    assert vertices[:, 2].min() == pytest.approx(0.0)
    assert vertices[:, 2].max() == pytest.approx(scene.cone_heights[0])
    np.testing.assert_allclose(vertices[:, :2].mean(axis=0), [0.0, 1.0], atol=1e-9)
    radius = np.linalg.norm(made.rings[0, 0, :, :2] - [0.0, 1.0], axis=1)
    np.testing.assert_allclose(radius, scene.cone_bottom_radii[0])


def test_the_plate_is_a_square_with_the_side_of_the_scene():
    scene, made = meshes(ConeClass.BIG_ORANGE)
    corners = made.plates[0, 1]
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    np.testing.assert_allclose(sides, scene.cone_base_sides[0])
    np.testing.assert_allclose(corners[:, 2], PLATE_THICKNESS)


def test_a_fallen_cone_lies_on_the_ground_in_the_direction_of_its_lean():
    scene, made = meshes(ConeClass.BLUE, cone_leans=np.array([[0.0, math.pi / 2]]))
    vertices = np.vstack([made.rings[0].reshape(-1, 3), made.plates[0].reshape(-1, 3)])
    assert vertices[:, 2].min() == pytest.approx(0.0, abs=1e-9)
    assert vertices[:, 2].max() < 1.2 * scene.cone_base_sides[0]
    assert vertices[:, 1].max() > 1.0 + 0.9 * scene.cone_heights[0]


@pytest.mark.parametrize(
    ("cone_class", "bands"),
    [(ConeClass.SMALL_ORANGE, ONE_STRIPE_BANDS), (ConeClass.BIG_ORANGE, TWO_STRIPE_BANDS)],
)
def test_the_stripes_of_orange_cones_are_white(cone_class, bands):
    # Every variation of a class: most cones have their stripes.
    _, made = meshes(*[cone_class] * 20)
    blue = np.median(made.paint[..., 0], axis=(0, 2))  # of white, not of orange
    assert {band for band in range(len(blue)) if blue[band] > 120} == set(bands)


def test_the_stripe_of_a_yellow_cone_is_black():
    _, made = meshes(*[ConeClass.YELLOW] * 20)
    brightness = np.median(made.paint.mean(axis=-1), axis=(0, 2))
    assert max(brightness[list(ONE_STRIPE_BANDS)]) < 0.5 * brightness[0]


def test_facets_towards_the_sun_are_brighter():
    world = dataclasses.replace(WORLD, ambient_shade=0.8, sun_azimuth=0.0, sun_elevation=0.5)
    _, made = meshes(ConeClass.BLUE, world=world)
    middles = made.rings[0, :-1].mean(axis=0)[:, 0]  # x of each side; the sun is in +x
    brightness = made.paint[0].mean(axis=(0, 2))
    assert brightness[np.argmax(middles)] > 1.5 * brightness[np.argmin(middles)]


def test_a_cone_has_the_same_paint_whichever_others_are_drawn():
    scene, made = meshes(*[ConeClass.BLUE] * 4)
    alone = cone_meshes(scene, WORLD, np.array([2]))
    np.testing.assert_array_equal(alone.paint[0], made.paint[2])
