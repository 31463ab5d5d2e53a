"""Choice of the returns of a cloud that become a scan of several turns."""

import numpy as np
import numpy.typing as npt

from conegrad_core.lidar.height_profile import PolarCloud

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

MOST_TURNS = 4  # of a scan
MARGIN = 1  # beams between two things in one turn


def nearest_points(cloud: PolarCloud, rows: Integers, beams: int) -> Integers:
    """``(beams,)`` nearest of some points in each beam; -1 for none."""
    rows = rows[np.argsort(-cloud.ranges[rows], kind="stable")]  # of one beam the last one stays
    chosen = np.full(beams, -1)
    chosen[cloud.beams[rows]] = rows
    return chosen


def spread_over_turns(
    cloud: PolarCloud, usable: Booleans, slim: Integers, beams: int, turns: int
) -> Integers:
    """``(turns, beams)`` point that is the return of each beam in each turn; -1 for none.

    Each slim cluster, the nearest first, is put into the first turn that has room for it, and left
    out if none has. The first turn is filled up with the nearest other points.

    Args:
        cloud: N points.
        usable: ``(N,)`` points that may become a return.
        slim: ``(N,)`` slim cluster of each point, 0 for none.
        beams: of a turn.
        turns: their number.
    """
    chosen = np.full((turns, beams), -1)
    taken = np.zeros((turns, beams), dtype=np.bool_)
    for members in _by_range(cloud, usable, slim):
        of_beam = cloud.beams[members]
        around = np.add.outer(of_beam, np.arange(-MARGIN, MARGIN + 1)) % beams
        free = np.flatnonzero(~taken[:, around].any(axis=(1, 2)))
        if len(free):
            chosen[free[0], of_beam] = members
            taken[free[0], of_beam] = True
    others = nearest_points(cloud, np.flatnonzero(usable & (slim == 0)), beams)
    chosen[0] = np.where(taken[0], chosen[0], others)
    return chosen


def _by_range(cloud: PolarCloud, usable: Booleans, slim: Integers) -> list[Integers]:
    """Points of each slim cluster, farthest first; clusters by their nearest point."""
    rows = np.flatnonzero(usable & (slim > 0))
    rows = rows[np.lexsort((-cloud.ranges[rows], slim[rows]))]
    clusters = np.split(rows, np.flatnonzero(np.diff(slim[rows])) + 1) if len(rows) else []
    return sorted(clusters, key=lambda members: float(cloud.ranges[members[-1]]))
