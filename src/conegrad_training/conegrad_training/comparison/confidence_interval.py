"""Mean over seeds with its confidence interval (Student's t)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

CONFIDENCE = 0.95


class ConfidenceInterval(NamedTuple):
    """Mean of the values of several seeds, with its interval and their range.

    Attributes:
        mean: of the values.
        half_width: of the 95 % confidence interval of the mean; NaN for one value.
        minimum: smallest value.
        maximum: largest value.
    """

    mean: float
    half_width: float
    minimum: float
    maximum: float


def confidence_interval(values: Sequence[float]) -> ConfidenceInterval:
    """Mean, 95 % confidence interval of the mean, and range of values.

    Raises:
        ValueError: without values.
    """
    if not len(values):
        raise ValueError("values is empty, expected at least one")
    array = np.asarray(values, dtype=np.float64)
    half_width = math.nan
    if len(array) > 1:
        scale = student.ppf(0.5 + CONFIDENCE / 2, len(array) - 1) / math.sqrt(len(array))
        half_width = float(scale * array.std(ddof=1))
    return ConfidenceInterval(
        float(array.mean()), half_width, float(array.min()), float(array.max())
    )
