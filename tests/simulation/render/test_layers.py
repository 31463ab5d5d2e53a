"""Patches drawn over an image, and the instances that they leave."""

import numpy as np
import pytest

from conegrad_simulation.render.layers import Layers


@pytest.fixture
def layers():
    return Layers(np.full((4, 6, 3), 100, np.uint8), np.zeros((4, 6), np.uint8))


def patch(opacity, grey=0, shape=(2, 2)):
    return np.dstack([np.full((*shape, 3), grey, np.uint8), np.full(shape, opacity, np.uint8)])


def test_an_opaque_patch_replaces_colours_and_instances(layers):
    layers.put(patch(255, grey=30), 1, 2, instance=7)
    assert (layers.image[2:4, 1:3] == 30).all()
    assert (layers.instances[2:4, 1:3] == 7).all()
    assert (layers.image[:2] == 100).all()
    assert np.count_nonzero(layers.instances) == 4


def test_a_transparent_patch_changes_nothing(layers):
    layers.put(patch(0), 0, 0, instance=7)
    assert (layers.image == 100).all()
    assert not layers.instances.any()


def test_a_half_transparent_patch_mixes_with_the_image_and_keeps_its_instances(layers):
    # Premultiplied: 51 of 255 opacity leaves 80 % of 100 below the patch's own 40.
    layers.put(patch(51, grey=40), 0, 0, instance=7)
    assert (layers.image[:2, :2] == 120).all()
    assert not layers.instances.any()


@pytest.mark.parametrize(
    ("x", "y", "pixels"),
    [
        pytest.param(-1, -1, 1, id="over the upper left corner"),
        pytest.param(5, 3, 1, id="over the lower right corner"),
        pytest.param(-2, 0, 0, id="left of the image"),
        pytest.param(0, 4, 0, id="below the image"),
    ],
)
def test_pixels_outside_the_image_are_dropped(layers, x, y, pixels):
    layers.put(patch(255), x, y, instance=1)
    assert np.count_nonzero(layers.instances) == pixels
