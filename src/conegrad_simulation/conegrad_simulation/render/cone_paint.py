"""Paints and marks of cones of unusual makers: odd hues, dull or bright stripes, stickers."""

import numpy as np
import numpy.typing as npt

from conegrad_core.cones import ConeClass
from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.world import World

STRIPES = {False: (2, 3), True: (1, 3)}  # bands of the stripes: small cones, big ones
STICKER_CHANCE = 0.5  # of a cone to have one, at a variety of 1


def strange_paint(
    albedo: Floats, classes: npt.NDArray[np.int64], variation: Floats, world: World
) -> Floats:
    """Paint of N cones after what an unusual maker and a team change.

    Args:
        albedo: ``(N, bands, sides, 3)`` usual paint, blue green red.
        classes: ``(N,)`` of the cones.
        variation: ``(N, 12)`` numbers in [0, 1] of each cone.
        world: its ``cone_variety`` is the strength.
    """
    maker = np.random.default_rng((world.cone_style, 0x57A6))
    variety = world.cone_variety
    hues = np.exp(0.14 * variety * maker.standard_normal((len(ConeClass), 3)))
    gains = np.exp(0.35 * variety * maker.standard_normal(len(ConeClass)))
    albedo = albedo * hues[classes][:, None, None]
    is_big = classes == ConeClass.BIG_ORANGE
    for big, bands in STRIPES.items():
        rows = np.flatnonzero(is_big == big)
        albedo[np.ix_(rows, np.array(bands))] *= gains[classes[rows]][:, None, None, None]
    return _with_stickers(albedo, variation, variety)


def _with_stickers(albedo: Floats, variation: Floats, variety: float) -> Floats:
    """A few facets of some cones in another colour: stickers, tape, numbers, holes."""
    count, bands, sides, _ = albedo.shape
    has = variation[:, 9] < STICKER_CHANCE * variety
    band = (variation[:, 10] * bands).astype(int)
    side = (variation[:, 9] * 1e4).astype(int) % sides
    tone = 30 + 200 * (variation[:, 10] * 1e3 % 1)
    rows = np.arange(count)[has]
    for step in range(3):
        albedo[rows, band[has], (side[has] + step) % sides] = tone[has][:, None]
    return albedo
