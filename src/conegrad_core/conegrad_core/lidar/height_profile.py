"""Height profile of the returns of a cloud: what the LiDAR saw above and below each of them.

A cone is low, slim and stands alone: beams end on it near the ground, and beams above it pass. A
leg, a post or a wall goes on above; grass and ground are flat and wide. The profile gives this to
the scan network as numbers between 0 and 1.5 per beam, all 0 where a beam has no return.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.lidar.cloud_clusters import Clusters

Floats = npt.NDArray[np.floating]
Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

SLICES = (0.0, 0.05, 0.1, 0.16, 0.23, 0.31, 0.42, 0.58, 0.9, 1.6)  # [m] above the ground
BEFORE, BEHIND = 0.15, 0.35  # [m] of a return, which the others on the same thing are within
FEW = 2.0  # returns of one beam in one slice; more add little
WIDE, HIGH, MANY = 1.0, 1.0, 4.0  # [m], [m], log of the returns of a cluster: scales
LARGEST = 1.5  # of a scaled value
CLUSTER_CHANNELS = 4
PROFILE_CHANNELS = 1 + 2 * (len(SLICES) - 1) + CLUSTER_CHANNELS


class PolarCloud(NamedTuple):
    """Points of a cloud by direction, range and height.

    Attributes:
        beams: ``(N,)`` beam of the scan in whose share of the view the point lies.
        ranges: ``(N,)`` horizontal range [m].
        heights: ``(N,)`` above the ground [m].
        in_view: ``(N,)`` the beam exists and the range is one that the scan may have.
    """

    beams: Integers
    ranges: Floats
    heights: Floats
    in_view: Booleans


def height_profile(
    cloud: PolarCloud, chosen: Integers, sensor_height: float, clusters: Clusters
) -> npt.NDArray[np.float32]:
    """Describe what is above and below the return of each beam.

    Args:
        cloud: N points.
        chosen: ``(T, B)`` point that is the return of each beam of T turns; -1 for none.
        sensor_height: of the sensor above the ground [m].
        clusters: of the points.

    Returns:
        ``(PROFILE_CHANNELS, T B)``: 1; per slice of :data:`SLICES` the bounded number of points of
        the beam that lie there on the same thing, then of those that are behind it, seen through
        the slice; then of the cluster of the return whether it is slim, its width, its top and its
        number of points.
    """
    of_turns = [_ends_and_passes(cloud, turn, sensor_height) for turn in chosen]
    ends, passes = (np.concatenate(parts, axis=1) for parts in zip(*of_turns, strict=True))
    chosen = chosen.ravel()
    of_cluster = np.stack(
        [
            clusters.slim[chosen] > 0,
            clusters.widths[chosen] / WIDE,
            clusters.tops[chosen] / HIGH,
            np.log1p(clusters.sizes[chosen]) / MANY,
        ]
    )
    ones = np.ones((1, len(chosen)))
    profile = np.concatenate([ones, ends, passes, np.clip(of_cluster, 0.0, LARGEST)])
    return (profile * (chosen >= 0)).astype(np.float32)


def _ends_and_passes(
    cloud: PolarCloud, chosen: Integers, sensor_height: float
) -> tuple[Floats, Floats]:
    """``(slices, B)`` bounded counts by slice of the points at and behind the returns of a turn."""
    is_known = chosen >= 0
    nearest = np.where(is_known, cloud.ranges[chosen], np.nan)
    rows = np.flatnonzero(cloud.in_view & is_known[cloud.beams])
    beams, ranges, heights = cloud.beams[rows], cloud.ranges[rows], cloud.heights[rows]
    behind = ranges - nearest[beams]
    ends, passes = (behind >= -BEFORE) & (behind <= BEHIND), behind > BEHIND
    reach = nearest[beams[passes]] / ranges[passes]
    passing = sensor_height + (heights[passes] - sensor_height) * reach
    return (
        _counted(beams[ends], heights[ends], len(chosen)),
        _counted(beams[passes], passing, len(chosen)),
    )


def _counted(beams: Integers, heights: Floats, count: int) -> Floats:
    """``(slices, count)`` bounded number of points by slice and beam."""
    slices = np.searchsorted(SLICES, heights, side="right") - 1
    bins = len(SLICES) - 1
    inside = (slices >= 0) & (slices < bins)
    flat = slices[inside] * count + beams[inside]
    counts = np.bincount(flat, minlength=bins * count).reshape(bins, count)
    bounded: Floats = np.tanh(counts / FEW)
    return bounded
