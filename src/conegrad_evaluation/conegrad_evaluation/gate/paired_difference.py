"""Differences of rates of two systems on the same frames, with their standard errors."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from conegrad_evaluation.metrics.bootstrap import Interval
from conegrad_evaluation.metrics.matching import Floats

CHUNK = 20_000_000  # numbers drawn at once


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
        units: ``(K,)`` independent units: each counts once per block.
    """

    old: Floats
    new: Floats
    errors: Floats
    blocks: Floats
    units: Floats


def paired_differences(
    rates: PairedRates, drives: Sequence[Drive], *, samples: int, seed: int = 0
) -> Differences:
    """Rates of both systems, and the standard error of their difference.

    Each drive is resampled on its own by a circular block bootstrap; both systems get the same
    blocks. Where both found the same, the bootstrap sees no spread at all, although more frames
    would show some: the error is at least that of an unseen discordance in each direction.

    Args:
        rates: of all frames, drive by drive.
        drives: their lengths and blocks.
        samples: number of resamples.
        seed: of the random numbers.

    Raises:
        ValueError: if the drives do not have as many frames as the rates.

    Source:
        Politis & Romano, A circular block-resampling procedure for stationary data, 1992.
        Bonett & Price, Adjusted Wald confidence interval for a difference of binomial proportions
        based on paired data, Journal of Educational and Behavioral Statistics, 2012.
    """
    frames = rates.hits.shape[1]
    if sum(drive.frames for drive in drives) != frames:
        found = [drive.frames for drive in drives]
        raise ValueError(f"drives have {found} frames, expected {frames} together")
    columns = np.concatenate([*rates.hits, *rates.totals], axis=1)
    generator = np.random.default_rng(seed)
    drawn = np.zeros((samples, columns.shape[1]))
    blocks, units, start = np.zeros(rates.units.shape[1]), np.zeros(rates.units.shape[1]), 0
    for drive in drives:
        rows = slice(start, start + drive.frames)
        drawn += _resampled(columns[rows], drive, samples, generator)
        in_blocks, in_units = _independent(rates.units[rows], drive)
        blocks, units = blocks + in_blocks, units + in_units
        start += drive.frames
    old, new = _rates(columns.sum(axis=0, keepdims=True))
    old_drawn, new_drawn = _rates(drawn)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = _spread(new_drawn - old_drawn) * np.sqrt(blocks / (blocks - 1))
        least = math.sqrt(2) / (units + 2)
    errors = np.where(blocks > 1, np.fmax(spread, least), np.nan)
    return Differences(old[0], new[0], errors, blocks, units)


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
    """Blocks of a drive that hold units, and units of which each counts once per block."""
    starts = np.arange(0, drive.frames, min(drive.block, drive.frames))
    total = np.add.reduceat(units, starts, axis=0)
    frames = np.add.reduceat(units > 0, starts, axis=0, dtype=np.int64)
    return (frames > 0).sum(axis=0), (total / np.maximum(frames, 1)).sum(axis=0)


def _rates(sums: Floats) -> tuple[Floats, Floats]:
    """``(S, K)`` rates of the old and the new system from ``(S, 4 K)`` sums."""
    old_hits, new_hits, old_totals, new_totals = np.split(sums, 4, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return old_hits / old_totals, new_hits / new_totals


def _spread(values: Floats) -> Floats:
    """Standard deviation of each column, without resamples that lack the rate."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 2)
    kept = np.where(known, values, 0.0)
    mean = kept.sum(axis=0) / count
    squares = np.where(known, (values - mean) ** 2, 0.0).sum(axis=0)
    deviation: Floats = np.sqrt(squares / (count - 1))
    return deviation


def _resampled(
    columns: Floats, drive: Drive, samples: int, generator: np.random.Generator
) -> Floats:
    """``(S, C)`` sums over resampled blocks of one drive, scaled to its length."""
    frames, block = drive.frames, min(drive.block, drive.frames)
    wrapped = np.concatenate([columns, columns[: block - 1]])
    cumulated = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(wrapped, axis=0)])
    of_block = cumulated[block:] - cumulated[:-block]
    draws = -(-frames // block)
    chances = np.full(frames, 1 / frames)
    step = max(1, CHUNK // frames)
    parts = [
        generator.multinomial(draws, chances, size=min(step, samples - first)).astype(float)
        @ of_block
        for first in range(0, samples, step)
    ]
    return np.concatenate(parts) * (frames / (draws * block))
