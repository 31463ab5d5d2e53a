"""Random surroundings of a planar LiDAR: courses of cones, people, objects and walls."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from conegrad_simulation.lidar.garage_clutter import (
    add_furniture,
    add_pillars,
    add_room,
    add_tyres,
    add_vehicles,
    add_wall_ends,
)
from conegrad_simulation.lidar.ray_casting import Targets
from conegrad_simulation.lidar.surroundings import Surroundings, random_chord, random_spot
from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.scene import LEG_SPREAD


def add_course(surroundings: Surroundings) -> None:
    """Add a lane of cones that the car drives along, with random bends."""
    rng = surroundings.rng
    line = _bending_line(rng, rng.uniform(-15, 2), rng.uniform(15, 50), bend=0.12)
    width, solidity = rng.uniform(2.5, 5.5), rng.uniform(0.7, 1.0)
    start = np.array([0.0, rng.normal(0, 0.2 * width)])
    for side in (-0.5, 0.5):
        _add_cone_row(surroundings, line, side * width, start, solidity)


def add_far_course(surroundings: Surroundings) -> None:
    """Add another piece of the course at a random place."""
    rng = surroundings.rng
    line = _bending_line(rng, 0.0, rng.uniform(5, 35), bend=0.12)
    start = random_spot(rng, 4, 30)
    turn = rng.uniform(0, 2 * math.pi)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    for side in rng.permutation([-2.0, 2.0])[: rng.integers(1, 3)]:
        _add_cone_row(surroundings, line, float(side), start, rng.uniform(0.6, 1.0), rotation)


def add_loose_cones(surroundings: Surroundings) -> None:
    """Add cones at random places."""
    for _ in range(surroundings.rng.integers(1, 12)):
        surroundings.add_cone(random_spot(surroundings.rng, 0.8, 16))


def add_people(surroundings: Surroundings) -> None:
    """Add people as pairs of legs."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 6)):
        middle, stance = random_spot(rng, 1.5, 20), rng.uniform(0, math.pi)
        surroundings.add_person(middle, stance, rng.uniform(0.7, 2.0) * LEG_SPREAD)


def add_objects(surroundings: Surroundings) -> None:
    """Add posts, tyres, bins and trees: round obstacles, some as slim as a cone."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 8)):
        radius = math.exp(rng.uniform(math.log(0.015), math.log(0.6)))
        surroundings.add_round(
            random_spot(rng, 2, 30), radius, rng.uniform(0.2, 2.0), 0.02 * rng.random()
        )


def add_boxes(surroundings: Surroundings) -> None:
    """Add rectangles: crates, cars, vans."""
    rng = surroundings.rng
    for _ in range(rng.integers(1, 5)):
        size = np.exp(rng.uniform(math.log(0.2), math.log(4.5), 2))
        middle, turn = random_spot(rng, 3, 35), rng.uniform(0, math.pi)
        if np.hypot(*middle) < np.hypot(*size):
            continue
        surroundings.add_block(middle, size, turn, 1.0)


def add_fence(surroundings: Surroundings) -> None:
    """Add a row of posts, with or without a mesh that lets beams through."""
    rng = surroundings.rng
    start, end = random_chord(rng, 8, 60)
    length = float(np.hypot(*(end - start)))
    radius, spacing = rng.uniform(0.01, 0.1), rng.uniform(0.6, 6.0)
    for along in np.arange(0, length, spacing):
        surroundings.add_round(start + (end - start) * along / length, radius, 1.2, 0.01)
    if rng.random() < 0.5:
        surroundings.add_wall(start, end, 1.5, rng.uniform(0, 0.1), rng.uniform(0.05, 0.6))


def add_wall_line(surroundings: Surroundings) -> None:
    """Add walls, barriers and kerbs along a broken line."""
    rng = surroundings.rng
    start, end = random_chord(rng, 3, 60)
    corners = np.linspace(start, end, rng.integers(2, 7))
    corners[1:-1] += rng.normal(0, rng.uniform(0, 1.5), corners[1:-1].shape)
    top = rng.choice([0.1, 0.2, 1.0, 1.0])
    solidity = rng.uniform(0.6, 1.0)
    for a, b in pairwise(corners):
        if rng.random() < 0.85:
            surroundings.add_wall(a, b, top, 0.02 * rng.random(), solidity)


def add_bushes(surroundings: Surroundings) -> None:
    """Add grass edges and hedges: returns scattered in depth along a line."""
    rng = surroundings.rng
    start, end = random_chord(rng, 3, 60)
    corners = np.linspace(start, end, rng.integers(2, 9))
    corners[1:-1] += rng.normal(0, rng.uniform(0, 2.5), corners[1:-1].shape)
    for a, b in pairwise(corners):
        solidity = rng.uniform(0.02, 0.9)
        surroundings.add_wall(a, b, rng.uniform(0.1, 1.0), rng.uniform(0.03, 1.0), solidity)


def add_far_scatter(surroundings: Surroundings) -> None:
    """Add thin obstacles far away, which return few beams: stalks, wires, poles, people."""
    rng = surroundings.rng
    nearest = rng.uniform(10, 25)
    for _ in range(rng.integers(10, 150)):
        radius = rng.uniform(0.01, 0.25)
        place = random_spot(rng, nearest, 80)
        surroundings.add_round(place, radius, 1.0, 0.1 * rng.random(), rng.uniform(0.1, 1.0))


Kinds = tuple[tuple[Callable[[Surroundings], None], float], ...]

# Probability that each kind of surroundings is part of a scan of a course.
COURSE: Kinds = (
    (add_course, 0.88),
    (add_far_course, 0.5),
    (add_far_course, 0.3),
    (add_loose_cones, 0.12),
    (add_people, 0.2),
    (add_objects, 0.3),
    (add_boxes, 0.25),
    (add_fence, 0.3),
    (add_fence, 0.2),
    (add_wall_line, 0.4),
    (add_wall_line, 0.3),
    (add_bushes, 0.4),
    (add_bushes, 0.3),
    (add_far_scatter, 0.6),
    (add_furniture, 0.15),
    (add_pillars, 0.15),
    (add_wall_ends, 0.15),
    (add_tyres, 0.2),
    (add_vehicles, 0.15),
)
# The same of a garage or paddock, where cones stand about or lead through a door.
GARAGE: Kinds = (
    (add_course, 0.3),
    (add_loose_cones, 0.5),
    (add_room, 0.75),
    (add_people, 0.6),
    (add_furniture, 0.7),
    (add_furniture, 0.4),
    (add_pillars, 0.5),
    (add_pillars, 0.3),
    (add_wall_ends, 0.7),
    (add_tyres, 0.4),
    (add_vehicles, 0.4),
    (add_objects, 0.4),
    (add_boxes, 0.4),
    (add_fence, 0.15),
    (add_far_scatter, 0.2),
)
GARAGE_SHARE = 0.25  # of all places


def random_surroundings(rng: np.random.Generator, kinds: Kinds | None = None) -> Targets:
    """Draw the targets around a sensor, in its level frame."""
    surroundings = Surroundings(rng)
    furnish(surroundings, kinds)
    return surroundings.targets()


def furnish(surroundings: Surroundings, kinds: Kinds | None = None) -> None:
    """Add things of random kinds; those of a garage or of a course where None is given."""
    rng = surroundings.rng
    if kinds is None:
        kinds = GARAGE if rng.random() < GARAGE_SHARE else COURSE
    for add, probability in kinds:
        if rng.random() < probability:
            add(surroundings)


def _add_cone_row(
    surroundings: Surroundings,
    line: Floats,
    offset: float,
    start: Floats,
    solidity: float,
    rotation: Floats | None = None,
) -> None:
    rng = surroundings.rng
    # Most rows are as the rules space them; hairpins and stored cones stand closer.
    spacing = rng.uniform(1.0, 5.0) if rng.random() < 0.8 else rng.uniform(0.3, 1.0)
    travelled = line[0, 3] + rng.uniform(0, spacing)
    while travelled < line[-1, 3]:
        x, y, heading = (np.interp(travelled, line[:, 3], line[:, k]) for k in range(3))
        place = np.array([x - offset * math.sin(heading), y + offset * math.cos(heading)])
        place = (place if rotation is None else rotation @ place) + start
        place = place + rng.normal(0, 0.1, 2)
        if rng.random() < 0.96 and np.hypot(*place) > 0.6:
            surroundings.add_cone(place, solidity=min(1.0, solidity * rng.uniform(0.8, 1.1)))
        travelled += spacing * rng.uniform(0.75, 1.25)


def _bending_line(rng: np.random.Generator, first: float, last: float, bend: float) -> Floats:
    """``(M, 4)`` x, y, heading [rad], distance of points 1 m apart, (0, 0, 0) at distance 0."""
    distance = np.arange(math.floor(first), math.ceil(last) + 1.0)
    knots = np.linspace(first, last, 6)
    curvature = np.interp(distance, knots, rng.uniform(-bend, bend, 6))
    heading = np.cumsum(curvature)
    x, y = np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading))
    zero = int(np.argmin(np.abs(distance)))
    turn, path = heading[zero], np.stack([x - x[zero], y - y[zero]])
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return np.column_stack([(rotation @ path).T, heading - turn, distance])
