"""Clusters of a cloud seen from above: which returns belong to something as slim as a cone."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

CELL = 0.1  # [m]; returns in touching cells are one cluster
REACH = 20.0  # [m] along x and y; farther returns are in no cluster
FLOORS = (0.05, 0.15)  # [m] above ground; from the second on a cone in grass stands alone
CEILING = 1.6  # [m] above ground; what is higher hangs over the course
SLIM_WIDTH = 0.55  # [m], diagonal of the widest cone seen from above, with the noise of the sensor
SLIM_TOP = 0.75  # [m], top of the highest cone on uneven ground
TOUCHING = np.ones((3, 3))  # cells that meet at a corner do


class Clusters(NamedTuple):
    """Of each of N points the cluster that it is in.

    Attributes:
        slim: ``(N,)`` number of the cluster that is as small as a cone, from 1 on; 0 for none.
        widths: ``(N,)`` diagonal of the cluster seen from above [m]; 0 for points in none.
        tops: ``(N,)`` its highest point above the ground [m].
        sizes: ``(N,)`` its number of points.
    """

    slim: Integers
    widths: Floats
    tops: Floats
    sizes: Floats


def find_clusters(positions: Floats, heights: Floats) -> Clusters:
    """Cluster the points of a cloud by the cells of a grid that touch.

    It is done twice, for all points above the ground and for those above the grass; where a point
    is in two clusters, the first that is slim counts.

    Args:
        positions: ``(N, 2)`` [m].
        heights: ``(N,)`` above the ground [m].
    """
    side = round(2 * REACH / CELL)
    cells = np.floor((positions + REACH) * (1 / CELL)).astype(np.int64)
    inside = ((cells >= 0) & (cells < side)).all(axis=1)
    inside &= (heights >= FLOORS[0]) & (heights <= CEILING)
    rows = np.flatnonzero(inside)
    flat, places, heights = cells[rows, 0] * side + cells[rows, 1], positions[rows], heights[rows]
    low, high = (_clusters(flat, places, heights, side, floor) for floor in FLOORS)
    take_high = (high.slim > 0) & (low.slim == 0)
    high = high._replace(slim=high.slim + low.slim.max(initial=0))
    found = []
    for of_low, of_high in zip(low, high, strict=True):
        values = np.zeros(len(positions), dtype=of_low.dtype)
        values[rows] = np.where(take_high, of_high, of_low)
        found.append(values)
    return Clusters(*found)


def _clusters(
    flat: Integers, positions: Floats, heights: Floats, side: int, floor: float
) -> Clusters:
    high = heights >= floor
    filled = np.zeros(side * side, dtype=np.bool_)
    filled[flat[high]] = True
    labels, count = ndimage.label(filled.reshape(side, side), structure=TOUCHING)
    labels = labels.ravel()
    own = labels[flat[high]]
    lowest, highest = (np.full((count + 1, 2), sign * np.inf) for sign in (1.0, -1.0))
    np.minimum.at(lowest, own, positions[high])
    np.maximum.at(highest, own, positions[high])
    tops = np.zeros(count + 1)
    np.maximum.at(tops, own, heights[high])
    widths = np.hypot(*(highest - lowest).T)
    widths[0] = 0.0
    sizes = np.bincount(own, minlength=count + 1).astype(np.float64)
    is_slim = (widths < SLIM_WIDTH) & (tops < SLIM_TOP)
    is_slim[0] = False
    labels = labels[flat].astype(np.int64)
    return Clusters(
        np.where(is_slim[labels], labels, 0), widths[labels], tops[labels], sizes[labels]
    )
