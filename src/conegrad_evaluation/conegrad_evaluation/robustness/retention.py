"""How much a system keeps under faults, with intervals."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from conegrad_evaluation.disturbances.fault import Fault
from conegrad_evaluation.metrics.bootstrap import Interval, block_length
from conegrad_evaluation.metrics.matching import Floats
from conegrad_evaluation.robustness.frame_sums import FrameSums, frame_sums
from conegrad_evaluation.robustness.robustness import Robustness

RESAMPLES = 1000
BLOCK = 1.0  # [s] of consecutive frames that are drawn together


class Retention(NamedTuple):
    """What is left under one fault.

    Attributes:
        fault: chosen disturbance.
        clean: F1 with colour of the intact frames; recall where a sensor is lost.
        disturbed: the same under the fault.
        share: disturbed / clean.
        interval: of the share, 95 %.
    """

    fault: Fault
    clean: float
    disturbed: float
    share: float
    interval: Interval

    @property
    def is_lost_sensor(self) -> bool:
        """Whether the fault takes a sensor away."""
        return self.fault.disturbance.takes_away


class MeanRetention(NamedTuple):
    """What is left over some faults.

    Attributes:
        faults: number of them; lost sensors do not count.
        mean: share that is left; NaN without any.
        interval: of the mean, 95 %.
    """

    faults: int
    mean: float
    interval: Interval


class RetentionTable(NamedTuple):
    """Retention under all faults.

    Attributes:
        rows: one per fault, in their order.
        mean: share that is left, over all faults but lost sensors; NaN without any.
        interval: of the mean, 95 %.
        frames: number of frames.
        untrained: over the faults of disturbances that the system was not trained on; None where
            it was trained on none.
    """

    rows: list[Retention]
    mean: float
    interval: Interval
    frames: int
    untrained: MeanRetention | None = None


def retention(
    result: Robustness, *, seed: int = 0, trained: Collection[str] = ()
) -> RetentionTable:
    """Shares that are left, with intervals of a block bootstrap over frames.

    All faults are resampled with the same frames, so that the interval of the mean is right.

    Args:
        result: of the replay.
        seed: of the resampling.
        trained: names of the disturbances that the system was trained on.

    Raises:
        ValueError: without frames.
    """
    frames = sum(result.drives.values())
    if not frames:
        raise ValueError("bags hold no frames with truth, expected some")
    sums, weights = frame_sums(result), frame_weights(result.drives, result.periods, seed)
    shares = np.stack([shares_left(of_fault, weights) for of_fault in sums])  # (K, 1 + resamples)
    rows = [
        Retention(fault, *rates(of_fault), float(share[0]), percentile_interval(share[1:]))
        for fault, of_fault, share in zip(result.faults, sums, shares, strict=True)
    ]
    counted = np.array([not row.is_lost_sensor for row in rows], dtype=np.bool_)
    _, mean, interval = _mean(shares[counted])
    if not trained:
        return RetentionTable(rows, mean, interval, frames)
    is_new = counted & np.array([row.fault.name not in trained for row in rows])
    return RetentionTable(rows, mean, interval, frames, _mean(shares[is_new]))


def _mean(shares: Floats) -> MeanRetention:
    """Of ``(K, 1 + resamples)`` shares of faults."""
    if not len(shares):
        return MeanRetention(0, math.nan, Interval(math.nan, math.nan))
    means = shares.mean(axis=0)
    return MeanRetention(len(shares), float(means[0]), percentile_interval(means[1:]))


def frame_weights(drives: Mapping[str, int], periods: Mapping[str, float], seed: int) -> Floats:
    """``(1 + resamples, F)`` how often each frame is drawn; in the first row once each.

    Args:
        drives: number of frames of each drive.
        periods: median time between two of them [s].
        seed: of the draws.
    """
    draws = np.random.default_rng(seed)
    parts = []
    for name, count in drives.items():
        block = min(count, block_length(BLOCK, periods[name]))
        needed = -(-count // block)
        starts = draws.integers(count, size=(RESAMPLES, needed))
        drawn = (starts[..., None] + np.arange(block)) % count
        of_drive = np.zeros((RESAMPLES, count))
        rows = np.repeat(np.arange(RESAMPLES), needed * block)
        np.add.at(of_drive, (rows, drawn.ravel()), 1.0)
        parts.append(of_drive)
    drawn_weights = np.concatenate(parts, axis=1)
    return np.concatenate([np.ones((1, drawn_weights.shape[1])), drawn_weights])


def rates(sums: FrameSums) -> tuple[float, float]:
    """Rate of the intact frames, and of the others; NaN where there is nothing."""
    hits, totals = sums.hits.sum(axis=0), sums.totals.sum(axis=0)
    clean, disturbed = np.divide(hits, totals, out=np.full(2, np.nan), where=totals > 0)
    return float(clean), float(disturbed)


def shares_left(sums: FrameSums, weights: Floats) -> Floats:
    """Rate under the fault over the intact rate, for each row of weights."""
    hits, totals = weights @ sums.hits, weights @ sums.totals
    rates = np.divide(hits, totals, out=np.zeros_like(hits), where=totals > 0)
    clean, disturbed = rates.T
    shares: Floats = np.divide(disturbed, clean, out=np.full(len(clean), np.nan), where=clean > 0)
    return shares


def percentile_interval(values: Floats) -> Interval:
    """95 % interval of resampled values; NaN where none is finite."""
    if not np.isfinite(values).any():
        return Interval(math.nan, math.nan)
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


def by_disturbance(rows: Sequence[Retention]) -> dict[str, list[Retention]]:
    """Rows of each disturbance, mildest first."""
    found: dict[str, list[Retention]] = {}
    for row in rows:
        found.setdefault(row.fault.name, []).append(row)
    return {
        name: sorted(of_name, key=lambda r: r.fault.severity) for name, of_name in found.items()
    }
