"""Times of both systems on the same frames."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from conegrad_evaluation.metrics.latency import Latency, latency
from conegrad_evaluation.metrics.matching import Floats
from conegrad_evaluation.paired.paired_difference import Drive


class LatencyRatio(NamedTuple):
    """How the times of a frame compare.

    Attributes:
        old: times of the old system.
        new: times of the new one.
        logarithm: of the ratio new to old: mean over blocks of the median of a block.
        error: standard error of the logarithm; NaN with a single block.
        blocks: number of blocks.
    """

    old: Latency
    new: Latency
    logarithm: float
    error: float
    blocks: int

    @property
    def ratio(self) -> float:
        """Time of the new system, in times of the old one."""
        return math.exp(self.logarithm)


def latency_ratio(old: Floats, new: Floats, drives: Sequence[Drive]) -> LatencyRatio:
    """Ratio of times that were taken in turns, frame by frame [s].

    The ratio of a frame cancels what both share, such as a clock that slows down; the median of a
    block cancels interruptions.

    Args:
        old: ``(F,)`` times of the old system, drive by drive.
        new: ``(F,)`` of the new one.
        drives: their lengths and blocks.
    """
    logarithms, medians, start = np.log(new / old), [], 0
    for drive in drives:
        rows = logarithms[start : start + drive.frames]
        parts = np.array_split(rows, max(1, len(rows) // min(drive.block, len(rows))))
        medians += [float(np.median(part)) for part in parts]
        start += drive.frames
    count = len(medians)
    error = float(np.std(medians, ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return LatencyRatio(
        latency(old.tolist()), latency(new.tolist()), float(np.mean(medians)), error, count
    )


def upper_quantile(seconds: Floats, share: float, tail: float) -> tuple[float, float]:
    """A quantile of times [s], between limits that leave ``tail`` on either side.

    Source:
        Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2 (of ``scipy.stats``).
    """
    limits: Any = stats.quantile_test(seconds, p=share).confidence_interval(1 - 2 * tail)
    # Too few frames bound nothing: scipy says NaN.
    low = limits.low if math.isfinite(limits.low) else -math.inf
    high = limits.high if math.isfinite(limits.high) else math.inf
    return float(low), float(high)
