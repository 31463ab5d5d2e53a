"""Containers of the LiDAR side: planar scan in, per-beam logits out."""

from typing import NamedTuple

from torch import Tensor


class Scan(NamedTuple):
    """One planar scan.

    Attributes:
        ranges: ``(B,)`` [m]; NaN where a beam has no usable return.
        angles: ``(B,)`` [rad] counter-clockwise, 0 ahead, evenly spaced.
        times: ``(B,)`` when each beam was measured, after the stamp of the scan [s]; None where
            all were at the stamp, or where it is not known.
        motions: ``(B, 3)`` pose of the LiDAR at the time of each beam, in its frame at the stamp:
            x, y [m], yaw [rad]; None where it is not known. ``lidar.sweep`` makes it of ``times``.
        profile: ``(P, B)`` what a 3-D LiDAR saw above and below each return, as
            :mod:`conegrad_core.lidar.height_profile` describes it; None of a planar LiDAR.
    """

    ranges: Tensor
    angles: Tensor
    times: Tensor | None = None
    motions: Tensor | None = None
    profile: Tensor | None = None


class SegmentedScan(NamedTuple):
    """A planar scan with the cone logit of each beam.

    Attributes:
        ranges: ``(B,)`` [m]; NaN where a beam has no usable return.
        angles: ``(B,)`` [rad].
        logits: ``(B,)`` log-odds that the beam hit a cone; meaningless where ranges is NaN.
        times: as in :class:`Scan`.
        motions: as in :class:`Scan`.
    """

    ranges: Tensor
    angles: Tensor
    logits: Tensor
    times: Tensor | None = None
    motions: Tensor | None = None
