"""Mean over seeds, and how far it can be trusted."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

CONFIDENCE = 0.95


class Spread(NamedTuple):
    """Values of several seeds.

    Attributes:
        mean: of the values.
        half: half width of the 95 % confidence interval of the mean (Student's t); NaN for one
            value.
        low: smallest value.
        high: largest value.
    """

    mean: float
    half: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Mean, interval and range.

    Raises:
        ValueError: without values.
    """
    if not len(values):
        raise ValueError("values is empty, expected at least one")
    array = np.asarray(values, dtype=np.float64)
    half = math.nan
    if len(array) > 1:
        scale = student.ppf(0.5 + CONFIDENCE / 2, len(array) - 1) / math.sqrt(len(array))
        half = float(scale * array.std(ddof=1))
    return Spread(float(array.mean()), half, float(array.min()), float(array.max()))
