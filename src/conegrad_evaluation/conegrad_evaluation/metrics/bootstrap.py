"""Confidence intervals of shares, bootstrapped over frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conegrad_evaluation.metrics.matching import Floats, Integers

NANOSECONDS = 1e9
CHUNK = 2_000_000  # indices drawn at once, about 16 MB


def median_period(stamps_ns: Sequence[int]) -> float:
    """Median time between two frames [s]; NaN with less than two.

    Args:
        stamps_ns: of the frames in their order [ns].
    """
    steps = np.diff(np.array(stamps_ns, dtype=np.int64))
    return float(np.median(steps)) / NANOSECONDS if len(steps) else float("nan")


def block_length(seconds: float, period: float) -> int:
    """Frames that are resampled together, since they show the same cones.

    Args:
        seconds: that they last [s].
        period: of the frames [s]; 1 where it is NaN or 0.
    """
    return max(1, round(seconds / period)) if period > 0 else 1


@dataclass(frozen=True)
class Interval:
    """The middle 95 % of resampled values; NaN without any cone or truth."""

    low: float
    high: float


def f1_interval(
    hits: Integers, totals: Integers, *, samples: int, block: int = 1, seed: int = 0
) -> Interval:
    """Bootstrap over frames of ``F1 = 2 hits / totals``.

    Args:
        hits: ``(F,)`` right cones per frame.
        totals: ``(F,)`` cones plus truth per frame.
        samples: number of resamples.
        block: consecutive frames drawn together (circular block bootstrap).
        seed: of the random numbers.

    Source:
        Politis & Romano, A circular block-resampling procedure for stationary data, 1992.
    """
    if not totals.sum():
        return Interval(float("nan"), float("nan"))
    frames, block = len(hits), min(block, len(hits))
    block_hits, block_totals = _circular_sums(hits, block), _circular_sums(totals, block)
    draws = -(-frames // block)
    generator = np.random.default_rng(seed)
    values: list[Floats] = []
    step = max(1, CHUNK // draws)
    for start in range(0, samples, step):
        drawn = generator.integers(frames, size=(min(step, samples - start), draws))
        drawn_totals = block_totals[drawn].sum(axis=1)
        drawn_hits = 2.0 * block_hits[drawn].sum(axis=1)
        values.append(drawn_hits[drawn_totals > 0] / drawn_totals[drawn_totals > 0])
    joined = np.concatenate(values)
    if not len(joined):
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(joined, [2.5, 97.5])
    return Interval(float(low), float(high))


def ratio_intervals(
    hits: Integers, totals: Integers, *, samples: int, block: int = 1, seed: int = 0
) -> list[Interval]:
    """Bootstrap over frames of K shares ``hits / totals``, with the same draws for all.

    Args:
        hits: ``(F, K)`` per frame.
        totals: ``(F, K)`` per frame.
        samples: number of resamples.
        block: consecutive frames drawn together (circular block bootstrap).
        seed: of the random numbers.
    """
    frames, shares = hits.shape
    if not totals.sum():
        return [Interval(float("nan"), float("nan"))] * shares
    block = min(block, frames)
    sums = np.stack([_circular_sums(column, block) for column in (*hits.T, *totals.T)], axis=1)
    used = sums.any(axis=1)  # what a block without any cone adds is nothing
    chances = np.append(np.full(int(used.sum()), 1 / frames), (~used).sum() / frames)
    draws = np.random.default_rng(seed).multinomial(-(-frames // block), chances, size=samples)
    drawn = draws[:, :-1].astype(np.float64) @ sums[used]
    pairs = zip(drawn[:, :shares].T, drawn[:, shares:].T, strict=True)
    return [_middle(of_hits, of_totals) for of_hits, of_totals in pairs]


def _middle(hits: Floats, totals: Floats) -> Interval:
    held = totals > 0
    if not held.any():
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(hits[held] / totals[held], [2.5, 97.5])
    return Interval(float(low), float(high))


def _circular_sums(values: Integers, block: int) -> Integers:
    cumulated = np.concatenate([[0], np.cumsum(np.concatenate([values, values[: block - 1]]))])
    sums: Integers = (cumulated[block:] - cumulated[:-block]).astype(np.int64)
    return sums
