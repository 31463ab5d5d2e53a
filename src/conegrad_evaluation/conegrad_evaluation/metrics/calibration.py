"""Calibration of existence probabilities and consistency of covariances."""

from dataclasses import dataclass

import numpy as np

from conegrad_evaluation.metrics.matching import Booleans, Floats

RELIABILITY_BINS = 10
CHI2_95 = 5.991464547107979  # 95th percentile of the chi-squared distribution, 2 degrees of freedom


@dataclass(frozen=True)
class Reliability:
    """Existence probability and the share of cones that exist, in bins of equal width.

    Attributes:
        ece: expected calibration error: mean gap of the bins, weighted by their cones.
        edges: ``(B + 1,)`` of the bins.
        counts: ``(B,)`` cones per bin.
        confidence: ``(B,)`` mean existence; NaN in an empty bin.
        accuracy: ``(B,)`` share that was matched; NaN in an empty bin.

    Source:
        Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """

    ece: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]


@dataclass(frozen=True)
class Consistency:
    """Normalised estimation error squared (NEES) of matched cones, e^T C^-1 e.

    C is the covariance of the cone plus that of the truth itself, where one is stated.

    A consistent covariance gives a mean of 2, a median of 1.39 and 95 % inside the ellipse; larger
    values show overconfidence. Errors are cut off at the match distance, which biases the values
    of covariances near its square downwards.

    Attributes:
        count: cones with a positive definite covariance.
        invalid: matched cones whose covariance is not positive definite.
        mean: 2 expected.
        median: 1.39 expected.
        inside_95: share inside the 95 % ellipse.

    Source:
        Bar-Shalom et al., Estimation with Applications to Tracking and Navigation, section 5.4.
    """

    count: int
    invalid: int
    mean: float
    median: float
    inside_95: float


def reliability(existence: Floats, is_match: Booleans, bins: int = RELIABILITY_BINS) -> Reliability:
    """Compare ``(N,)`` existence probabilities with the matches of the cones."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    bin_of = np.minimum((existence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(bin_of, existence, minlength=bins) / counts
        accuracy = np.bincount(bin_of, is_match, minlength=bins) / counts
    gaps = np.nan_to_num(np.abs(confidence - accuracy)) * counts
    return Reliability(
        ece=float(gaps.sum() / counts.sum()) if counts.sum() else float("nan"),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        confidence=tuple(confidence.tolist()),
        accuracy=tuple(accuracy.tolist()),
    )


def nees(errors: Floats, covariances: Floats) -> Floats:
    """NEES of ``(N, 2)`` errors [m] under ``(N, 2, 2)`` covariances [m^2].

    NaN where a covariance is not positive definite.
    """
    xx, yy = covariances[:, 0, 0], covariances[:, 1, 1]
    xy = (covariances[:, 0, 1] + covariances[:, 1, 0]) / 2
    determinant = xx * yy - xy**2
    x, y = errors[:, 0], errors[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = (yy * x**2 - 2 * xy * x * y + xx * y**2) / determinant
    return np.where((xx > 0) & (determinant > 0), squared, np.nan)


def consistency(values: Floats) -> Consistency:
    """Summarise ``(N,)`` NEES values."""
    valid = values[~np.isnan(values)]
    invalid = len(values) - len(valid)
    if not len(valid):
        return Consistency(0, invalid, float("nan"), float("nan"), float("nan"))
    return Consistency(
        count=len(valid),
        invalid=invalid,
        mean=float(valid.mean()),
        median=float(np.median(valid)),
        inside_95=float((valid <= CHI2_95).mean()),
    )
