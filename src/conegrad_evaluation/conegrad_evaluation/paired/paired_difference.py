"""Differences of rates of two systems on the same frames, with their standard errors."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from conegrad_evaluation.metrics.bootstrap import Interval
from conegrad_evaluation.metrics.matching import Floats


class Drive(NamedTuple):
    """Consecutive frames of one recording.

    Attributes:
        frames: how many.
        block: consecutive frames that are resampled together.
    """

    frames: int
    block: int


class PairedRates(NamedTuple):
    """K rates of both systems as sums over F frames: ``hits / totals``.

    Attributes:
        hits: ``(2, F, K)`` of the old and the new system.
        totals: ``(2, F, K)``.
        units: ``(F, K)`` things that are found or not, such as true cones.
    """

    hits: Floats
    totals: Floats
    units: Floats


class Differences(NamedTuple):
    """Of K rates; NaN where a rate does not exist.

    Attributes:
        old: ``(K,)`` rate of the old system.
        new: ``(K,)`` of the new one.
        errors: ``(K,)`` standard error of ``new - old``.
        blocks: ``(K,)`` independent blocks that the rate is taken from.
        units: ``(K,)`` independent units: each counts once per half block.
    """

    old: Floats
    new: Floats
    errors: Floats
    blocks: Floats
    units: Floats


def paired_differences(rates: PairedRates, drives: Sequence[Drive]) -> Differences:
    """Rates of both systems, and the standard error of their difference.

    The error is that of a circular block bootstrap of each drive with the same blocks for both
    systems, in the limit of many resamples: the variance of the sums over blocks of what each frame
    contributes to the difference. Blocks of a length ``b`` miss what is correlated across their
    borders; where half as long ones show that, the variance is extrapolated to
    ``2 V(b) - V(b / 2)``, which misses nothing that lasts for less than ``b / 2``.

    Where both systems found the same, the blocks show no spread at all, although more frames would
    show some: the error is at least that of an unseen discordance in each direction.

    Args:
        rates: of all frames, drive by drive.
        drives: their lengths and blocks.

    Raises:
        ValueError: if the drives do not have as many frames as the rates.

    Source:
        Politis & Romano, A circular block-resampling procedure for stationary data, 1992, and
        Bias-corrected nonparametric spectral estimation, Journal of Time Series Analysis, 1995.
        Bonett & Price, Adjusted Wald confidence interval for a difference of binomial proportions
        based on paired data, Journal of Educational and Behavioral Statistics, 2012.
    """
    frames = rates.hits.shape[1]
    if sum(drive.frames for drive in drives) != frames:
        found = [drive.frames for drive in drives]
        raise ValueError(f"drives have {found} frames, expected {frames} together")
    totals = rates.totals.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        old, new = rates.hits.sum(axis=1) / totals
        shares = (rates.hits - np.stack([old, new])[:, None] * rates.totals) / totals[:, None]
    shares = shares[1] - shares[0]
    width = rates.units.shape[1]
    variance, blocks, units = np.zeros(width), np.zeros(width), np.zeros(width)
    start = 0
    for drive in drives:
        rows = slice(start, start + drive.frames)
        variance += _block_variance(shares[rows], drive)
        in_blocks, in_units = _independent(rates.units[rows], drive)
        blocks, units = blocks + in_blocks, units + in_units
        start += drive.frames
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(variance * blocks / (blocks - 1))
    errors = np.where(blocks > 1, np.fmax(spread, math.sqrt(2) / (units + 2)), np.nan)
    return Differences(old, new, np.where(np.isfinite(new - old), errors, np.nan), blocks, units)


def interval_of(difference: float, error: float, blocks: float, tail: float) -> Interval:
    """Interval of a difference that leaves ``tail`` of the probability on either side.

    Source:
        Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 12.3.
    """
    reach = quantile(blocks, tail) * error
    return Interval(difference - reach, difference + reach)


def quantile(blocks: float, tail: float) -> float:
    """Quantile of Student's t with a degree of freedom per block but one."""
    return float(stats.t.isf(tail, max(blocks - 1, 1)))


def _independent(units: Floats, drive: Drive) -> tuple[Floats, Floats]:
    """Blocks of a drive that hold units, and units of which each counts once per half block."""
    block = min(drive.block, drive.frames)
    in_blocks = np.add.reduceat(units, np.arange(0, drive.frames, block), axis=0)
    halves = np.arange(0, drive.frames, max(1, block // 2))
    total = np.add.reduceat(units, halves, axis=0)
    frames = np.add.reduceat(units > 0, halves, axis=0, dtype=np.int64)
    independent: Floats = (total / np.maximum(frames, 1)).sum(axis=0)
    return (in_blocks > 0).sum(axis=0).astype(np.float64), independent


def _block_variance(shares: Floats, drive: Drive) -> Floats:
    """``(K,)`` variance of the sum of a drive, extrapolated to longer blocks."""
    block = min(drive.block, drive.frames)
    long, short = (_variance(shares, length) for length in (block, max(1, block // 2)))
    return np.fmax(long, 2 * long - short)


def _variance(shares: Floats, block: int) -> Floats:
    """``(K,)`` variance of a resampled sum of frames, drawn in blocks."""
    wrapped = np.concatenate([shares, shares[: block - 1]])
    cumulated = np.concatenate([np.zeros((1, shares.shape[1])), np.cumsum(wrapped, axis=0)])
    of_block = cumulated[block:] - cumulated[:-block]
    variance: Floats = of_block.var(axis=0) * len(shares) / block
    return variance
