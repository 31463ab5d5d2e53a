"""The ground: colours, shadows, clipping of polygons and marks."""

import math

import numpy as np
import pytest

from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render.ground import fill_ground, ground_colour, paint_ground
from conegrad_simulation.render.ground_marks import marks_around
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.world import World

MODEL = pinhole_camera(320, 240, 2 * math.atan(160 / 250))  # 250 px focal length
VIEW = view_from_pose(MODEL, Mounting(0.0, 0.0, 1.0, 0.0, 0.0, 0.0), Pose(0.0, 0.0, 0.0))
PLAIN = World(ground_grey=120.0, grain=0.0, marks=0.0, litter=0.0, shadow=0.6)
SQUARE = np.array([[4.0, -1.0], [6.0, -1.0], [6.0, 1.0], [4.0, 1.0]])


def painted(world=PLAIN, shadows=(), contacts=()):
    image = np.zeros((240, 320, 3), np.uint8)
    paint_ground(image, VIEW.coarse_directions(), VIEW, world, list(shadows), list(contacts))
    return image


def test_a_warm_tint_has_more_red_than_blue():
    blue, green, red = ground_colour(World(ground_grey=100.0, ground_tint=0.1))
    assert (blue, green, red) == pytest.approx((90.0, 100.0, 110.0))


def test_only_pixels_below_the_horizon_are_painted():
    image = painted()
    assert not image[:119].any()
    assert image[125:].all()


def test_a_cast_shadow_darkens_its_polygon_by_the_depth_of_shadows():
    lit, shaded = painted(), painted(shadows=[SQUARE])
    # The middle of the square, 5 m ahead and 1 m below the camera, is 50 px below the centre.
    ratio = shaded[170, 160].mean() / lit[170, 160].mean()
    assert ratio == pytest.approx(1 - 0.6, abs=0.03)
    np.testing.assert_array_equal(shaded[170, 40], lit[170, 40])


def test_a_contact_shadow_is_dark_on_a_dull_day_too():
    dull = World(ground_grey=120.0, grain=0.0, marks=0.0, litter=0.0, shadow=0.0)
    lit, shaded = painted(dull), painted(dull, contacts=[SQUARE])
    assert shaded[170, 160].mean() < 0.7 * lit[170, 160].mean()


def test_a_polygon_that_reaches_behind_the_camera_is_cut_at_it():
    canvas = np.zeros((240, 320), np.uint8)
    fill_ground(canvas, VIEW, [np.array([[-5.0, -1.0], [8.0, -1.0], [8.0, 1.0], [-5.0, 1.0]])], [9])
    assert canvas[239, 160] == 9
    assert canvas[160, 160] == 9
    assert not canvas[:145].any()  # farther than 8 m


def test_a_polygon_behind_the_camera_is_not_drawn():
    canvas = np.zeros((240, 320), np.uint8)
    fill_ground(canvas, VIEW, [SQUARE - [20.0, 0.0]], [9])
    fill_ground(canvas, VIEW, [], [])
    assert not canvas.any()


def marks(**changes):
    world = World(**{"marks": 1.0, "litter": 0.0, "ground_style": 4, **changes})
    return marks_around(np.array([3.0, -2.0]), 0.3, 30.0, 0.6, world)[0]


def test_the_density_of_marks_decides_how_many_there_are():
    counts = [len(marks(marks=density)) for density in (0.0, 0.5, 1.0)]
    assert counts == sorted(counts)
    assert counts[0] == 0 < counts[2]


def test_slabs_have_joints_and_litter_has_leaves():
    assert len(marks(ground="slabs", marks=0.0)) > 5
    assert len(marks(litter=1.0)) > len(marks()) + 20


def test_all_marks_are_within_reach_of_the_camera():
    gaps = [np.linalg.norm(mark - [3.0, -2.0], axis=1).min() for mark in marks()]
    assert max(gaps) < 40.0


def test_colours_are_pixels():
    world = World(marks=1.0, litter=1.0)
    polygons, colours = marks_around(np.zeros(2), 0.0, 30.0, 0.6, world)
    assert len(polygons) == len(colours)
    assert all(len(tone) == 3 and min(tone) >= 0 and max(tone) <= 255 for tone in colours)
