"""Exact intersections of the beams of a 3-D LiDAR with solids.

Of each solid only the rectangle of rings and columns is looked at in which it can lie, so the cost
grows with the size of the solids as the LiDAR sees them.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from conegrad_simulation.lidar.clouds.beam_grid import BLOCK, SensorMotion, Sweep, rotated
from conegrad_simulation.lidar.clouds.solids import Solids
from conegrad_simulation.planar import Bools, Floats, Ints

NEAREST = 1e-3  # [m]


class SolidHits(NamedTuple):
    """Nearest hit of each beam of a sweep.

    Attributes:
        ranges: ``(R, C)`` along the beam [m], inf without a hit.
        rows: ``(R, C)`` of the solid, -1 without a hit.
        grazing: ``(R, C)`` from 0, the surface faces the beam, to 1, the beam is tangent to it.
    """

    ranges: Floats
    rows: Ints
    grazing: Floats


class _Bounds(NamedTuple):
    """Where each of S solids can lie, as a LiDAR at one of K poses sees it: ``(K, S)`` each."""

    azimuth: Floats
    low: Floats  # of the azimuth, relative to the one above
    high: Floats
    elevation_low: Floats
    elevation_high: Floats


def cast_solids(
    solids: Solids, sweep: Sweep, motion: SensorMotion, rng: np.random.Generator
) -> SolidHits:
    """Cast every beam of a sweep.

    Args:
        solids: in the map.
        sweep: the beams.
        motion: of the LiDAR in the map.
        rng: draws which beams pass through solids of partial solidity.
    """
    rings, columns = sweep.directions.shape[:2]
    hits = SolidHits(
        np.full((rings, columns), np.inf),
        np.full((rings, columns), -1, dtype=np.int64),
        np.zeros((rings, columns)),
    )
    tubes = len(solids.tubes)
    places, yaws = motion.poses(sweep.times)
    directions = sweep.directions.reshape(-1, 3) @ motion.tilt.T
    for is_tube in (True, False):
        bounds = _bounds(solids, is_tube, sweep, motion)
        rows, beams = _beams_of(bounds, sweep, motion)
        if not is_tube:
            rows = rows + tubes
        passed = rng.random(len(rows)) >= solids.solidity[rows]
        rows, beams = rows[~passed], beams[~passed]
        column = beams % columns
        along = rotated(directions[beams], yaws[column])
        meet = _meet_tubes if is_tube else _meet_boxes
        shapes = solids.tubes[rows] if is_tube else solids.boxes[rows - tubes]
        ranges, grazing = meet(shapes, places[column], along)
        met = np.isfinite(ranges)
        _keep_nearest(hits, beams[met], ranges[met], rows[met], grazing[met])
    return hits


def _keep_nearest(
    hits: SolidHits, beams: Ints, ranges: Floats, rows: Ints, grazing: Floats
) -> None:
    """Enter the hits that are nearer than those known."""
    known = hits.ranges.reshape(-1)
    np.minimum.at(known, beams, ranges)
    nearest = ranges == known[beams]
    hits.rows.reshape(-1)[beams[nearest]] = rows[nearest]
    hits.grazing.reshape(-1)[beams[nearest]] = grazing[nearest]


def _blocks(sweep: Sweep, motion: SensorMotion) -> list[Ints]:
    """Columns of each block that is looked up at one pose."""
    span = float(np.ptp(sweep.times))
    count = max(1, math.ceil(span / BLOCK)) if motion.is_moving else 1
    return np.array_split(np.arange(len(sweep.times)), min(count, len(sweep.times)))


def _beams_of(bounds: _Bounds, sweep: Sweep, motion: SensorMotion) -> tuple[Ints, Ints]:
    """Pairs of a solid and a beam that may meet it."""
    blocks = _blocks(sweep, motion)
    starts = np.array([block[0] for block in blocks])[:, None]
    ends = np.array([block[-1] for block in blocks])[:, None]
    ring_low = np.searchsorted(sweep.elevations, bounds.elevation_low - 1e-6)
    ring_high = np.searchsorted(sweep.elevations, bounds.elevation_high + 1e-6)
    offset = (bounds.azimuth - sweep.first_azimuth) % (2 * math.pi)
    parts = []
    for turn in (-2 * math.pi, 0.0, 2 * math.pi):
        first = np.ceil((offset + bounds.low + turn) / sweep.step).astype(np.int64)
        last = np.floor((offset + bounds.high + turn) / sweep.step).astype(np.int64)
        first, last = np.maximum(first, starts), np.minimum(last, ends)
        block, solid = np.nonzero((last >= first) & (ring_high > ring_low))
        own = (block, solid)
        widths = last[own] - first[own] + 1
        heights = ring_high[own] - ring_low[own]
        parts.append(
            _rectangles(solid, first[own], widths, ring_low[own], heights, len(sweep.times))
        )
    rows, beams = (np.concatenate(pair) for pair in zip(*parts, strict=True))
    return rows, beams


def _rectangles(
    solid: Ints, first: Ints, widths: Ints, ring: Ints, heights: Ints, columns: int
) -> tuple[Ints, Ints]:
    counts = widths * heights
    copies = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(copies)) - (np.cumsum(counts) - counts)[copies]
    down, across = np.divmod(within, widths[copies])
    return solid[copies], (ring[copies] + down) * columns + first[copies] + across


def _bounds(solids: Solids, is_tube: bool, sweep: Sweep, motion: SensorMotion) -> _Bounds:
    times = [sweep.times[block] for block in _blocks(sweep, motion)]
    places, yaws = motion.poses(np.array([part.mean() for part in times]))
    longest = max(float(np.ptp(part)) for part in times)
    slack = 0.6 * longest * math.hypot(*motion.velocity) + 1e-6
    turn = 0.6 * longest * abs(motion.yaw_rate)
    if is_tube:
        points, radius = _tube_ends(solids.tubes)
    else:
        points, radius = _box_corners(solids.boxes)
    # Into the frame of the LiDAR at each pose: (K, S, P, 3).
    offset = points[None] - places[:, None, None]
    level = rotated(np.moveaxis(offset, 0, -2), -yaws)
    seen = np.moveaxis(level, -2, 0) @ motion.tilt
    return _seen_bounds(seen, (radius + slack)[None, :], turn)


def _seen_bounds(seen: Floats, radius: Floats, turn: float) -> _Bounds:
    """Bounds of the hulls of ``(K, S, P, 3)`` points, widened by radii ``(1, S)`` [m]."""
    middle = seen.mean(axis=2)
    azimuth = np.arctan2(middle[..., 1], middle[..., 0])
    distance = np.hypot(seen[..., 0], seen[..., 1])
    each = np.arctan2(seen[..., 1], seen[..., 0]) - azimuth[..., None]
    each = (each + math.pi) % (2 * math.pi) - math.pi
    near = np.maximum(_nearest_approach(seen) - radius, 0.0)
    half = np.arcsin(np.minimum(radius / np.maximum(distance.min(axis=2), 1e-9), 1.0)) + turn
    low, high = each.min(axis=2) - half, each.max(axis=2) + half
    is_around = (near <= 0) | (high - low > math.pi)
    low, high = np.where(is_around, -math.pi, low), np.where(is_around, math.pi, high)
    far = distance.max(axis=2) + radius
    near = np.where(is_around, 1e-6, near)
    bottom, top = seen[..., 2].min(axis=2) - radius, seen[..., 2].max(axis=2) + radius
    elevation_low = np.arctan2(bottom, np.where(bottom < 0, near, far))
    elevation_high = np.arctan2(top, np.where(top > 0, near, far))
    return _Bounds(azimuth, low, high, elevation_low, elevation_high)


def _nearest_approach(seen: Floats) -> Floats:
    """Least horizontal distance of the sensor from the hulls of ``(K, S, P, 3)`` points [m]."""
    rings = ((0, 1),) if seen.shape[2] == 2 else ((0, 1, 2, 3), (4, 5, 6, 7))  # floor and top
    flat = seen[..., :2]
    found = np.full(seen.shape[:2], np.inf)
    for first, second in ((a, b) for ring in rings for a, b in pairwise((*ring, ring[0]))):
        start, end = flat[:, :, first], flat[:, :, second]
        side = end - start
        share = -(start * side).sum(-1) / np.maximum((side**2).sum(-1), 1e-12)
        nearest = start + np.clip(share, 0.0, 1.0)[..., None] * side
        found = np.minimum(found, np.hypot(nearest[..., 0], nearest[..., 1]))
    return found


def _tube_ends(tubes: Floats) -> tuple[Floats, Floats]:
    """``(T, 2, 3)`` middles of both ends and ``(T,)`` largest radii."""
    start = tubes[:, :3]
    return np.stack([start, start + tubes[:, 3:6]], axis=1), tubes[:, 6:8].max(axis=1)


def _box_corners(boxes: Floats) -> tuple[Floats, Floats]:
    """``(B, 8, 3)`` corners, floor first, and ``(B,)`` zero radii."""
    along = np.array([1, -1, -1, 1]) * boxes[:, 2:3]
    across = np.array([1, 1, -1, -1]) * boxes[:, 3:4]
    cos, sin = np.cos(boxes[:, 4:5]), np.sin(boxes[:, 4:5])
    x = boxes[:, 0:1] + cos * along - sin * across
    y = boxes[:, 1:2] + sin * along + cos * across
    floors = [np.stack([x, y, np.broadcast_to(boxes[:, z, None], x.shape)], -1) for z in (5, 6)]
    return np.concatenate(floors, axis=1), np.zeros(len(boxes))


def _meet_tubes(tubes: Floats, origins: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Range and grazing of beams ``(P, 3)`` on tubes ``(P, 8)``; inf where they miss."""
    axis = tubes[:, 3:6]
    height = np.maximum(np.sqrt((axis**2).sum(1)), 1e-9)
    axis = axis / height[:, None]
    first, second = tubes[:, 6], tubes[:, 7]
    slope = (second - first) / height
    offset = origins - tubes[:, :3]
    s0, ds = (offset * axis).sum(1), (along * axis).sum(1)
    across, turn = offset - s0[:, None] * axis, along - ds[:, None] * axis
    radius = first + slope * s0
    a = (turn**2).sum(1) - (slope * ds) ** 2
    b = (across * turn).sum(1) - slope * ds * radius
    c = (across**2).sum(1) - radius**2
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ranges = (-b - root) / a
        hit = s0 + ranges * ds
        good = (b * b > a * c) & (a > 1e-9) & (ranges > NEAREST) & (hit >= 0) & (hit <= height)
        good &= first + slope * hit > 0
        width = np.maximum(first + slope * hit, 1e-6)
        grazing = 1.0 - np.clip(root / (np.sqrt(np.maximum(a, 1e-9)) * width), 0.0, 1.0)
        ranges = np.where(good, ranges, np.inf)
        for end, end_radius in ((0.0, first), (height, second)):
            cap = (end - s0) / ds
            spot = across + cap[:, None] * turn
            inside = ((spot**2).sum(1) <= end_radius**2) & (cap > NEAREST) & (cap < ranges)
            ranges = np.where(inside, cap, ranges)
            grazing = np.where(inside, 1.0 - np.abs(ds), grazing)
    return ranges, grazing


def _meet_boxes(boxes: Floats, origins: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Range and grazing of beams ``(P, 3)`` on boxes ``(P, 7)``; inf where they miss."""
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    x, y = origins[:, 0] - boxes[:, 0], origins[:, 1] - boxes[:, 1]
    start = (cos * x + sin * y, cos * y - sin * x, origins[:, 2])
    way = (
        cos * along[:, 0] + sin * along[:, 1],
        cos * along[:, 1] - sin * along[:, 0],
        along[:, 2],
    )
    lows = (-boxes[:, 2], -boxes[:, 3], boxes[:, 5])
    highs = (boxes[:, 2], boxes[:, 3], boxes[:, 6])
    enter, leave = np.full(len(boxes), -np.inf), np.full(len(boxes), np.inf)
    grazing = np.zeros(len(boxes))
    with np.errstate(divide="ignore", invalid="ignore"):
        for origin, step, low, high in zip(start, way, lows, highs, strict=True):
            one, two = (low - origin) / step, (high - origin) / step
            nearer, farther = np.fmin(one, two), np.fmax(one, two)
            grazing = np.where(nearer > enter, 1.0 - np.abs(step), grazing)
            enter, leave = np.fmax(enter, nearer), np.fmin(leave, farther)
    good: Bools = (enter <= leave) & (enter > NEAREST)
    return np.where(good, enter, np.inf), grazing
