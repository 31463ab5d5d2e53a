"""Flat marks on the ground: lines, patches, joints, tyre marks, verges, leaves, cracks.

Marks are drawn at random once per square cell of the map and style; the map repeats after
:data:`PERIOD` cells. A mark is shown when its rank is below the density of the world.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.world import World

Polygon = npt.NDArray[np.float64]

CELL = 16.0  # [m], side of a cell
PERIOD = 3  # cells
STYLES = 32

MARK, LITTER, JOINT = 0, 1, 2  # kinds, each with a density of its own

PAINTS = ((235, 238, 240), (60, 200, 235), (200, 205, 205), (70, 70, 220), (200, 120, 60))
VERGES = ((60, 110, 90), (70, 140, 150), (90, 165, 190), (70, 90, 110), (50, 90, 60))
LEAVES = ((40, 110, 170), (60, 190, 220), (30, 70, 110), (220, 230, 235), (40, 160, 200))


@dataclass(frozen=True)
class Marks:
    """M marks of one cell, its corner at the origin.

    Attributes:
        outlines: polygons ``(K, 2)`` [m].
        middles: ``(M, 2)`` [m]; ``reaches`` ``(M,)``: all of a mark is this near to it [m].
        colours: ``(M, 3)`` BGR, in shares of the ground's colour where ``is_relative``.
        ranks: ``(M,)`` in [0, 1); ``kinds`` ``(M,)`` :data:`MARK`, :data:`LITTER`, ...
    """

    outlines: list[Polygon]
    middles: Floats
    reaches: Floats
    colours: Floats
    is_relative: npt.NDArray[np.bool_]
    ranks: Floats
    kinds: npt.NDArray[np.int64]


def marks_around(
    place: Floats, heading: float, reach: float, half_view: float, world: World
) -> tuple[list[Polygon], list[tuple[float, ...]]]:
    """Polygons ``(K, 2)`` in the map and their colours (BGR) in view of a camera.

    Args:
        place: ``(2,)`` of the camera [m].
        heading: of the camera [rad].
        reach: farthest distance at which marks are drawn [m].
        half_view: half of the horizontal field of view [rad].
        world: appearance.
    """
    grey, tint = world.ground_grey, world.ground_tint
    base = np.array([grey * (1 - tint), grey, grey * (1 + tint)])
    limits = np.array([world.marks, world.litter, 2.0 if world.ground == "slabs" else 0.0])
    ahead = np.array([math.cos(heading), math.sin(heading)])
    polygons: list[Polygon] = []
    colours: list[tuple[float, ...]] = []
    for cell in _cells(place, reach):
        marks = _marks_of_cell(world.ground_style % STYLES, *(cell % PERIOD).tolist())
        corner = cell * CELL
        offset = marks.middles + corner - place
        along, across = offset @ ahead, np.abs(offset @ [-ahead[1], ahead[0]])
        chosen = (marks.ranks < limits[marks.kinds]) & (along < reach) & (along > -marks.reaches)
        # Leaves far away are smaller than a pixel.
        chosen &= (marks.kinds != LITTER) | (along < 14.0)
        chosen &= across < np.maximum(along, 0) * math.tan(min(half_view, 1.2)) + marks.reaches + 1
        for row in np.flatnonzero(chosen):
            polygons.append(marks.outlines[row] + corner)
        tones = np.where(marks.is_relative[:, None], marks.colours * base, marks.colours)
        colours += [tuple(tone) for tone in np.clip(tones[chosen], 0, 255).tolist()]
    return polygons, colours


def _cells(place: Floats, reach: float) -> list[npt.NDArray[np.int64]]:
    first = np.floor((place - reach) / CELL).astype(int)
    last = np.floor((place + reach) / CELL).astype(int)
    return [
        np.array([i, j]) for i in range(first[0], last[0] + 1) for j in range(first[1], last[1] + 1)
    ]


class _Collector:
    """Collects the marks of a cell."""

    def __init__(self, style: int, i: int, j: int) -> None:
        self.rng = np.random.default_rng((style, i, j, 0x3A2C))
        self.of_style = np.random.default_rng((style, 0x9A7C))
        self.rows: list[tuple[Polygon, Floats, bool, float, int]] = []

    def add(self, outline: Polygon, colour: Floats, relative: bool, kind: int = MARK) -> None:
        self.rows.append((outline, colour, relative, self.rng.random(), kind))

    def anywhere(self) -> Floats:
        return self.rng.uniform(0, CELL, 2)

    def marks(self) -> Marks:
        outlines = [row[0] for row in self.rows]
        middles = np.array([outline.mean(axis=0) for outline in outlines])
        reaches = [
            np.linalg.norm(outline - middle, axis=1).max()
            for outline, middle in zip(outlines, middles, strict=True)
        ]
        return Marks(
            outlines,
            middles,
            np.array(reaches),
            np.array([row[1] for row in self.rows]),
            np.array([row[2] for row in self.rows]),
            np.array([row[3] for row in self.rows]),
            np.array([row[4] for row in self.rows]),
        )


@lru_cache(maxsize=STYLES * PERIOD**2)
def _marks_of_cell(style: int, i: int, j: int) -> Marks:
    collector = _Collector(style, i, j)
    _add_joints(collector)
    for add, mean in (
        (_add_patch, 1.0), (_add_verge, 0.25), (_add_line, 0.8), (_add_tyre_mark, 1.5),
        (_add_crack, 2.5),
    ):  # fmt: skip
        for _ in range(collector.rng.poisson(mean)):
            add(collector)
    _add_leaves(collector)
    return collector.marks()


def _strip(points: Floats, width: float) -> Polygon:
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    side = 0.5 * width * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    return np.vstack([points + side, (points - side)[::-1]])


def _arc(collector: _Collector, length: float, bend: float) -> Floats:
    rng = collector.rng
    start, heading = collector.anywhere(), rng.uniform(0, 2 * np.pi)
    along = np.linspace(0.0, length, 9)
    angle = heading + rng.normal(0.0, bend) * along
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (along[1] - along[0])
    return np.asarray(start + np.cumsum(steps, axis=0))


def _add_patch(collector: _Collector) -> None:
    rng = collector.rng
    size, turn = rng.uniform(0.4, 5.0, 2), rng.uniform(0, np.pi)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2
    corners += rng.normal(0, 0.06, (4, 2)) * size
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    tone = rng.choice((0.55, 0.7, 0.8, 1.15, 1.3)) * rng.uniform(0.9, 1.1)
    collector.add(corners @ rotation.T + collector.anywhere(), np.full(3, tone), True)


def _add_verge(collector: _Collector) -> None:
    rng = collector.rng
    middle, radius = collector.anywhere(), rng.uniform(3.0, 9.0)
    angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    ragged = radius * rng.uniform(0.7, 1.2, 18)
    tone = np.array(VERGES[int(collector.of_style.integers(len(VERGES)))]) * rng.uniform(0.6, 1.2)
    outline = middle + ragged[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    collector.add(outline, tone, False)


def _add_line(collector: _Collector) -> None:
    rng = collector.rng
    paint = PAINTS[int(collector.of_style.choice(5, p=(0.6, 0.15, 0.15, 0.05, 0.05)))]
    arc = _arc(collector, rng.uniform(4.0, 30.0), float(rng.choice((0.0, 0.0, 0.05))))
    collector.add(_strip(arc, rng.uniform(0.08, 0.3)), np.array(paint) * rng.uniform(0.6, 1), False)


def _add_tyre_mark(collector: _Collector) -> None:
    rng = collector.rng
    arc = _arc(collector, rng.uniform(3.0, 20.0), 0.06)
    tone = np.full(3, rng.uniform(0.55, 0.9))
    collector.add(_strip(arc, rng.uniform(0.12, 0.3)), tone, True)


def _add_crack(collector: _Collector) -> None:
    rng = collector.rng
    arc = _arc(collector, rng.uniform(2.0, 14.0), 0.05) + rng.normal(0, 0.12, (9, 2))
    collector.add(_strip(arc, rng.uniform(0.015, 0.05)), np.full(3, rng.uniform(0.3, 0.8)), True)


def _add_joints(collector: _Collector) -> None:
    """Joints between slabs of concrete, along both axes of the map."""
    rng = collector.of_style
    pitch, width = float(rng.choice((2.0, 4.0, 8.0))), rng.uniform(0.02, 0.07)
    tone = np.full(3, rng.uniform(0.35, 0.8))
    for at in np.arange(0.0, CELL, pitch):
        for axis in (0, 1):
            ends = np.zeros((2, 2))
            ends[:, axis] += at
            ends[1, 1 - axis] += CELL
            collector.add(_strip(ends, width), tone, True, JOINT)


def _add_leaves(collector: _Collector) -> None:
    rng, count = collector.rng, 70
    tone = np.array(LEAVES[int(collector.of_style.integers(len(LEAVES)))])
    size = collector.of_style.uniform(0.02, 0.07)
    outlines = rng.uniform(0, CELL, (count, 1, 2)) + rng.normal(0, size, (count, 4, 2))
    for outline in outlines:
        collector.add(outline, tone * rng.uniform(0.5, 1.15), False, LITTER)
