"""Tiling textures: neutral on average, without seams, equal for equal seeds."""

import numpy as np
import pytest

from conegrad_simulation.render import texture
from conegrad_simulation.scene.world import GROUNDS


@pytest.mark.parametrize("kind", GROUNDS)
def test_grain_is_neutral_on_average_and_smoother_at_each_level(kind):
    tiles = texture.grain(kind, 0)
    assert len(tiles) == texture.LEVELS
    assert all(tile.shape == (texture.SIZE, texture.SIZE) for tile in tiles)
    assert tiles[0].mean() == pytest.approx(texture.NEUTRAL, abs=8)
    contrasts = [float(tile.std()) for tile in tiles]
    assert contrasts == sorted(contrasts, reverse=True)


def test_speckled_ground_has_more_contrast_than_a_floor():
    assert texture.grain("speckled", 0)[0].std() > 3 * texture.grain("floor", 0)[0].std()


@pytest.mark.parametrize("make", [texture.blotches, texture.foliage])
def test_a_tile_continues_on_its_other_side(make):
    tile = make(1).astype(float)
    inside = np.abs(np.diff(tile, axis=1)).mean()
    seam = np.abs(tile[:, 0] - tile[:, -1]).mean()
    assert seam < 2 * inside + 1


def test_variants_differ_and_one_variant_is_always_the_same():
    first = texture.blotches(2).copy()
    texture.blotches.cache_clear()
    np.testing.assert_array_equal(texture.blotches(2), first)
    assert (texture.blotches(3) != first).any()


@pytest.mark.parametrize("blurred", [False, True])
def test_sensor_noise_has_its_mean_and_more_brightness_than_colour(blurred):
    noise = texture.sensor_noise(0, blurred).astype(float)
    assert noise.mean() == pytest.approx(texture.NEUTRAL, abs=1)
    assert noise.mean(axis=2).std() > (noise - noise.mean(axis=2, keepdims=True)).std()
