"""Containers of the LiDAR side: planar scan in, per-beam logits out."""

import math
from typing import NamedTuple

from torch import Tensor


class Scan(NamedTuple):
    """One planar scan.

    Attributes:
        ranges: ``(B,)`` [m]; NaN where a beam has no usable return.
        angles: ``(B,)`` [rad] counter-clockwise, 0 ahead, evenly spaced.
        max_range: farthest return that the sensor gives [m].
    """

    ranges: Tensor
    angles: Tensor
    max_range: float = math.inf


class SegmentedScan(NamedTuple):
    """A planar scan with the cone logit of each beam.

    Attributes:
        ranges: ``(B,)`` [m]; NaN where a beam has no usable return.
        angles: ``(B,)`` [rad].
        logits: ``(B,)`` log-odds that the beam hit a cone; meaningless where ranges is NaN.
        max_range: farthest return that counts [m].
    """

    ranges: Tensor
    angles: Tensor
    logits: Tensor
    max_range: float = math.inf
