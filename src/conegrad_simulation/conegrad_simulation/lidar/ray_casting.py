"""Exact intersections of a fan of LiDAR beams with round and straight obstacles.

Beams are expanded only over the angular interval of each obstacle, so the cost grows with the
number of hits rather than with beams x obstacles.
"""

import math
from typing import NamedTuple

import numpy as np

from conegrad_simulation.planar import Bools, Floats, Ints, Pose

NOTHING = -1  # target row of a beam that meets no target
GROUND = -2  # target row of a beam that meets the ground


class Fan(NamedTuple):
    """Beams of one scan, at ``angle_min + step * i``, counter-clockwise.

    Attributes:
        angle_min: of the first beam [rad].
        step: between two beams [rad], positive.
        beams: number of beams.
    """

    angle_min: float
    step: float
    beams: int

    def angles(self) -> Floats:
        """``(B,)`` angle of each beam [rad]."""
        angles: Floats = self.angle_min + self.step * np.arange(self.beams, dtype=np.float64)
        return angles


class Targets(NamedTuple):
    """Obstacles in the level frame under the sensor (x ahead, y left, z up from the ground).

    Rows count the frusta first, then the walls.

    Attributes:
        frusta: ``(C, 7)`` x, y, radius at the ground, radius at the top, height of the top [m],
            and lean of the axis towards x and y [rad].
        walls: ``(W, 5)`` x0, y0, x1, y1, height of the top [m].
        is_cone: ``(C + W,)`` bool.
        depth_scatter: ``(C + W,)`` scatter of the returns along the beam, as of foliage [m].
        solidity: ``(C + W,)`` probability that a beam is stopped, in [0, 1].
    """

    frusta: Floats
    walls: Floats
    is_cone: Bools
    depth_scatter: Floats
    solidity: Floats


class Hits(NamedTuple):
    """Nearest hit of each beam.

    Attributes:
        ranges: ``(B,)`` horizontal range [m], inf without a hit.
        target_rows: ``(B,)`` index of the target, :data:`GROUND` or :data:`NOTHING`.
        grazing: ``(B,)`` from 0, the surface faces the beam, to 1, the beam is tangent to it.
    """

    ranges: Floats
    target_rows: Ints
    grazing: Floats


def targets_from(pose: Pose, targets: Targets) -> Targets:
    """Targets of the map in the level frame of a sensor at a pose of the map."""
    cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
    rotation = np.array([[cos, -sin], [sin, cos]])  # rows times this: map into sensor axes
    offset = np.array([pose.x, pose.y])
    frusta, walls = targets.frusta.copy(), targets.walls.copy()
    frusta[:, :2] = (frusta[:, :2] - offset) @ rotation
    frusta[:, 5:7] = frusta[:, 5:7] @ rotation
    walls[:, :2] = (walls[:, :2] - offset) @ rotation
    walls[:, 2:4] = (walls[:, 2:4] - offset) @ rotation
    return targets._replace(frusta=frusta, walls=walls)


def cast(
    targets: Targets,
    fan: Fan,
    height: float,
    slopes: Floats,
    rng: np.random.Generator,
    *,
    beam_width: float = 0.0,
) -> Hits:
    """Cast every beam of a fan.

    Args:
        targets: obstacles around the sensor.
        fan: the beams.
        height: of the sensor above the ground [m].
        slopes: ``(B,)`` rise of each beam per metre of horizontal range, relative to the ground.
        rng: draws which beams pass through targets of partial solidity.
        beam_width: divergence of a beam [rad]: widens round targets with range.

    Returns:
        The nearest hit of each beam, with ranges measured horizontally.
    """
    round_hits = _hit_frusta(targets.frusta, fan, height, slopes, beam_width)
    wall_hits = _hit_walls(targets.walls, fan, height, slopes, len(targets.frusta))
    beams, ranges, target_rows, grazing = (
        np.concatenate(pair) for pair in zip(round_hits, wall_hits, strict=True)
    )
    solid = rng.random(len(target_rows)) < targets.solidity[target_rows]
    beams, ranges, target_rows, grazing = (a[solid] for a in (beams, ranges, target_rows, grazing))
    return _nearest(beams, ranges, target_rows, grazing, _ground(height, slopes))


_Parts = tuple[Ints, Floats, Ints, Floats]


def _hit_frusta(
    frusta: Floats, fan: Fan, height: float, slopes: Floats, beam_width: float
) -> _Parts:
    x, y, bottom, top_radius, top, lean_x, lean_y = frusta.T
    centre_beam = ((np.arctan2(y, x) - fan.angle_min) / fan.step).round().astype(np.int64)
    turn = round(2 * math.pi / fan.step)
    centre_beam = np.clip(centre_beam % turn, 0, fan.beams - 1)
    level = height + slopes[centre_beam] * np.hypot(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = bottom + (top_radius - bottom) * np.clip(level / top, 0.0, 1.0)
    x, y = x + level * np.tan(lean_x), y + level * np.tan(lean_y)
    distance = np.hypot(x, y)
    radius = radius + 0.5 * beam_width * distance
    # A margin below the ground: the ground itself stops such beams.
    meets = (level > -0.05) & (level < top) & (distance > radius) & (radius > 0)
    target_rows = np.flatnonzero(meets)
    x, y, radius, distance = x[meets], y[meets], radius[meets], distance[meets]
    beams, rows = _expand(np.arctan2(y, x), np.arcsin(radius / distance), fan)
    angles = fan.angle_min + fan.step * beams
    along = x[rows] * np.cos(angles) + y[rows] * np.sin(angles)
    half_chord = np.sqrt(np.maximum(along**2 - distance[rows] ** 2 + radius[rows] ** 2, 0.0))
    return beams, along - half_chord, target_rows[rows], 1.0 - half_chord / radius[rows]


def _hit_walls(walls: Floats, fan: Fan, height: float, slopes: Floats, first_row: int) -> _Parts:
    x0, y0, x1, y1, top = walls.T
    start = np.arctan2(y0, x0)
    sweep = (np.arctan2(y1, x1) - start + math.pi) % (2 * math.pi) - math.pi
    beams, rows = _expand(start + 0.5 * sweep, 0.5 * np.abs(sweep), fan)
    angles = fan.angle_min + fan.step * beams
    ex, ey = (x1 - x0)[rows], (y1 - y0)[rows]
    across = np.cos(angles) * ey - np.sin(angles) * ex
    with np.errstate(divide="ignore", invalid="ignore"):
        ranges = (x0[rows] * ey - y0[rows] * ex) / across
        grazing = 1.0 - np.abs(across) / np.hypot(ex, ey)
        meets = (ranges > 0) & np.isfinite(ranges) & (height + slopes[beams] * ranges < top[rows])
    return beams[meets], ranges[meets], first_row + rows[meets], grazing[meets]


def _expand(centre: Floats, half: Floats, fan: Fan) -> tuple[Ints, Ints]:
    """Beams inside each interval ``centre +- half`` [rad], and the interval of each."""
    offset = (centre - fan.angle_min) % (2 * math.pi)
    turns = 2 * math.pi * np.array([[-1.0], [0.0], [1.0]])
    first = np.ceil((offset - half + turns) / fan.step).astype(np.int64).ravel()
    last = np.floor((offset + half + turns) / fan.step).astype(np.int64).ravel()
    first, last = np.maximum(first, 0), np.minimum(last, fan.beams - 1)
    counts = np.maximum(last - first + 1, 0)
    copies = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    beams = np.arange(len(copies)) - starts[copies] + first[copies]
    return beams, copies % max(len(centre), 1)


def _ground(height: float, slopes: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.where(slopes < 0, height / -slopes, np.inf)


def _nearest(
    beams: Ints, ranges: Floats, target_rows: Ints, grazing: Floats, ground: Floats
) -> Hits:
    order = np.argsort(-ranges)  # of several assignments to one beam the last, nearest one stays
    beams = beams[order]
    nearest = np.full(len(ground), np.inf)
    nearest_row = np.full(len(ground), NOTHING)
    nearest_grazing = np.zeros(len(ground))
    nearest[beams] = ranges[order]
    nearest_row[beams] = target_rows[order]
    nearest_grazing[beams] = grazing[order]
    on_ground = ground < nearest
    nearest_row[on_ground] = GROUND
    nearest_grazing[on_ground] = 0.0
    return Hits(np.minimum(nearest, ground), nearest_row, nearest_grazing)
