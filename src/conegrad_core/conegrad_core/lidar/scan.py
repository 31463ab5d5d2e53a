"""Containers of the LiDAR side: planar scan in, per-beam logits out."""

from typing import NamedTuple

from torch import Tensor


class Scan(NamedTuple):
    """One planar scan.

    Attributes:
        ranges: ``(B,)`` [m]; NaN where a beam has no usable return.
        angles: ``(B,)`` [rad] counter-clockwise, 0 ahead, evenly spaced.
    """

    ranges: Tensor
    angles: Tensor


class SegmentedScan(NamedTuple):
    """A planar scan with the cone logit of each beam.

    Attributes:
        ranges: ``(B,)`` [m]; NaN where a beam has no usable return.
        angles: ``(B,)`` [rad].
        logits: ``(B,)`` log-odds that the beam hit a cone; meaningless where ranges is NaN.
    """

    ranges: Tensor
    angles: Tensor
    logits: Tensor
