"""Shapes of cones by maker."""

import numpy as np
import pytest

from conegrad_simulation.scene.cone_shapes import cone_shapes
from conegrad_simulation.scene.world import World

CLASSES = np.repeat(np.arange(4), 50)


def ratios(style, variety):
    world = World(cone_style=style, cone_variety=variety, fallen=0.0)
    shapes = cone_shapes(np.random.default_rng(1), CLASSES, world)
    assert (shapes.bottom_radii < shapes.base_sides / 2).all()
    assert (shapes.top_radii > 0).all()
    assert (shapes.top_radii < shapes.bottom_radii).all()
    return [np.median((shapes.base_sides / shapes.heights)[row == CLASSES]) for row in range(4)]


def test_usual_cones_have_the_proportions_of_the_rules():
    for style in range(5):
        assert ratios(style, 0.0) == pytest.approx([0.70, 0.70, 0.70, 0.56], abs=0.02)


def test_unusual_makers_make_wider_and_narrower_cones():
    small = np.array([ratios(style, 1.0)[0] for style in range(25)])
    assert small.min() < 0.62
    assert small.max() > 0.85
