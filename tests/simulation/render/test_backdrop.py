"""Sky, panorama and fog above the ground."""

import dataclasses
import math

import numpy as np
import pytest

from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render.backdrop import paint_backdrop, sky_colours
from conegrad_simulation.render.panorama import HEIGHT, WIDTH, panorama
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.world import SURROUNDINGS, World

MODEL = pinhole_camera(320, 240, 1.2)
MOUNTING = Mounting(0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
WORLD = World(surroundings="open", backdrop=3)


def painted(yaw=0.0, world=WORLD):
    view = view_from_pose(MODEL, MOUNTING, Pose(0.0, 0.0, yaw))
    image = np.zeros((240, 320, 3), np.uint8)
    paint_backdrop(image, view.coarse_directions(), view, world)
    return image


def test_everything_above_the_horizon_is_painted_and_the_ground_is_left_black():
    image = painted()
    assert image[:115].any(axis=2).all()
    assert not image[140:].any()


def test_turning_the_car_left_moves_the_panorama_right():
    # 0.1 rad are about 0.1 times the focal length in the middle of the image.
    focal = 160 / math.tan(0.6)
    before, after = painted(0.0).astype(float), painted(0.1).astype(float)
    strip = slice(90, 118)
    errors = [
        np.abs(after[strip, 160 + s : 200 + s] - before[strip, 160:200]).mean() for s in range(40)
    ]
    assert int(np.argmin(errors)) == pytest.approx(0.1 * focal, abs=3)


def test_fog_brings_the_panorama_closer_to_the_colour_of_the_horizon():
    horizon = sky_colours(WORLD)[1]
    clear, fog = painted(), painted(world=dataclasses.replace(WORLD, fog=0.9))
    distance = [np.abs(image[105:118].astype(float) - horizon).mean() for image in (clear, fog)]
    assert distance[1] < 0.5 * distance[0]


def test_a_dull_day_has_another_sky():
    sunny = sky_colours(dataclasses.replace(WORLD, shadow=0.6))
    dull = sky_colours(dataclasses.replace(WORLD, shadow=0.1))
    assert not np.allclose(sunny[0], dull[0])


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_a_panorama_covers_the_full_circle_with_something_at_its_foot(surroundings):
    picture = panorama(surroundings, 0)
    assert picture.colours.shape == (HEIGHT, WIDTH, 3)
    assert picture.opacity.shape == (HEIGHT, WIDTH)
    assert (picture.opacity[-3] == 255).mean() > 0.5


def test_refuses_surroundings_that_do_not_exist():
    with pytest.raises(KeyError, match="beach"):
        panorama("beach", 0)
