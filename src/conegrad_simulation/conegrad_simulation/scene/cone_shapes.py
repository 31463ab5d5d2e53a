"""Shapes of the cones of a scene: those of the rules, with what makers and use change."""

from typing import NamedTuple

import numpy as np

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS
from conegrad_simulation.planar import Floats, Ints
from conegrad_simulation.scene.world import World


class ConeShapes(NamedTuple):
    """Heights, base sides, bottom and top radii, leans and yaws of N cones, as in a scene."""

    heights: Floats
    base_sides: Floats
    bottom_radii: Floats
    top_radii: Floats
    leans: Floats
    yaws: Floats


def cone_shapes(rng: np.random.Generator, classes: Ints, world: World) -> ConeShapes:
    """Shapes of cones by their class ``(N,)``; the makers are those of the world."""
    count = len(classes)
    rows = np.where(classes < len(CONE_HEIGHTS), classes, 0)
    manufacturer = np.random.default_rng((world.cone_style, 0x51A9))
    slim, tip = manufacturer.uniform(0.30, 0.41), manufacturer.uniform(0.07, 0.15)
    heights = np.array(CONE_HEIGHTS)[rows] * (1 + 0.02 * rng.standard_normal(count))
    sides = np.array(CONE_WIDTHS)[rows] * (1 + 0.02 * rng.standard_normal(count))
    leans = 0.03 * rng.standard_normal((count, 2))
    fallen = rng.random(count) < world.fallen
    towards = rng.uniform(0, 2 * np.pi, count)
    flat = 1.45 * np.stack([np.cos(towards), np.sin(towards)], axis=1)
    leans = np.where(fallen[:, None], flat, leans)
    wide, tall, tip = _strange(manufacturer, tip, world.cone_variety)
    sides, heights = sides * wide[rows], heights * tall[rows]
    bottoms = slim * sides / np.sqrt(np.maximum(wide[rows], 1.0))
    yaws = rng.uniform(0, np.pi / 2, count)
    return ConeShapes(heights, sides, bottoms, tip * sides / wide[rows], leans, yaws)


def _strange(
    maker: np.random.Generator, tip: float, variety: float
) -> tuple[Floats, Floats, float]:
    """Factors of width and height by class, and the top radius, of makers off the rules.

    The plates of some cones are a third wider than the body needs.
    """
    spread = maker.uniform(-1, 1, (2, len(CONE_HEIGHTS)))
    wide = np.exp(variety * (0.05 + 0.28 * spread[0]))
    tall = np.exp(variety * 0.1 * spread[1])
    return wide, tall, tip + variety * float(maker.uniform(-0.03, 0.1))
