"""Planar curves as evenly spaced points: resampling, offsets, curvature."""

import numpy as np

from conegrad_simulation.planar import Floats


def resample(points: Floats, step: float, *, is_closed: bool) -> Floats:
    """Points about ``step`` [m] apart along a polyline ``(M, 2)``.

    The result of a closed line does not repeat its first point.
    """
    ring = np.vstack([points, points[:1]]) if is_closed else np.asarray(points)
    along = arc_lengths(ring)
    count = max(2, round(along[-1] / step))
    at = np.linspace(0.0, along[-1], count + 1)
    at = at[:-1] if is_closed else at
    return np.stack([np.interp(at, along, ring[:, axis]) for axis in (0, 1)], axis=1)


def closed(points: Floats) -> Floats:
    """A closed line ``(M, 2)`` as an open one ``(M + 1, 2)`` that ends on its first point."""
    return np.vstack([points, points[:1]])


def arc_lengths(points: Floats) -> Floats:
    """``(M,)`` distance along an open polyline from its first point [m]."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def left_normals(points: Floats, *, is_closed: bool) -> Floats:
    """``(M, 2)`` unit normals to the left of the direction of travel."""
    if is_closed:
        tangents = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    else:
        tangents = np.gradient(points, axis=0)
    tangents = tangents / np.linalg.norm(tangents, axis=1, keepdims=True)
    return np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)


def closed_curvature(points: Floats) -> Floats:
    """``(M,)`` signed curvature of an evenly spaced closed curve, left turns positive [1/m]."""
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.arctan2(cross, (before * after).sum(axis=1))
    step = 0.5 * (np.linalg.norm(before, axis=1) + np.linalg.norm(after, axis=1))
    return np.asarray(turn / step)
