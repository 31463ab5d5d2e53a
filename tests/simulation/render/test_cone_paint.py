"""Paints of unusual makers."""

import numpy as np

from conegrad_simulation.render.cone_paint import strange_paint
from conegrad_simulation.scene.world import World

CLASSES = np.array([0, 1, 2, 3] * 25)
VARIATION = np.random.default_rng(0).random((100, 12))
USUAL = np.full((100, 7, 10, 3), 100.0)


def painted(variety):
    world = World(cone_style=3, cone_variety=variety)
    return strange_paint(USUAL.copy(), CLASSES, VARIATION, world)


def test_cones_of_one_class_have_one_paint_but_for_stripes_and_stickers():
    albedo = painted(1.0)
    usual = VARIATION[:, 9] >= 0.5  # no sticker
    for row in range(4):
        bodies = albedo[usual & (row == CLASSES), 0]
        assert np.ptp(bodies, axis=(0, 1)).max() < 1e-9
    assert np.ptp(albedo[:, 0, 0], axis=0).min() > 1  # classes differ
    assert not np.allclose(albedo[usual, 3], albedo[usual, 0])  # stripes differ


def test_more_variety_means_more_stickers():
    def stickers(albedo):
        return int((np.ptp(albedo, axis=2).max(axis=(1, 2)) > 1).sum())

    assert 0 == stickers(painted(0.0)) < stickers(painted(0.3)) < stickers(painted(1.0))
