"""Heights above gently curved ground: a quadratic surface around the plane under the LiDAR."""

import numpy as np
import numpy.typing as npt

from conegrad_core.lidar.ground_plane import GroundPlane

Floats = npt.NDArray[np.floating]

REACH = 20.0  # [m], ground beyond is not looked at; there the surface goes on as at this range
SAMPLE = 6000  # points are enough
NEAR_PLANE = 0.5  # [m], farther from the plane nothing counts as ground
TOLERANCES = (0.12, 0.08, 0.06)  # [m] from the surface of the round before
LEAST = 50  # ground returns; with fewer the plane stays
STIFFNESS = 10.0  # weight of a flat surface against the returns
SCALE = 10.0  # [m] of the coordinates of the polynomial


def surface_heights(points: Floats, plane: GroundPlane) -> Floats:
    """``(N,)`` heights above the ground [m] of ``(N, 3)`` finite points in the LiDAR frame.

    Around the plane the returns within some centimetres of a quadratic surface are fitted to it,
    three times; far returns, of which there are few, weigh more. Where the ground is flat the plane
    remains.
    """
    heights = plane.heights(points)
    ranges = np.hypot(points[:, 0], points[:, 1])
    rows = np.flatnonzero((ranges < REACH) & (np.abs(heights) < NEAR_PLANE))
    rows = rows[:: max(1, len(rows) // SAMPLE)]
    bend = _fit(_monomials(points[rows], ranges[rows]), heights[rows], ranges[rows])
    if not bend.any():
        return heights
    level: Floats = heights - (_monomials(points, ranges) @ bend).astype(heights.dtype)
    return level


def _fit(terms: Floats, heights: Floats, ranges: Floats) -> Floats:
    bend, weights = np.zeros(terms.shape[1]), (ranges / SCALE)[:, None]
    for tolerance in TOLERANCES:
        near = np.abs(heights - terms @ bend) < tolerance
        if near.sum() < LEAST:
            return np.zeros(terms.shape[1])
        weighted = terms[near] * weights[near]
        normal = terms[near].T @ weighted + STIFFNESS * np.eye(len(bend))
        bend = np.linalg.solve(normal, weighted.T @ heights[near])
    return bend


def _monomials(points: Floats, ranges: Floats) -> Floats:
    """``(N, 6)`` terms of a quadratic polynomial in x and y, held at :data:`REACH`."""
    scale = np.minimum(1.0, REACH / np.maximum(ranges, 1e-6)) / SCALE
    x, y = points[:, 0] * scale, points[:, 1] * scale
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1).astype(np.float64)
