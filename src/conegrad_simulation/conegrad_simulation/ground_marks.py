"""What lies flat on the ground: lines, patches, joints, tyre marks, verges, leaves, puddles."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from conegrad_simulation.scene import Floats
from conegrad_simulation.world import World

Polygon = npt.NDArray[np.float64]
Mark = tuple[Polygon, tuple[float, float, float]]

CELL = 16.0  # [m], marks are drawn by chance once per square of this size, fixed in the map
PAINTS = ((235, 238, 240), (60, 200, 235), (200, 205, 205), (70, 70, 220), (200, 120, 60))
VERGES = ((60, 110, 90), (70, 140, 150), (90, 165, 190), (70, 90, 110), (50, 90, 60))
LEAVES = ((40, 110, 170), (60, 190, 220), (30, 70, 110), (220, 230, 235), (40, 160, 200))


def marks_around(
    place: Floats, heading: float, reach: float, world: World
) -> tuple[list[Polygon], list[object]]:
    """Polygons ``(K, 2)`` in the map and their colours (BGR) ahead of a place."""
    ahead = np.array([math.cos(heading), math.sin(heading)])
    polygons: list[Polygon] = []
    colours: list[object] = []
    centre = np.floor(place / CELL).astype(int)
    steps = math.ceil(reach / CELL)
    cells = [(i, j) for i in range(-steps, steps + 1) for j in range(-steps, steps + 1)]
    for i, j in cells:
        middle = (centre + [i, j] + 0.5) * CELL - place
        if not -CELL < middle @ ahead < reach or abs(middle @ ahead[::-1] * 1) > 4 * reach:
            continue
        if np.linalg.norm(middle - ahead * (middle @ ahead)) > middle @ ahead * 1.4 + CELL:
            continue
        for polygon, colour in _marks_of_cell(world_key(world), centre[0] + i, centre[1] + j):
            polygons.append(polygon)
            colours.append(colour)
    return polygons, colours


def world_key(world: World) -> tuple[object, ...]:
    """The fields of a world on which its marks depend."""
    return (
        world.ground_style, world.ground, round(world.ground_grey), round(world.ground_tint, 3),
        round(world.marks, 2), round(world.litter, 2),
    )  # fmt: skip


@lru_cache(maxsize=512)
def _marks_of_cell(key: tuple[object, ...], i: int, j: int) -> list[Mark]:
    style, ground, grey, tint, marks, litter = key
    rng = np.random.default_rng((int(style), i + (1 << 20), j + (1 << 20)))
    of_place = np.random.default_rng((int(style), 0x9A7C))
    base = np.array([grey * (1 - tint), grey, grey * (1 + tint)])
    corner = np.array([i, j]) * CELL
    found: list[Mark] = []
    if ground == "slabs" or (ground == "concrete" and of_place.random() < 0.6):
        found += _joints(corner, base, of_place)
    found += [_patch(rng, corner, base) for _ in range(rng.poisson(1.2 * marks))]
    found += [_verge(rng, corner, of_place) for _ in range(rng.poisson(0.25 * marks))]
    found += [_line(rng, corner, of_place) for _ in range(rng.poisson(0.8 * marks))]
    found += [_tyre_mark(rng, corner, base) for _ in range(rng.poisson(1.5 * marks))]
    found += [_crack(rng, corner, base) for _ in range(rng.poisson(2.0 * marks))]
    if litter > 0:
        found += _leaves(rng, corner, of_place, rng.poisson(60 * litter))
    return found


def _colour(values: Floats) -> tuple[float, float, float]:
    blue, green, red = np.clip(values, 0, 255).tolist()
    return blue, green, red


def _strip(points: Floats, width: float) -> Polygon:
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    side = 0.5 * width * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    return np.vstack([points + side, (points - side)[::-1]])


def _arc(rng: np.random.Generator, corner: Floats, length: float, bend: float) -> Floats:
    start, heading = corner + rng.uniform(0, CELL, 2), rng.uniform(0, 2 * np.pi)
    along = np.linspace(0.0, length, 9)
    angle = heading + rng.normal(0.0, bend) * along
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (along[1] - along[0])
    return np.asarray(start + np.cumsum(steps, axis=0))


def _patch(rng: np.random.Generator, corner: Floats, base: Floats) -> Mark:
    size, turn = rng.uniform(0.4, 5.0, 2), rng.uniform(0, np.pi)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2
    corners += rng.normal(0, 0.06, (4, 2)) * size
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    tone = base * rng.choice((0.55, 0.7, 0.8, 1.15, 1.3)) * rng.uniform(0.9, 1.1)
    return corners @ rotation.T + corner + rng.uniform(0, CELL, 2), _colour(tone)


def _verge(rng: np.random.Generator, corner: Floats, of_place: np.random.Generator) -> Mark:
    middle, radius = corner + rng.uniform(0, CELL, 2), rng.uniform(3.0, 9.0)
    angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    ragged = radius * rng.uniform(0.7, 1.2, 18)
    tone = np.array(VERGES[int(of_place.integers(len(VERGES)))]) * rng.uniform(0.6, 1.2)
    outline = middle + ragged[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return outline, _colour(tone)


def _line(rng: np.random.Generator, corner: Floats, of_place: np.random.Generator) -> Mark:
    paint = np.array(PAINTS[int(of_place.choice(5, p=(0.6, 0.15, 0.15, 0.05, 0.05)))])
    arc = _arc(rng, corner, rng.uniform(4.0, 30.0), float(rng.choice((0.0, 0.0, 0.05))))
    return _strip(arc, rng.uniform(0.08, 0.3)), _colour(paint * rng.uniform(0.6, 1.0))


def _tyre_mark(rng: np.random.Generator, corner: Floats, base: Floats) -> Mark:
    arc = _arc(rng, corner, rng.uniform(3.0, 20.0), 0.06)
    return _strip(arc, rng.uniform(0.12, 0.3)), _colour(base * rng.uniform(0.55, 0.9))


def _crack(rng: np.random.Generator, corner: Floats, base: Floats) -> Mark:
    arc = _arc(rng, corner, rng.uniform(2.0, 14.0), 0.05) + rng.normal(0, 0.12, (9, 2))
    return _strip(arc, rng.uniform(0.015, 0.06)), _colour(base * rng.uniform(0.3, 0.8))


def _joints(corner: Floats, base: Floats, of_place: np.random.Generator) -> list[Mark]:
    """Joints between slabs of concrete, along both axes of the map."""
    pitch, width = float(of_place.choice((2.0, 4.0, 8.0))), of_place.uniform(0.02, 0.07)
    tone = _colour(base * of_place.uniform(0.35, 0.8))
    marks = []
    for at in np.arange(0.0, CELL, pitch):
        for axis in (0, 1):
            ends = np.tile(corner, (2, 1)).astype(float)
            ends[:, axis] += at
            ends[1, 1 - axis] += CELL
            marks.append((_strip(ends, width), tone))
    return marks


def _leaves(
    rng: np.random.Generator, corner: Floats, of_place: np.random.Generator, count: int
) -> list[Mark]:
    tone = np.array(LEAVES[int(of_place.integers(len(LEAVES)))])
    places = corner + rng.uniform(0, CELL, (count, 1, 2))
    outlines = places + rng.normal(0, rng.uniform(0.02, 0.07), (count, 4, 2))
    tones = tone * rng.uniform(0.5, 1.15, (count, 1))
    return [(outline, _colour(shade)) for outline, shade in zip(outlines, tones, strict=True)]
