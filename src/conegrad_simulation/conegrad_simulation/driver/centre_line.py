"""Centre line of the lane: cones paired across the path of the lane search."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d

from conegrad_simulation.driver.cone_memory import KnownCones
from conegrad_simulation.driver.lane_search import SearchConfig, search_lane
from conegrad_simulation.planar import Bools, Floats

SPACING = 0.5  # [track units] between points of the line
BEHIND = 4.0  # [track units] behind the car in which cones are paired as well
NEAREST, FARTHEST = 0.6, 3.8  # [track units] from the path to a cone of its borders
ODD = 1.0  # [track units], a cone this much farther out than its border belongs to another lane
WRONG_SIDE = 0.5  # evidence for the other side at which a cone is left out
HOLD = 3.0  # [track units] for which a border goes on beyond its last cone
SMOOTHING = 5  # points


class CentreLine(NamedTuple):
    """The line to follow, in ``base_link``.

    Attributes:
        points: ``(M, 2)``, from the car to the last cones [track units].
        pairs: number of cones on the left and on the right border.
    """

    points: Floats
    pairs: tuple[int, int]

    @property
    def length(self) -> float:
        """Length of the line [track units]."""
        return SPACING * max(0, len(self.points) - 1)


def centre_line(cones: KnownCones, config: SearchConfig) -> CentreLine:
    """Centre line of the lane ahead; empty without cones beside it.

    Args:
        cones: remembered cones in ``base_link`` [track units].
        config: settings of the lane search.
    """
    if not len(cones.positions):
        return CentreLine(np.zeros((0, 2)), (0, 0))
    poses = _dense(search_lane(cones, config), config.step)
    stations: Floats = SPACING * np.arange(len(poses), dtype=np.float64) - BEHIND
    at, offsets = _beside(cones, poses, stations)
    left, right = _border(at, offsets, cones.sides), _border(at, -offsets, -cones.sides)
    shift, is_known = _shift(stations, at, offsets, left, right, config.half_width)
    shift = uniform_filter1d(shift, SMOOTHING, mode="nearest")
    last = np.flatnonzero(is_known)[-1] if is_known.any() else -1
    normals = np.stack([-np.sin(poses[:, 2]), np.cos(poses[:, 2])], axis=1)
    points = poses[:, :2] + shift[:, None] * normals
    ahead = (stations >= 0) & (np.arange(len(stations)) <= last)
    return CentreLine(points[ahead], (int(left.sum()), int(right.sum())))


def _dense(poses: Floats, step: float) -> Floats:
    """Poses :data:`SPACING` apart, from :data:`BEHIND` the car on."""
    along = step * np.arange(len(poses))
    wanted = np.arange(0.0, along[-1] + 1e-9, SPACING)
    ahead = np.stack([np.interp(wanted, along, column) for column in poses.T], axis=1)
    back = np.arange(-BEHIND, -1e-9, SPACING)
    return np.vstack([np.stack([back, np.zeros_like(back), np.zeros_like(back)], axis=1), ahead])


def _beside(cones: KnownCones, poses: Floats, stations: Floats) -> tuple[Floats, Floats]:
    """Station and offset to the left of each cone; NaN for a cone before or after the path."""
    gaps = cones.positions[:, None] - poses[None, :, :2]
    row = np.linalg.norm(gaps, axis=2).argmin(axis=1)
    gap = gaps[np.arange(len(row)), row]
    cos, sin = np.cos(poses[row, 2]), np.sin(poses[row, 2])
    ahead, left = cos * gap[:, 0] + sin * gap[:, 1], cos * gap[:, 1] - sin * gap[:, 0]
    is_beside = np.abs(ahead) < 2 * SPACING
    return np.where(is_beside, stations[row] + ahead, np.nan), np.where(is_beside, left, np.nan)


def _border(at: Floats, offsets: Floats, sides: Floats) -> Bools:
    """Mask of the cones of one border; offsets and sides are positive towards it."""
    chosen = (offsets > NEAREST) & (offsets < FARTHEST) & (sides > -WRONG_SIDE) & np.isfinite(at)
    if chosen.any():
        chosen &= offsets < np.median(offsets[chosen]) + ODD
    return np.asarray(chosen)


def _shift(
    stations: Floats, at: Floats, offsets: Floats, left: Bools, right: Bools, half: float
) -> tuple[Floats, Bools]:
    """Offset of the middle from the path, and where at least one border is known."""
    lefts, has_left = _along(stations, at[left], offsets[left])
    rights, has_right = _along(stations, at[right], offsets[right])
    both = has_left & has_right
    half = float(np.mean(lefts[both] - rights[both])) / 2 if both.any() else half
    shift = np.where(both, (lefts + rights) / 2, 0.0)
    shift = np.where(has_left & ~has_right, lefts - half, shift)
    shift = np.where(has_right & ~has_left, rights + half, shift)
    return shift, has_left | has_right


def _along(stations: Floats, at: Floats, offsets: Floats) -> tuple[Floats, Bools]:
    """A border's offset at each station, and where it is known."""
    if not len(at):
        return np.zeros_like(stations), np.zeros(len(stations), dtype=bool)
    order = np.argsort(at)
    is_known = (stations > at.min() - HOLD) & (stations < at.max() + HOLD)
    return np.interp(stations, at[order], offsets[order]), is_known
