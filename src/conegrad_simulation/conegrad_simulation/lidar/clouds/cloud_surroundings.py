"""Random surroundings of a 3-D LiDAR: those of a planar one with heights, and more."""

import math
from collections.abc import Callable

import numpy as np

from conegrad_simulation.lidar.clouds.solid_surroundings import BURIED, Place, SolidSurroundings
from conegrad_simulation.lidar.clouds.terrain import Terrain
from conegrad_simulation.lidar.scan_surroundings import furnish
from conegrad_simulation.lidar.surroundings import random_spot


def add_trees(surroundings: SolidSurroundings) -> None:
    """Add trees: a trunk below a crown that lets beams through."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 10)):
        place, trunk = random_spot(rng, 6, 45), float(rng.uniform(1.2, 3.0))
        x, y, ground = surroundings.foot(place)
        surroundings.rows.add_tube((x, y, ground), (0.0, 0.0, trunk), rng.uniform(0.05, 0.2))
        crown = rng.uniform(0.8, 2.5)
        surroundings.rows.add_tube(
            (x, y, ground + trunk), (0.0, 0.0, crown), crown, 0.4 * crown,
            scatter=rng.uniform(0.1, 0.8), solidity=rng.uniform(0.3, 0.9),
        )  # fmt: skip


def add_signs(surroundings: SolidSurroundings) -> None:
    """Add plates on posts, boards that stand on the ground, and banners above the course."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 6)):
        middle, turn = random_spot(rng, 3, 30), rng.uniform(0, math.pi)
        low, width = rng.choice([-BURIED, rng.uniform(0.5, 2.0)]), rng.uniform(0.3, 1.2)
        high = max(low, 0.0) + rng.uniform(0.3, 1.0)
        surroundings.add_solid_box(middle, np.array([width, 0.03]), turn, high, low=low)
        if low > 0:
            surroundings.add_round(middle, rng.uniform(0.015, 0.05), low)


def add_low_things(surroundings: SolidSurroundings) -> None:
    """Add things as low as a cone: bags, crates, buckets, extinguishers, bales, cables."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 14)):
        middle, high = random_spot(rng, 1.5, 22), rng.uniform(0.06, 0.7)
        if rng.random() < 0.5:
            size = np.exp(rng.uniform(math.log(0.08), math.log(1.0), 2))
            surroundings.add_solid_box(middle, size, rng.uniform(0, math.pi), high)
        else:
            x, y, ground = surroundings.foot(middle)
            radius = math.exp(rng.uniform(math.log(0.03), math.log(0.35)))
            surroundings.rows.add_tube(
                (x, y, ground), (0.0, 0.0, high), radius, radius * rng.uniform(0.8, 1.1),
                reflectivity=rng.uniform(0.05, 0.9),
            )  # fmt: skip


def add_tufts(surroundings: SolidSurroundings) -> None:
    """Add clumps of grass and weeds, which are as low and slim as cones."""
    rng = surroundings.rng
    tall, solidity = rng.uniform(0.08, 0.5), rng.uniform(0.15, 0.8)
    middle = random_spot(rng, 3, 20)
    for _ in range(rng.integers(3, 40)):
        place = middle + rng.normal(0, 8, 2)
        if np.hypot(*place) < 1.5:
            continue
        x, y, ground = surroundings.foot(place)
        radius = rng.uniform(0.04, 0.3)
        surroundings.rows.add_tube(
            (x, y, ground), (0.0, 0.0, tall * rng.uniform(0.3, 1.0)), radius, 0.5 * radius,
            scatter=rng.uniform(0.02, 0.15), solidity=solidity,
        )  # fmt: skip


def add_dust(surroundings: SolidSurroundings) -> None:
    """Add clouds of dust or spray."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 4)):
        x, y = random_spot(rng, 2, 15).tolist()
        surroundings.rows.add_tube(
            (x, y, 0.0), (0.0, 0.0, rng.uniform(0.3, 2.0)), rng.uniform(0.5, 2.0),
            scatter=rng.uniform(0.3, 1.0), solidity=rng.uniform(0.005, 0.1),
        )  # fmt: skip


# Probability that each kind of surroundings is part of a place, beyond those of a planar LiDAR.
EXTRAS: tuple[tuple[Callable[[SolidSurroundings], None], float], ...] = (
    (add_trees, 0.35),
    (add_signs, 0.35),
    (add_low_things, 0.45),
    (add_tufts, 0.35),
    (add_dust, 0.05),
)


def random_place(rng: np.random.Generator, terrain: Terrain) -> Place:
    """Draw what stands around the origin of a map."""
    surroundings = SolidSurroundings(rng, terrain)
    furnish(surroundings)
    for add, probability in EXTRAS:
        if rng.random() < probability:
            add(surroundings)
    return surroundings.place()
