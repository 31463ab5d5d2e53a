"""Uneven ground with grass: its height, and where beams meet it."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_simulation.planar import Floats

ITERATIONS = 2  # of the meeting of a beam with slightly uneven ground
FARTHEST = 1e4  # [m], a beam that has not met the ground by then does not


class Terrain(NamedTuple):
    """Ground around the place of a scene; flat, without grass, where all arrays are empty.

    Attributes:
        waves: ``(W, 4)`` wave numbers along x and y [1/m], phase [rad], amplitude [m].
        banks: ``(K, 4)`` unit normal x and y, distance from the origin [m], slope [m/m]: beyond
            the line the ground rises.
        roughness: scatter of the height of the ground itself [m].
        lawns: ``(G, 4)`` unit normal x and y, distance [m], height of the grass [m], which grows
            beyond the line.
        depth: that a beam goes into grass on average [m].
    """

    waves: Floats
    banks: Floats
    roughness: float
    lawns: Floats
    depth: float

    def heights(self, x: Floats, y: Floats) -> Floats:
        """Height of the ground [m] at places of any shape [m]."""
        found = np.zeros(np.broadcast(x, y).shape)
        for across, along, phase, size in self.waves:
            found += size * np.sin(across * x + along * y + phase)
        for nx, ny, distance, slope in self.banks:
            found += slope * np.clip(nx * x + ny * y - distance, 0.0, 8.0)
        return found

    def grass(self, x: Floats, y: Floats) -> Floats:
        """Height of the grass above the ground [m]."""
        found = np.zeros(x.shape)
        for nx, ny, distance, height in self.lawns:
            found = np.maximum(found, np.where(nx * x + ny * y > distance, height, 0.0))
        return found


FLAT = Terrain(np.zeros((0, 4)), np.zeros((0, 4)), 0.0, np.zeros((0, 4)), 0.2)


def random_terrain(rng: np.random.Generator) -> Terrain:
    """Ground of a random place: asphalt with slopes and bumps, banks, lawns beside the course."""
    waves = []
    for longest, size in ((60.0, 0.15), (25.0, 0.05), (8.0, 0.015)):
        number = 2 * math.pi / (longest * rng.uniform(0.5, 1.5))
        towards, phase = rng.uniform(0, 2 * math.pi, 2)
        amplitude = size * rng.exponential(0.5)
        waves.append((number * math.cos(towards), number * math.sin(towards), phase, amplitude))
    banks = [(*_beyond(rng), rng.normal(0, 0.2)) for _ in range(int(rng.poisson(0.5)))]
    lawns = []
    if rng.random() < 0.5:
        height = rng.choice([0.03, 0.06, 0.1, 0.2]) * rng.uniform(0.7, 1.3)
        lawns = [(*_beyond(rng), height) for _ in range(int(rng.integers(1, 4)))]
        if rng.random() < 0.15:
            lawns.append((1.0, 0.0, -1e3, height))  # a course on grass
    return Terrain(
        np.array(waves),
        np.array(banks).reshape(-1, 4),
        float(rng.choice([0.002, 0.005, 0.012])),
        np.array(lawns).reshape(-1, 4),
        float(rng.uniform(0.1, 0.8)),
    )


def meet_ground(
    terrain: Terrain, origins: Floats, directions: Floats, rng: np.random.Generator
) -> Floats:
    """Range at which each beam meets ground or grass.

    Args:
        terrain: the ground.
        origins: ``(..., 3)`` of the beams [m], above the ground.
        directions: ``(..., 3)`` unit vectors, of the same shape.
        rng: draws blades of grass.

    Returns:
        ``(...)`` ranges [m], inf where a beam meets nothing.
    """
    falling = directions[..., 2] < -1e-4
    found = np.full(falling.shape, np.inf)
    start, along = origins[falling], directions[falling]
    ranges = np.minimum(-start[:, 2] / along[:, 2], FARTHEST)
    for _ in range(ITERATIONS if len(terrain.waves) or len(terrain.banks) else 0):
        x, y = start[:, 0] + ranges * along[:, 0], start[:, 1] + ranges * along[:, 1]
        level = terrain.heights(x, y)
        ranges = np.clip((level - start[:, 2]) / along[:, 2], 0.05, FARTHEST)
    if len(terrain.lawns):
        ranges = _in_grass(terrain, start, along, ranges, rng)
    ranges[ranges >= FARTHEST] = np.inf
    found[falling] = ranges
    return found


def _in_grass(
    terrain: Terrain, start: Floats, along: Floats, ranges: Floats, rng: np.random.Generator
) -> Floats:
    x, y = start[:, 0] + ranges * along[:, 0], start[:, 1] + ranges * along[:, 1]
    rows = np.flatnonzero(terrain.grass(x, y) > 0)
    # Tips of the blades at random heights, more of them lower down.
    tips = terrain.grass(x[rows], y[rows]) * rng.beta(1.5, 2.0, len(rows))
    enter = ranges[rows] - tips / np.maximum(-along[rows, 2], 1e-4)
    enter += terrain.depth * rng.exponential(1.0, len(rows))
    # Where the beam enters must be grass as well.
    ex, ey = start[rows, 0] + enter * along[rows, 0], start[rows, 1] + enter * along[rows, 1]
    met = (enter > 0.3) & (enter < ranges[rows]) & (terrain.grass(ex, ey) > 0)
    ranges[rows[met]] = enter[met]
    return ranges


def _beyond(rng: np.random.Generator) -> tuple[float, float, float]:
    """Normal and distance of a line beside the course, which runs along x."""
    side, turn = rng.choice([-1.0, 1.0]), rng.normal(0, 0.4)
    distance = rng.uniform(2.0, 12.0)
    return -side * math.sin(turn), side * math.cos(turn), float(distance)
