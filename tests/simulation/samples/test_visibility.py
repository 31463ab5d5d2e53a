"""Which cones of an image are labelled."""

import numpy as np

from conegrad_simulation.render.camera import RenderedImage
from conegrad_simulation.samples.visibility import is_visible

BOXES = np.array([[10, 10, 30, 40], [50, 10, 70, 40], [80, 10, 90, 13]], dtype=np.float32)


def rendered(image, *shares):
    count = len(shares)
    classes, rows = np.zeros(count, np.int64), np.arange(count)
    return RenderedImage(image, BOXES[:count], classes, np.array(shares), rows, None)


def test_a_hard_level_takes_cones_of_which_less_is_in_view():
    image = np.full((60, 100, 3), 90, np.uint8)
    image[20:35, 10:70:4] = 250
    picture = rendered(image, 0.9, 0.25, 0.9)
    assert is_visible(picture).tolist() == [True, False, False]  # the last one is too low
    assert is_visible(picture, "hard").tolist() == [True, True, False]


def test_a_hard_level_leaves_out_cones_that_do_not_stand_out():
    image = np.random.default_rng(0).integers(0, 6, (60, 100, 3)).astype(np.uint8)
    image[15:38, 15:25, 2] = 60
    picture = rendered(image, 1.0, 1.0)
    assert is_visible(picture).tolist() == [True, True]
    assert is_visible(picture, "hard").tolist() == [True, False]
