"""Bands of shade: the drawn outlines and the light of the cones say the same."""

import dataclasses

import cv2
import numpy as np
import pytest

from conegrad_simulation.scene.shade_bands import light_at, shade_outlines
from conegrad_simulation.scene.world import World

PLACES = np.random.default_rng(0).uniform(-15, 15, (300, 2))


@pytest.mark.parametrize("style", range(3))
def test_places_inside_an_outline_are_dark_and_those_outside_are_lit(style):
    world = World(shade=0.4, shadow=0.5, ground_style=style)
    outlines = shade_outlines(world, np.array([3.0, -2.0]))
    inside = np.array(
        [
            any(
                cv2.pointPolygonTest(outline.astype(np.float32), place, False) >= 0
                for outline in outlines
            )
            for place in PLACES
        ]
    )
    light = light_at(PLACES, world)
    assert 0.2 < inside.mean() < 0.6
    np.testing.assert_array_equal(light < 1.0, inside)
    np.testing.assert_allclose(light[inside], 0.55)


def test_without_shade_there_are_no_outlines_and_all_places_are_lit():
    world = dataclasses.replace(World(), shade=0.0)
    assert shade_outlines(world, np.zeros(2)) == []
    assert (light_at(PLACES, world) == 1.0).all()
