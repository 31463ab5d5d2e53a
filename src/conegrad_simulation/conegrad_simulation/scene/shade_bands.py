"""Shade of buildings and trees in bands across the map, in which ground and cones are dark."""

import math

import numpy as np

from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.world import World

PERIODS = (7.0, 26.0)  # [m], lowest and highest distance between two bands
REACH = 45.0  # [m], bands are drawn that far around a place
TREATED_AS_SHADOW = 0.9  # share of the darkness of the ground that a cone in the shade has


def shade_outlines(world: World, near: Floats) -> list[Floats]:
    """Outlines ``(4, 2)`` of the bands around a place ``(2,)`` of the map [m]."""
    if world.shade <= 0:
        return []
    along, across, period, phase = _bands(world)
    first, last = (
        math.floor((float(near @ across) + sign * REACH) / period - phase) for sign in (-1, 1)
    )
    middle = (near @ along) * along
    ends = np.array([-REACH, REACH])[:, None] * along + middle
    outlines = []
    for index in range(first, last + 1):
        low = (index + phase) * period * across
        high = low + world.shade * period * across
        outlines.append(np.array([ends[0] + low, ends[1] + low, ends[1] + high, ends[0] + high]))
    return outlines


def light_at(places: Floats, world: World) -> Floats:
    """``(N,)`` share of the light that reaches places ``(N, 2)`` of the map, 1 outside bands."""
    if world.shade <= 0:
        return np.ones(len(places))
    _, across, period, phase = _bands(world)
    inside = np.mod(places @ across / period - phase, 1.0) < world.shade
    return np.where(inside, 1.0 - TREATED_AS_SHADOW * world.shadow, 1.0)


def _bands(world: World) -> tuple[Floats, Floats, float, float]:
    """Direction along the bands, across them, their distance and their place."""
    rng = np.random.default_rng((world.ground_style, 0x5BAD))
    angle, period, phase = rng.uniform(0, np.pi), rng.uniform(*PERIODS), rng.random()
    along = np.array([np.cos(angle), np.sin(angle)])
    return along, np.array([-along[1], along[0]]), float(period), float(phase)
