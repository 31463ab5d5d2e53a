"""Percentiles of durations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Durations of one stage [s]; NaN without any."""

    count: int
    p50: float
    p95: float
    p99: float
    highest: float


def latency(seconds: Sequence[float]) -> Latency:
    """Summarise durations [s]."""
    if not len(seconds):
        return Latency(0, *[float("nan")] * 4)
    p50, p95, p99 = np.percentile(np.asarray(seconds, dtype=np.float64), [50, 95, 99])
    return Latency(len(seconds), float(p50), float(p95), float(p99), float(max(seconds)))
