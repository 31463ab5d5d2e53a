"""Clutter of garages and paddocks: slim and low things that a scan plane cuts like cones."""

import math

import numpy as np

from conegrad_simulation.lidar.surroundings import Surroundings, random_spot
from conegrad_simulation.planar import Floats

# Least and most length and width, and range of heights, of tables, chairs, shelves and tents [m].
FURNITURE = (
    ((0.5, 0.5), (1.0, 2.2), (0.7, 1.0)),
    ((0.35, 0.35), (0.5, 0.5), (0.4, 0.5)),
    ((0.35, 0.8), (0.6, 1.5), (1.5, 2.0)),
    ((2.4, 2.4), (3.0, 6.0), (2.0, 2.6)),
)
FURNITURE_ODDS = (0.35, 0.3, 0.15, 0.2)
LEG = (0.01, 0.045)  # [m], radius


def add_furniture(surroundings: Surroundings, farthest: float = 15.0) -> None:
    """Add tables, chairs, shelves and tents, each alone or as a group of the same."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 5)):
        least, most, highs = FURNITURE[rng.choice(len(FURNITURE), p=FURNITURE_ODDS)]
        middle, turn, leg = random_spot(rng, 0.8, farthest), rng.uniform(0, math.pi), _leg(rng)
        size, top = rng.uniform(least, most), rng.uniform(*highs)
        for _ in range(rng.choice([1, 1, 2, 4])):
            surroundings.add_table(middle, size, turn, top, leg)
            middle = middle + rng.normal(0, 1.0, 2) + 0.6 * size
            turn += rng.normal(0, 0.3)


def add_pillars(surroundings: Surroundings, farthest: float = 15.0) -> None:
    """Add pillars and posts in a row, or poles anywhere, some as slim as a cone."""
    rng = surroundings.rng
    start, way = random_spot(rng, 1.0, farthest), rng.uniform(0, 2 * math.pi)
    step = rng.uniform(0.8, 5.0) * np.array([math.cos(way), math.sin(way)])
    is_square, size = rng.random() < 0.4, math.exp(rng.uniform(math.log(0.02), math.log(0.25)))
    for index in range(rng.integers(1, 8)):
        place = start + index * step + rng.normal(0, 0.03, 2)
        if np.hypot(*place) < 0.6:
            continue
        if is_square:
            surroundings.add_block(place, np.array([2 * size, 2 * size]), way, 1.0)
        else:
            surroundings.add_round(place, size, 1.0)


def add_wall_ends(surroundings: Surroundings, farthest: float = 12.0) -> None:
    """Add walls shorter than 1.5 m: their ends, corners, door frames, boards, crates."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 10)):
        middle, turn = random_spot(rng, 0.8, farthest), rng.uniform(0, math.pi)
        length, width = np.exp(rng.uniform(math.log(0.04), math.log(1.5), 2))
        solidity, top = rng.uniform(0.8, 1.0), rng.uniform(0.3, 1.5)
        corner, other = surroundings.turned(np.array([[length, 0.0], [0.0, width]]), turn)
        kind = rng.choice(3)
        if kind == 0:
            surroundings.add_block(middle, np.array([length, width]), turn, top)
            continue
        surroundings.add_wall(middle, middle + corner, top, 0.0, solidity)
        if kind == 1:
            surroundings.add_wall(middle, middle + other, top, 0.0, solidity)


def add_tyres(surroundings: Surroundings, farthest: float = 20.0) -> None:
    """Add tyres: a row of stacks, or some that lie or stand about."""
    rng = surroundings.rng
    start, way = random_spot(rng, 1.5, farthest), rng.uniform(0, 2 * math.pi)
    radius, is_row = rng.uniform(0.2, 0.35), rng.random() < 0.5
    high = 0.2 * rng.integers(1, 6)
    for index in range(rng.integers(2, 20 if is_row else 6)):
        along = 2.1 * radius * index * np.array([math.cos(way), math.sin(way)])
        place = start + along if is_row else start + rng.normal(0, 1.0, 2)
        if np.hypot(*place) < 0.8:
            continue
        if is_row or rng.random() < 0.6:
            surroundings.add_round(place, radius, high)
        else:
            size = np.array([2 * radius, rng.uniform(0.15, 0.25)])
            surroundings.add_block(place, size, rng.uniform(0, math.pi), 2 * radius)


def add_vehicles(surroundings: Surroundings, farthest: float = 30.0) -> None:
    """Add cars and vans."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 5)):
        middle, turn = random_spot(rng, 3.5, farthest), rng.uniform(0, math.pi)
        size = np.array([rng.uniform(2.6, 5.2), rng.uniform(1.2, 2.0)])
        surroundings.add_vehicle(middle, size, turn, rng.uniform(1.0, 2.6))


def add_room(surroundings: Surroundings) -> None:
    """Add the walls of a garage around the sensor, with doors, recesses and things along them."""
    rng = surroundings.rng
    size = np.array([rng.uniform(5.0, 30.0), rng.uniform(4.0, 16.0)])
    turn = rng.uniform(0, 2 * math.pi)
    middle = rng.uniform(-0.4, 0.4, 2) * size
    corners = 0.5 * size * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) - middle
    corners = surroundings.turned(corners, turn)
    is_open = rng.random(4) < 0.2
    for start, end, missing in zip(corners, np.roll(corners, -1, axis=0), is_open, strict=True):
        if not missing:
            _add_room_wall(surroundings, start, end)


def _add_room_wall(surroundings: Surroundings, start: Floats, end: Floats) -> None:
    """A wall with gaps, whose pieces lie up to 0.3 m before or behind each other."""
    rng = surroundings.rng
    way = end - start
    length = float(np.hypot(*way))
    inwards = np.array([-way[1], way[0]]) / length
    along = 0.0
    while along < length:
        piece = min(rng.uniform(0.3, 8.0), length - along)
        recess = rng.choice([0.0, 1.0], p=[0.6, 0.4]) * rng.uniform(0.0, 0.3) * inwards
        first, last = start + way * along / length, start + way * (along + piece) / length
        surroundings.add_wall(first + recess, last + recess, 1.0)
        if rng.random() < 0.5:
            surroundings.add_wall(first, first + recess, 1.0)
        _add_along_wall(surroundings, first, last, inwards)
        along += piece + rng.choice([0.0, 1.0], p=[0.7, 0.3]) * rng.uniform(0.3, 4.0)


def _add_along_wall(
    surroundings: Surroundings, first: Floats, last: Floats, inwards: Floats
) -> None:
    """Crates, cupboards, bottles and pipes that stand before a wall."""
    rng = surroundings.rng
    turn = math.atan2(-inwards[0], inwards[1])
    for _ in range(rng.poisson(0.3 * float(np.hypot(*(last - first))))):
        place = first + rng.random() * (last - first) + rng.uniform(0.1, 0.8) * inwards
        if np.hypot(*place) < 0.6:
            continue
        if rng.random() < 0.5:
            surroundings.add_round(place, rng.uniform(0.02, 0.25), rng.uniform(0.2, 1.5))
        else:
            size = np.exp(rng.uniform(math.log(0.1), math.log(1.0), 2))
            surroundings.add_block(place, size, turn + rng.normal(0, 0.1), rng.uniform(0.2, 1.5))


def _leg(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(LEG))))
